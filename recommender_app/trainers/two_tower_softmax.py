"""Sampled softmax over cosines as one operation: forward and gradient share one buffer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """The positives of b users among s items.

    Attributes:
        users, items: (t,) int64, places in the batch.
        weights: (t,) float32, how much each counts.
        log_inclusion: (s,) float32, log of the chance that an item is in a batch.
    """

    users: Tensor
    items: Tensor
    weights: Tensor
    log_inclusion: Tensor


class SampledSoftmax(torch.autograd.Function):
    """Weighted mean over positives of their log loss.

    Every logit is lessened by the log of the item's chance to be in the batch, so that an item
    counts as often as it would if the whole catalogue were there (Yi et al., RecSys 2019).
    Written by hand because autograd would keep several copies of the (b, s) matrix; here forward
    and gradient share one.
    """

    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, targets: Targets, temperature: float) -> Tensor:
        """Return the scalar loss of users (b, d) and items (s, d), both of length 1."""
        logits = (users @ items.T).float().mul_(1.0 / temperature).sub_(targets.log_inclusion)
        of_targets = logits[targets.users, targets.items]
        # A cosine is at most 1: less 1/temperature no exponent is above the largest correction.
        shares = logits.sub_(1.0 / temperature).exp_()
        sums = shares.sum(dim=1)
        normalisers = sums.log() + 1.0 / temperature
        total = targets.weights.sum()
        per_user = torch.zeros_like(sums).index_add_(0, targets.users, targets.weights)
        shares *= (per_user / sums)[:, None]
        ctx.save_for_backward(users, items, shares, targets.users, targets.items, targets.weights)
        ctx.scale = 1.0 / (temperature * total)
        return ((normalisers[targets.users] - of_targets) * targets.weights).sum() / total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients of users and items."""
        users, items, shares, target_users, target_items, weights = ctx.saved_tensors
        shares[target_users, target_items] -= weights
        by_scale = shares.mul_(ctx.scale * gradients[0]).to(users.dtype)
        return by_scale @ items, by_scale.T @ users, None, None
