"""What the host's own tables hold: read as the app reads it, deleted by the host's hook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import router, transaction

from recommender_app.exceptions import ConfigurationError
from recommender_app.privacy.report import KEPT, REMOVED, Report
from recommender_app.privacy.subject import Subject
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rows import EVENT, ITEM, STRENGTH, TIME, USER, interaction_rows

KEEPING = "they stay, as you said; serving and every export ignore them"


def check_hooks(subject: Subject) -> None:
    """Raise ConfigurationError, before anything is changed, where a use case cannot say how its rows go."""
    silent = [use_case.key for use_case in subject.use_cases if type(use_case).forget is UseCase.forget]
    if silent:
        raise ConfigurationError(
            f"Nothing was changed: {', '.join(silent)} do not say how the host's own rows of a user are deleted. "
            "Write forget(user_id) in recommendations.py, or say that the rows stay: --keep-interactions."
        )


def forget_host_rows(subject: Subject, report: Report, *, keep: bool) -> None:
    """Ask each use case to delete what the user did; several may share tables, then the first finds the rows."""
    for use_case in subject.use_cases:
        if keep or report.is_dry_run:
            outcome, note = (KEPT, KEEPING) if keep else (REMOVED, "by the host's forget()")
            report.add("interactions of the host", use_case.key, outcome, count_host_rows(use_case, subject), note=note)
            continue
        with transaction.atomic(using=router.db_for_write(use_case.users)):
            n_removed = int(use_case.forget(subject.user_id) or 0)
        report.add("interactions of the host", use_case.key, REMOVED, n_removed)
        n_left = count_host_rows(use_case, subject)
        if n_left:
            report.add("interactions of the host", use_case.key, KEPT, n_left, note="forget() has left them")


def count_host_rows(use_case: UseCase, subject: Subject) -> int:
    """Return how many interactions the app would read of the user."""
    return sum(rows.count() for rows in _rows(use_case, subject))


def read_host_rows(use_case: UseCase, subject: Subject) -> Iterator[dict[str, Any]]:
    """Yield the interactions as the app reads them."""
    names = ("item", "event", "strength", "at")
    for rows in _rows(use_case, subject):
        for row in rows.order_by(TIME).values_list(ITEM, EVENT, STRENGTH, TIME).iterator():
            yield dict(zip(names, row, strict=True))


def _rows(use_case: UseCase, subject: Subject) -> list[Any]:
    events = tuple({**use_case.weights, **dict.fromkeys(use_case.hide_after, 0.0)})
    return [interaction_rows(source, events).filter(**{USER: subject.user_id}) for source in use_case.sources]
