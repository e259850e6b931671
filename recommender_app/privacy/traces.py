"""Whether anything is held on a person, and whether any version can have learned from them."""

from __future__ import annotations

from pathlib import Path

from recommender_app.conf import settings
from recommender_app.exceptions import DatasetError, UserNotFound
from recommender_app.models import ForgottenUser, TrainingRun
from recommender_app.privacy.app_rows import shown_results
from recommender_app.privacy.holders import holders, item_holders, rows_about_item, rows_of
from recommender_app.privacy.host_rows import count_host_rows
from recommender_app.privacy.rules import count_in_rules
from recommender_app.privacy.spool import count_spooled
from recommender_app.privacy.subject import Subject
from recommender_app.training.forgotten_datasets import held_by, one_of
from recommender_app.training.forgotten_versions import affected_versions
from recommender_app.training.retention import dataset_folders
from recommender_app.usecases.declaration import UseCase


def check_known(subject: Subject) -> None:
    """Raise UserNotFound, before anything is changed, for a key that nobody has and nothing is held on.

    A mistyped one would be the key of an account to come, which nothing would ever learn from.
    """
    if subject.exists or has_traces(subject):
        return
    raise UserNotFound(
        f"Nothing was changed: no {subject.label} has the key {subject.text}, and nothing is held on it. If it is "
        "right and the person is deleted in your tables already: --deleted-already."
    )


def has_traces(subject: Subject) -> bool:
    """Tell whether a row of the app or the host, a line of the spool or a dataset names the person."""
    if any(rows_of(model, subject.use_cases, subject.text).exists() for model in holders()):
        return True
    if subject.shown_in and any(
        rows_about_item(model, subject.shown_in, subject.text).exists() for model in item_holders()
    ):
        return True
    if any(count_host_rows(use_case, subject) for use_case in subject.use_cases):
        return True
    if count_spooled(subject) or count_in_rules(subject) or (subject.shown_in and shown_results(subject).exists()):
        return True
    return any(_holds(each, folder, subject) for each in _use_cases(subject) for folder in dataset_folders(each.key))


def may_be_learned_from(subject: Subject, tombstone: ForgottenUser) -> bool:
    """Tell whether a version, or a training that runs, can have learned from the person.

    It cannot where every version that was trained before has its dataset still, and none of those
    holds the id. Of a dataset that is gone, or cannot be read, nobody can tell.
    """
    running = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING, started_at__lt=tombstone.forgotten_at)
    if running.filter(use_case__in=[each.key for each in _use_cases(subject)]).exists():
        return True
    return any(
        _holds(use_case, _folder(use_case, name), subject, unreadable=True)
        for use_case in _use_cases(subject)
        for name in {each.dataset_fingerprint for each in affected_versions(use_case.key, tombstone.forgotten_at)}
    )


def _use_cases(subject: Subject) -> list[UseCase]:
    return list({each.key: each for each in (*subject.use_cases, *subject.shown_in)}.values())


def _folder(use_case: UseCase, fingerprint: str) -> Path:
    return settings.artifact_root / "datasets" / use_case.key / (fingerprint or "unknown")


def _holds(use_case: UseCase, folder: Path, subject: Subject, *, unreadable: bool = False) -> bool:
    try:
        return held_by(use_case, folder, one_of(subject.model, subject.user_id))
    except DatasetError:
        return unreadable
