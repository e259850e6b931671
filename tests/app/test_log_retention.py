"""Old rows of the request log go, in small steps; what others still need stays."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender_app.models import FeedbackEvent, RequestLog
from recommender_app.serving import log_retention
from recommender_app.serving.log_retention import trim_log
from tests.app.measured import event

pytestmark = pytest.mark.django_db


def add(*ages_days):
    """Add rows that old, in this order."""
    now, counts = timezone.now(), {"requested_limit": 5, "n_results": 0}
    named = {"use_case": "books", "engine": "als"}
    RequestLog.objects.bulk_create(
        RequestLog(request_id=uuid4(), created_at=now - timedelta(days=age), **counts, **named) for age in ages_days
    )


def ages():
    now = timezone.now()
    return [round((now - row.created_at).total_seconds() / 86_400) for row in RequestLog.objects.order_by("pk")]


def test_rows_beyond_the_retention_go_and_the_others_stay(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "LOG_RETENTION_DAYS": 30}
    add(100, 40, 31, 29, 0)
    assert trim_log() == 3
    assert ages() == [29, 0]
    assert trim_log() == 0


def test_ninety_days_are_kept_unless_somebody_says_otherwise():
    add(91, 89)
    assert trim_log() == 1
    assert ages() == [89]


def test_nothing_goes_where_the_log_is_kept_for_ever(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "LOG_RETENTION_DAYS": None}
    add(5000)
    assert trim_log() == 0
    assert trim_log(days=100) == 1


def test_what_is_not_summed_up_yet_stays():
    add(200, 150, 100)
    assert trim_log(not_beyond=timezone.now() - timedelta(days=120)) == 2
    assert ages() == [100]


def test_a_young_row_among_old_keys_stays():
    add(100, 1, 100)
    assert trim_log() == 2
    assert ages() == [1]


def test_a_row_that_came_late_from_the_spool_goes_with_the_next_run():
    add(100, 95, 80, 98, 10)  # the fourth has a key beyond those of younger rows
    assert trim_log() == 2
    assert ages() == [80, 98, 10]
    assert trim_log() == 1
    assert ages() == [80, 10]


def test_each_step_deletes_one_range_of_keys_and_skips_gaps(monkeypatch):
    monkeypatch.setattr(log_retention, "CHUNK", 4)
    add(*[100] * 10)
    keys = list(RequestLog.objects.order_by("pk").values_list("pk", flat=True))
    RequestLog.objects.filter(pk=keys[-1]).update(id=keys[-1] + 10_000_000)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert trim_log() == 10
    deletes = [query["sql"] for query in captured if query["sql"].startswith("DELETE")]
    assert len(deletes) == 4  # 4, 4, 1 and the one behind the gap
    assert all('"id" >=' in sql and '"id" <' in sql for sql in deletes)


def test_steps_that_take_long_become_smaller(monkeypatch):
    monkeypatch.setattr(log_retention, "CHUNK", 4)
    monkeypatch.setattr(log_retention, "LEAST_CHUNK", 1)
    monkeypatch.setattr(log_retention, "MOST_SECONDS", -1.0)
    add(*[100] * 10)
    with CaptureQueriesContext(connection) as captured:
        assert trim_log() == 10
    assert sum(query["sql"].startswith("DELETE") for query in captured) == 6  # of 4, 2, 1, 1, 1 and 1 rows


def test_the_command_deletes_or_counts():
    def told(*arguments):
        out = io.StringIO()
        call_command("recommender_trim_log", *arguments, stdout=out)
        return out.getvalue().strip()

    add(100, 40, 1)
    event("ann", "tea", "like", received_at=timezone.now() - timedelta(days=366))
    events = "1 posted events and 0 events of before a login"
    assert told("--dry-run") == f"1 rows of the request log, {events} would be deleted."
    assert told("--days", "30", "--dry-run") == f"2 rows of the request log, {events} would be deleted."
    assert (ages(), FeedbackEvent.objects.count()) == ([100, 40, 1], 1)
    assert told() == f"1 rows of the request log, {events} are deleted."
    assert (ages(), FeedbackEvent.objects.count()) == ([40, 1], 0)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "1e9"])
def test_the_command_refuses_days_that_make_no_sense(days):
    with pytest.raises(CommandError, match="--days must be a number above 0"):
        call_command("recommender_trim_log", f"--days={days}", stdout=io.StringIO())
