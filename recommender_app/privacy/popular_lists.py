"""Verdicts of the gate keep the most popular items for the next one: people, where people are recommended."""

from __future__ import annotations

from recommender_app.models import ModelVersion
from recommender_app.privacy.report import REMOVED, Report
from recommender_app.privacy.subject import Subject
from recommender_app.registry import verdicts


def forget_popular(subject: Subject, report: Report) -> None:
    """Take the person out of the lists; the gate leaves out who is gone anyway.

    The verdict of a training that runs now comes later: the janitor looks again.
    """
    keys = [use_case.key for use_case in subject.shown_in]
    n_rows = verdicts.forget_popular(keys, lambda key: key == subject.text, dry_run=report.is_dry_run)
    report.add("lists of popular items in verdicts", ModelVersion._meta.db_table, REMOVED, n_rows)
