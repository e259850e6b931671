"""What training still keeps of users who are forgotten: called by the janitor and ``recommender_prune``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from recommender_app.models import ForgottenUser
from recommender_app.registry.database import atomic, current_time
from recommender_app.registry.tombstones import label_of, read_tombstones, stamp, unsettled
from recommender_app.registry.verdicts import forget_popular
from recommender_app.training.forgotten_datasets import any_of, delete_datasets
from recommender_app.training.forgotten_versions import delete_affected, has_affected, request_retraining
from recommender_app.training.retention import Pruned
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import all_use_cases


def prune_forgotten(use_case: UseCase, *, dry_run: bool = False) -> list[Pruned]:
    """Delete the datasets that hold forgotten users, and versions that may go; ask for what replaces the others.

    Most of it was done when the user was forgotten; here comes what an export or a training that
    ran then has brought, what is superseded since, and what is due.
    """
    wanted, tombstones = stamp(), read_tombstones()  # in this order: who is forgotten between counts as new again
    rows = unsettled([use_case.users, use_case.items])  # also of tombstones that were taken back
    if not tombstones and not rows:
        return []
    pruned = delete_datasets(use_case, any_of(tombstones), dry_run=dry_run, wanted=wanted)
    pruned += delete_affected(use_case.key, rows, dry_run=dry_run)
    for row in rows:
        request_retraining(use_case.key, row.forgotten_at, dry_run=dry_run)
    forget_popular([use_case.key], partial(tombstones.holds, use_case.items), dry_run=dry_run)
    if not dry_run:
        settle()
    return pruned


def settle() -> None:
    """Note of which users no version is left that learned from them, in any use case."""
    now = current_time()
    for model in {model for use_case in all_use_cases() for model in (use_case.users, use_case.items)}:
        keys = [use_case.key for use_case in use_cases_with(model)]
        for row in unsettled([model]):
            _settle(row, keys, now)


def use_cases_with(model: type) -> list[UseCase]:
    """Return the use cases whose users or items are objects of a model, by key."""
    label = label_of(model)
    return [each for each in all_use_cases() if label in (label_of(each.users), label_of(each.items))]


def _settle(row: ForgottenUser, use_case_keys: Sequence[str], now: datetime) -> None:
    with atomic():
        own = ForgottenUser.objects.filter(pk=row.pk)
        list(own.select_for_update())  # a version that is being registered comes before, or unsettles it after
        if not any(has_affected(key, row.forgotten_at) for key in use_case_keys):
            own.update(versions_gone_at=now)
