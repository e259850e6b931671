"""Verdicts of the gate keep the most popular items for the next one: people, where people are recommended."""

from __future__ import annotations

from typing import Any

from recommender_app.models import ModelVersion
from recommender_app.privacy.report import REMOVED, Report
from recommender_app.privacy.subject import Subject

POPULAR = "popular"  # see ``training.gate_data.DataProfile``


def forget_popular(subject: Subject, report: Report) -> None:
    """Take the person out of the lists; the gate leaves out who is gone anyway."""
    keys = [use_case.key for use_case in subject.shown_in]
    n_rows = 0
    for version in ModelVersion.objects.filter(use_case__in=keys, gate__isnull=False).only("gate").iterator():
        without = _without(version.gate, subject.text)
        if without != version.gate:
            n_rows += 1
            if not report.is_dry_run:
                ModelVersion.objects.filter(pk=version.pk).update(gate=without)
    report.add("lists of popular items in verdicts", ModelVersion._meta.db_table, REMOVED, n_rows)


def _without(value: Any, text: str) -> Any:
    """Return JSON without an id in any list called POPULAR."""
    if isinstance(value, list):
        return [_without(each, text) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        if name == POPULAR and isinstance(inner, list):
            inner = [each for each in inner if each != text]
        found[name] = _without(inner, text)
    return found
