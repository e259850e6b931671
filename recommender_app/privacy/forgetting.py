"""``forget_user``: the one way to forget a person, from the tombstone to the report."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.utils import timezone

from recommender_app.conf import settings
from recommender_app.models import ForgottenUser
from recommender_app.privacy.app_rows import forget_app_rows
from recommender_app.privacy.host_rows import check_hooks, forget_host_rows
from recommender_app.privacy.learned import forget_learned
from recommender_app.privacy.report import Report
from recommender_app.privacy.subject import Subject, subject_of
from recommender_app.privacy.traces import check_known, may_be_learned_from
from recommender_app.registry.tombstones import bury, find_tombstone

ANSWER_SECONDS = 1.0  # for answers that were begun before their process knew


def forget_user(
    use_case_key: str,
    user_id: Any,
    *,
    by: str = "python",
    dry_run: bool = False,
    keep_interactions: bool = False,
    deleted_already: bool = False,
) -> Report:
    """Forget a person in all use cases of the users' model, and return what was removed and what will be.

    The tombstone comes first: from then on, exports leave the user out, and within RELOAD_SECONDS
    no process reads the history or writes the id. This waits for that, so that nothing is written
    behind the deletion. Whatever fails in between, calling again finishes it.

    Args:
        user_id: primary key of the use case's ``users`` model, or its text; the object may be gone.
        by: who did it, for the tombstone.
        dry_run: change nothing, only say what would happen.
        keep_interactions: leave the host's rows alone, also where a use case implements ``forget``.
        deleted_already: the key is right, though the host has no such object and nothing is held on it.

    Raises:
        UnknownUseCase, UserNotFound: see ``subject_of``, ``check_known``.
        ConfigurationError: a use case has no ``forget`` and ``keep_interactions`` was not said.
    """
    subject = subject_of(use_case_key, user_id)
    if not keep_interactions:
        check_hooks(subject)
    known = find_tombstone(subject.model, subject.user_id)
    if not (known or deleted_already):
        check_known(subject)
    tombstone = known or _planned(subject) if dry_run else bury(subject.model, subject.user_id, by=by)
    is_learned_from = may_be_learned_from(subject, tombstone)  # the datasets tell; they go in a moment
    report = Report(subject.label, [use_case.key for use_case in subject.use_cases], dry_run)
    report.forgotten_at = tombstone.forgotten_at
    if not dry_run:
        report.reference = tombstone.digest
        time.sleep(settings.RELOAD_SECONDS + ANSWER_SECONDS)
    forget_host_rows(subject, report, keep=keep_interactions)
    forget_app_rows(subject, report)
    if not is_learned_from and not dry_run:
        tombstone.versions_gone_at = tombstone.versions_gone_at or tombstone.forgotten_at
        tombstone.save(update_fields=["versions_gone_at"])
    forget_learned(subject, tombstone, report, is_learned_from=is_learned_from)
    if not dry_run:
        tombstone.report = report.to_json()
        tombstone.save(update_fields=["report"])
    return report


def _planned(subject: Subject) -> ForgottenUser:
    """Return the tombstone that would be written now."""
    moment = timezone.now()
    due = moment + timedelta(days=settings.FORGOTTEN_VERSIONS_DAYS)
    return ForgottenUser(user_model=subject.label, forgotten_at=moment, versions_due_at=due)
