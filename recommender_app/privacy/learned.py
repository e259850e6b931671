"""What was exported of a user and learned from it: datasets at once, versions once they are replaced."""

from __future__ import annotations

from recommender_app.models import ForgottenUser
from recommender_app.privacy.report import LATER, REMOVED, Report
from recommender_app.privacy.subject import Subject
from recommender_app.registry.tombstones import unsettled
from recommender_app.training.forgotten import settle
from recommender_app.training.forgotten_datasets import datasets_holding, delete_datasets, one_of
from recommender_app.training.forgotten_staging import delete_staged
from recommender_app.training.forgotten_versions import affected_versions, delete_affected, request_retraining
from recommender_app.usecases.declaration import UseCase

WHEN_READ = "a training reads them now: the janitor deletes them when it has ended"
WHEN_WRITTEN = "somebody writes them now: the janitor deletes what is left of them"
WHEN_REPLACED = "live, pinned, young, or to roll back to: deleted once a version trained from now on is live"


def forget_learned(subject: Subject, tombstone: ForgottenUser, report: Report, *, is_learned_from: bool) -> None:
    """Delete what can go, ask for trainings, and say until when the rest stays."""
    for use_case in {each.key: each for each in (*subject.use_cases, *subject.shown_in)}.values():
        _datasets(use_case, subject, report)
        if is_learned_from:
            _versions(use_case, tombstone, report)
    if not report.is_dry_run:
        settle()


def _datasets(use_case: UseCase, subject: Subject, report: Report) -> None:
    holds = one_of(subject.model, subject.user_id)
    deleted = delete_datasets(use_case, holds, dry_run=report.is_dry_run)
    report.add("datasets", use_case.key, REMOVED, len(deleted), note=", ".join(each.name[:12] for each in deleted))
    waiting = [folder for folder, is_in_use in datasets_holding(use_case, holds) if is_in_use]
    if waiting:
        report.add("datasets", use_case.key, LATER, len(waiting), note=WHEN_READ)
    n_deleted, n_waiting = delete_staged(use_case.key, dry_run=report.is_dry_run)
    if n_deleted:
        report.add("unfinished files", use_case.key, REMOVED, n_deleted)
    if n_waiting:
        report.add("unfinished files", use_case.key, LATER, n_waiting, note=WHEN_WRITTEN)


def _versions(use_case: UseCase, tombstone: ForgottenUser, report: Report) -> None:
    rows = unsettled([use_case.users, use_case.items])
    rows += [tombstone] * (tombstone.pk is None)  # of a dry run
    deleted = delete_affected(use_case.key, rows, dry_run=report.is_dry_run)
    names = ", ".join(each.name for each in deleted)
    report.add("model versions", use_case.key, REMOVED, len(deleted), note=names)
    gone = {each.name for each in deleted}
    left = [each.name for each in affected_versions(use_case.key, tombstone.forgotten_at) if each.name not in gone]
    if left:
        note = f"{', '.join(left)}: {WHEN_REPLACED}"
        report.add("model versions", use_case.key, LATER, len(left), due=tombstone.versions_due_at, note=note)
    engines = request_retraining(use_case.key, tombstone.forgotten_at, dry_run=report.is_dry_run)
    if engines:
        report.add("trainings asked for", use_case.key, LATER, len(engines), note=", ".join(engines))
