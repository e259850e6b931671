"""Adam on the rows that a step touched."""

from __future__ import annotations

import torch
from torch import Tensor

from recommender_app.trainers.two_tower_batches import Chosen
from recommender_app.trainers.two_tower_model import Tables

_KEEP_MEAN, _KEEP_SQUARE, _EPSILON = 0.9, 0.999, 1e-8


class RowAdam:
    """Adam (Kingma and Ba, ICLR 2015); rows without a gradient keep value and moments.

    The same rule as ``torch.optim.SparseAdam``, without its sorting and copying of whole
    gradients: a step costs what its rows cost, whatever the size of the catalogue.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.means = {name: torch.zeros_like(table) for name, table in tables.items()}
        self.squares = {name: torch.zeros_like(table) for name, table in tables.items()}
        self.n_steps = 0

    @torch.no_grad()
    def step(self, parts: Tables, chosen: Chosen, rate: float) -> None:
        """Move the chosen rows against the gradients of ``parts`` (see ``take``)."""
        self.n_steps += 1
        rate *= (1.0 - _KEEP_SQUARE**self.n_steps) ** 0.5 / (1.0 - _KEEP_MEAN**self.n_steps)
        for name, part in parts.items():
            if part.grad is None or not len(part):
                continue
            rows = chosen.get(name)
            index = None if rows is None else torch.from_numpy(rows).to(part.device)
            self._move(name, part.grad, index, rate)

    def _move(self, name: str, gradient: Tensor, index: Tensor | None, rate: float) -> None:
        mean, square = _rows(self.means[name], index), _rows(self.squares[name], index)
        mean.lerp_(gradient, 1.0 - _KEEP_MEAN)
        square.mul_(_KEEP_SQUARE).addcmul_(gradient, gradient, value=1.0 - _KEEP_SQUARE)
        step = square.sqrt().add_(_EPSILON).reciprocal_().mul_(mean).mul_(-rate)
        if index is None:
            self.tables[name].add_(step)
            return
        self.means[name].index_copy_(0, index, mean)
        self.squares[name].index_copy_(0, index, square)
        self.tables[name].index_add_(0, index, step)

    def state(self) -> dict[str, dict[str, Tensor] | int]:
        """Return what a checkpoint keeps."""
        return {"means": self.means, "squares": self.squares, "n_steps": self.n_steps}

    def restore(self, state: dict[str, dict[str, Tensor] | int]) -> None:
        """Take back what ``state`` returned."""
        for name in ("means", "squares"):
            own, stored = getattr(self, name), state[name]
            for key, tensor in stored.items():  # type: ignore[union-attr]
                own[key].copy_(tensor)
        self.n_steps = int(state["n_steps"])  # type: ignore[arg-type]


def _rows(table: Tensor, index: Tensor | None) -> Tensor:
    return table if index is None else table[index]
