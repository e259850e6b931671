from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from recommender_app.trainers.two_tower_batches import epoch_batches, prepare
from recommender_app.trainers.two_tower_config import TwoTowerConfig
from recommender_app.trainers.two_tower_features import fit_encoder
from recommender_app.trainers.two_tower_optimizer import RowAdam
from recommender_app.trainers.two_tower_softmax import SampledSoftmax, Targets
from tests.core.two_tower_toys import taste_groups


@pytest.fixture
def towers():
    generator = torch.Generator().manual_seed(1)
    users = functional.normalize(torch.randn(3, 4, generator=generator, dtype=torch.float64))
    items = functional.normalize(torch.randn(5, 4, generator=generator, dtype=torch.float64))
    return users.requires_grad_(), items.requires_grad_()


def some_targets(log_inclusion: torch.Tensor) -> Targets:
    places = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 3, 1, 4])
    return Targets(*places, torch.tensor([0.5, 2.0, 1.0, 3.0]), log_inclusion)


def test_with_the_whole_catalogue_it_is_the_plain_softmax_loss(towers):
    users, items = towers
    loss = SampledSoftmax.apply(users, items, some_targets(torch.zeros(5)), 0.1)
    shares = torch.log_softmax(users @ items.T / 0.1, dim=1)
    expected = -(0.5 * shares[0, 0] + 2.0 * shares[0, 3] + shares[1, 1] + 3.0 * shares[2, 4]) / 6.5
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)


def test_its_gradients_are_those_of_autograd(towers):
    users, items = towers
    inclusion = torch.tensor([0.1, 0.5, 1.0, 0.2, 0.9]).log()
    targets = some_targets(inclusion)
    SampledSoftmax.apply(users, items, targets, 0.2).backward()
    mine = users.grad.clone(), items.grad.clone()
    users.grad = items.grad = None
    shares = torch.log_softmax(users @ items.T / 0.2 - inclusion, dim=1)
    (-shares[targets.users, targets.items] * targets.weights).sum().div(6.5).backward()
    torch.testing.assert_close(mine[0], users.grad, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(mine[1], items.grad, rtol=1e-4, atol=1e-6)


def test_half_precision_as_on_cuda_points_the_same_way(towers):
    users, items = (side.detach().float().requires_grad_() for side in towers)
    targets = some_targets(torch.tensor([0.1, 0.5, 1.0, 0.2, 0.9]).log())
    found = []
    for convert in (torch.Tensor.float, torch.Tensor.bfloat16):
        users.grad = items.grad = None
        loss = SampledSoftmax.apply(convert(users), convert(items), targets, 0.2)
        loss.backward()
        assert loss.dtype == users.grad.dtype == items.grad.dtype == torch.float32
        found.append((loss.detach(), users.grad.clone(), items.grad.clone()))
    for exact, rounded in zip(*found, strict=True):
        torch.testing.assert_close(rounded, exact, rtol=0.03, atol=0.03)


def test_an_item_is_in_as_many_batches_as_its_inclusion_says():
    data = taste_groups(40)
    config = TwoTowerConfig(batch_users=4, sampled_items=2, full_softmax_below=0, min_steps=800)
    nothing = fit_encoder(data.item_features, 5)
    prepared = prepare(data, nothing, nothing, config)
    found = np.zeros(data.n_items)
    batches = list(epoch_batches(prepared, config, np.random.default_rng(0)))
    for batch in batches:
        found[batch.chosen["ids"]] += 1
    np.testing.assert_allclose(found / len(batches), np.exp(prepared.log_inclusion), atol=0.05)


def test_every_positive_of_every_user_is_a_target_once_a_pass():
    data = taste_groups(10)
    config = TwoTowerConfig(batch_users=3, sampled_items=2, full_softmax_below=0, min_steps=1)
    nothing = fit_encoder(data.item_features, 5)
    prepared = prepare(data, nothing, nothing, config)
    batches = list(epoch_batches(prepared, config, np.random.default_rng(0)))
    taught = np.concatenate([batch.chosen["ids"][batch.target_items] for batch in batches])
    assert len(batches) == 4
    np.testing.assert_array_equal(np.bincount(taught, minlength=12), data.positives.getnnz(axis=0))


def test_rows_without_a_gradient_stay_and_the_others_move_as_with_torch():
    start = torch.arange(12, dtype=torch.float32).reshape(4, 3)
    rows, gradient = np.array([1, 3]), torch.tensor([[1.0, -2.0, 0.5], [0.1, 0.0, 3.0]])
    tables = {"ids": start.clone()}
    optimizer = RowAdam(tables)
    parameter = torch.nn.Parameter(start.clone())
    reference = torch.optim.SparseAdam([parameter], lr=0.1)
    for _ in range(3):
        part = tables["ids"][rows].requires_grad_()
        part.grad = gradient.clone()
        optimizer.step({"ids": part}, {"ids": rows}, 0.1)
        parameter.grad = torch.sparse_coo_tensor(torch.from_numpy(rows)[None], gradient, (4, 3), check_invariants=True)
        reference.step()
    torch.testing.assert_close(tables["ids"], parameter.detach(), rtol=1e-5, atol=1e-6)
    assert torch.equal(tables["ids"][[0, 2]], start[[0, 2]])
