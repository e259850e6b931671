"""What the app's own tables and its spool hold of a user."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db import router
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from recommender_app.conf import settings
from recommender_app.models import RequestLog
from recommender_app.privacy.holders import holders, item_holders, rows_about_item, rows_of
from recommender_app.privacy.popular_lists import forget_popular
from recommender_app.privacy.report import LATER, REMOVED, Report
from recommender_app.privacy.rules import forget_in_rules
from recommender_app.privacy.spool import count_spooled, empty_spool
from recommender_app.privacy.subject import Subject

RESULTS = "recommender_results"
CHUNK = 500


def forget_app_rows(subject: Subject, report: Report) -> None:
    """Delete the rows of every holder; where people are recommended, also what names the person as an item."""
    _forget_spooled(subject, report)
    for model in holders():
        _delete(rows_of(model, subject.use_cases, subject.text), model._meta.verbose_name_plural, report)
    for model in item_holders() if subject.shown_in else ():
        named = rows_about_item(model, subject.shown_in, subject.text)
        _delete(named, f"{model._meta.verbose_name_plural} about the person", report)
    if subject.shown_in:
        _blank_results(subject, report)
        forget_popular(subject, report)
        forget_in_rules(subject, report)
    if settings.SLATE_CACHE_SECONDS:
        due = timezone.now() + timedelta(seconds=settings.SLATE_CACHE_SECONDS)
        note = "the user's own are found by nobody any more; others' may name the person as an item until then"
        report.add("cached slates", f"cache {settings.SLATE_CACHE}", LATER, 0, due=due, note=note)


def shown_results(subject: Subject) -> QuerySet[RequestLog]:
    """Return the answers to others in which the person was an item; the database reads the use case's whole log."""
    log = RequestLog.objects.using(router.db_for_write(RequestLog))
    named = log.filter(use_case__in=[use_case.key for use_case in subject.shown_in])
    return named.annotate(**{RESULTS: Cast("results", TextField())}).filter(
        **{f"{RESULTS}__contains": f'"item": {json.dumps(subject.text)}'}
    )


def _forget_spooled(subject: Subject, report: Report) -> None:
    n_spooled = count_spooled(subject)
    if not report.is_dry_run:
        empty_spool(subject)
        n_left = count_spooled(subject)
        if n_left:
            report.add("spool", "", LATER, n_left, note="being written or drained now: the next drain leaves them out")
        n_spooled -= n_left
    report.add("spool", "of this host", REMOVED, max(n_spooled, 0))


def _delete(rows: QuerySet[Any], what: Any, report: Report) -> None:
    n_rows = rows.count() if report.is_dry_run else rows.delete()[0]
    report.add(str(what), rows.model._meta.db_table, REMOVED, n_rows)


def _blank_results(subject: Subject, report: Report) -> None:
    """Take the id out of answers to others; the place stays, so that ranks and counts still hold."""
    rows, n_rows = shown_results(subject), 0
    if report.is_dry_run:
        n_rows = rows.count()
    else:
        for row in rows.only("pk", "results").iterator(chunk_size=CHUNK):
            places = [
                {**place, "item": ""} if str(place.get("item")) == subject.text else place for place in row.results
            ]
            n_rows += RequestLog.objects.filter(pk=row.pk).update(results=places)
    report.add("answers that showed the person", RequestLog._meta.db_table, REMOVED, n_rows, note="the id is blanked")
