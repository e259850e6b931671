"""Old posted events go in small steps; what still counts stays, and an id is known while it may come again."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender_app.exceptions import MeasurementError
from recommender_app.management.log_upkeep import trim_request_log
from recommender_app.measurement import event_retention
from recommender_app.measurement.checking import OLDEST
from recommender_app.measurement.event_retention import trim_events
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.models import FeedbackEvent, RequestLog
from recommender_app.usecases.site import get_use_case
from tests.app.measured import answer, event, roll_up

pytestmark = pytest.mark.django_db


def add(*ages_days):
    """Add events that were received so long ago, in this order."""
    for age in ages_days:
        moment = timezone.now() - timedelta(days=age)
        event("ann", "tea", "like", received_at=moment)
        FeedbackEvent.objects.filter(received_at=moment).update(occurred_at=moment)


def ages():
    now = timezone.now()
    return [round((now - row.received_at).total_seconds() / 86_400) for row in FeedbackEvent.objects.order_by("pk")]


def test_events_are_kept_for_a_year_unless_the_site_says_otherwise(settings):
    add(400, 366, 364, 30, 0)
    assert trim_events() == 2
    assert ages() == [364, 30, 0]
    settings.RECOMMENDER = {**settings.RECOMMENDER, "EVENT_RETENTION_DAYS": None}
    assert trim_events() == 0
    settings.RECOMMENDER = {**settings.RECOMMENDER, "EVENT_RETENTION_DAYS": 8}
    assert trim_events() == 2
    assert ages() == [0]


def test_the_shortest_retention_outlasts_the_time_in_which_an_event_is_taken():
    assert timedelta(days=8) > OLDEST


def test_what_is_not_summed_up_yet_stays():
    add(500, 450, 400)
    assert trim_events(not_beyond=timezone.now() - timedelta(days=420)) == 2
    assert ages() == [400]


def test_events_of_a_day_that_may_change_stay(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "EVENT_RETENTION_DAYS": 8, "LOG_RETENTION_DAYS": None}
    moment = timezone.now() - timedelta(days=12)
    answer("ann", "tea")
    RequestLog.objects.update(created_at=moment)
    add(12)
    roll_up_day(get_use_case("books"), moment.date())
    trim_request_log()
    assert ages() == [12]


def test_each_step_deletes_one_range_of_keys_and_the_first_young_event_ends_it(monkeypatch):
    monkeypatch.setattr(event_retention, "CHUNK", 2)
    add(*[400] * 5, *[1] * 6)
    with CaptureQueriesContext(connection) as captured:
        assert trim_events() == 5
    deletes = [query["sql"] for query in captured if query["sql"].startswith("DELETE")]
    assert len(deletes) == 3
    assert all('"id" >=' in sql and '"id" <' in sql for sql in deletes)
    assert len([query for query in captured if "recommender_app_feedbackevent" in query["sql"]]) < 14


def test_a_day_whose_events_are_gone_keeps_its_roll_ups(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "EVENT_RETENTION_DAYS": 8, "LOG_RETENTION_DAYS": None}
    request = answer("ann", "tea")
    click = event("ann", "tea", "click", hours=1, request_id=request)
    FeedbackEvent.objects.update(received_at=click.occurred_at)
    roll_up()  # long after: the day is settled
    trim_request_log()
    assert not FeedbackEvent.objects.exists()
    assert RequestLog.objects.exists()
    with pytest.raises(MeasurementError, match="or its events are deleted"):
        roll_up()
