"""``export_user``: everything that is held on a person, for an access request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Model

from recommender_app.privacy.app_rows import shown_results
from recommender_app.privacy.holders import holders, rows_of
from recommender_app.privacy.host_rows import read_host_rows
from recommender_app.privacy.rules import count_in_rules
from recommender_app.privacy.subject import Subject, subject_of
from recommender_app.registry.tombstones import read_tombstones
from recommender_app.training.forgotten_datasets import datasets_holding, one_of
from recommender_app.usecases.declaration import UseCase


def export_user(use_case_key: str, user_id: Any) -> dict[str, Any]:
    """Return what the app and, as far as it is declared, the host hold on a user; values are JSON or dates and ids.

    {user_model, user_id, is_forgotten, use_cases: {key: {interactions, host, datasets}},
    tables: {model: rows}, shown_to_others, named_by_rules}: rows with every column; the last two are
    counts. Artifacts hold no ids: nothing in them can be told to be of one person.

    Raises:
        UnknownUseCase, UserNotFound: see ``subject_of``.
    """
    subject = subject_of(use_case_key, user_id)
    return {
        "user_model": subject.label,
        "user_id": subject.text,
        "exists": subject.exists,
        "is_forgotten": read_tombstones().holds(subject.model, subject.user_id),
        "use_cases": {use_case.key: _of_host(use_case, subject) for use_case in subject.use_cases},
        "tables": {model.__name__: list(_rows(model, subject)) for model in holders()},
        "shown_to_others": shown_results(subject).count() if subject.shown_in else 0,
        "named_by_rules": count_in_rules(subject),
    }


def _of_host(use_case: UseCase, subject: Subject) -> dict[str, Any]:
    holds = one_of(subject.model, subject.user_id)
    return {
        "interactions": list(read_host_rows(use_case, subject)),
        "host": use_case.export_user(subject.user_id),
        "datasets": [folder.name for folder, _ in datasets_holding(use_case, holds)],
    }


def _rows(model: type[Model], subject: Subject) -> Iterator[dict[str, Any]]:
    yield from rows_of(model, subject.use_cases, subject.text).order_by("pk").values().iterator()
