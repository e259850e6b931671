"""Which trainings are due, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.models import TrainingRun
from recommender_app.registry.database import current_time
from recommender_app.schedule import PERIODS, beat_schedule, slot_of, task_routes
from recommender_app.training import requested
from recommender_app.training.requested import request_due_runs, send_runs
from recommender_app.training.watchdog import look_after_runs
from tests.app import readings

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch, settings):
    """A clock to set; popularity is due daily."""
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINING_SCHEDULE": {"popular": "daily"}}

    def set_to(moment):
        monkeypatch.setattr(requested, "current_time", lambda: moment)

    set_to(NOON)
    return set_to


def runs():
    return [(run.slot, run.status) for run in TrainingRun.objects.filter(use_case="books").order_by("pk")]


@pytest.mark.parametrize(
    ("period", "slot"),
    [("hourly", "2026-11-24T12"), ("daily", "2026-11-24"), ("weekly", "2026-W48"), ("monthly", "2026-11")],
)
def test_slots_are_named_after_the_utc_calendar(period, slot):
    assert slot_of(period, NOON) == slot
    assert slot_of(period, NOON.astimezone(timezone(timedelta(hours=14)))) == slot


def test_the_first_days_of_january_belong_to_the_last_week():
    assert slot_of("weekly", datetime(2027, 1, 1, tzinfo=UTC)) == "2026-W53"
    assert slot_of("weekly", datetime(2027, 1, 4, tzinfo=UTC)) == "2027-W01"


@given(st.integers(0, 100 * 365 * 24), st.sampled_from(sorted(PERIODS)))
def test_later_slots_have_later_names(n_hours, period):
    first = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(hours=n_hours)
    assert slot_of(period, first) <= slot_of(period, first + timedelta(hours=1))


def test_row_44_the_hour_that_comes_twice_has_two_slots_and_the_missing_one_none():
    before, after = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN)
    assert [slot_of("hourly", moment) for moment in (before, after)] == ["2026-10-25T00", "2026-10-25T01"]
    spring = [datetime(2026, 3, 29, hour, 59, tzinfo=BERLIN) for hour in (1, 3)]
    assert [slot_of("hourly", moment) for moment in spring] == ["2026-03-29T00", "2026-03-29T01"]


@pytest.mark.django_db
def test_row_44_a_clock_that_jumps_back_repeats_nothing(clock):
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    for minutes in (-5, 5, -55, 10, 65):
        clock(midnight + timedelta(minutes=minutes))
        request_due_runs()
    assert runs() == [("2026-11-24", "requested"), ("2026-11-25", "requested")]


@pytest.mark.django_db
def test_missed_slots_are_not_made_up_for(clock):
    assert request_due_runs() > 0
    clock(NOON + timedelta(days=30))
    request_due_runs()
    assert [slot for slot, _ in runs()] == ["2026-11-24", "2026-12-24"]


@pytest.mark.django_db
def test_a_slot_that_failed_is_not_tried_again(clock):
    request_due_runs()
    TrainingRun.objects.update(status="failed")
    assert request_due_runs() == 0


@pytest.mark.django_db
def test_what_has_no_trainer_is_never_due(clock, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only()}
    assert request_due_runs() == 0


@pytest.mark.django_db
def test_a_round_rescues_asks_and_sends(clock):
    sent = []
    first = look_after_runs(sent.append)
    assert (first.n_rescued, first.n_requested, first.n_sent) == (0, len(sent), len(sent))
    assert sent
    assert str(look_after_runs(sent.append)) == "0 rescued, 0 due, 0 sent"


@pytest.mark.django_db
def test_row_25_a_run_that_could_not_be_sent_is_sent_in_the_next_round(clock):
    request_due_runs()
    n = TrainingRun.objects.count()

    def refuse(run):
        raise ConnectionError("refused")

    with pytest.raises(ConnectionError):
        send_runs(refuse)
    assert send_runs(lambda run: None) == n


@pytest.mark.django_db
def test_the_clock_is_the_databases():
    assert current_time().tzinfo is not None
    assert abs(current_time() - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_beat_sends_is_routed_and_expires_before_the_next():
    for entry in beat_schedule(dispatch_seconds=10).values():
        assert entry["options"]["expires"] < entry["schedule"]
    routes = task_routes()
    assert routes["recommender.train"]["queue"] != routes["recommender.*"]["queue"]
