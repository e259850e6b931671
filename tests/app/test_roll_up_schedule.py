"""Which days are due, and who rolls them up."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from recommender_app import tasks
from recommender_app.management import log_upkeep
from recommender_app.measurement.days import ONE_DAY, Day, day_of
from recommender_app.measurement.schedule import due_days, needed_from, roll_up_due
from recommender_app.measurement.sessions import GAP
from recommender_app.models import RequestLog, RolledUpDay, RollUp
from recommender_app.serving.log_retention import trim_log
from recommender_app.usecases.site import get_use_case
from tests.app.measured import DAY, answer, at

pytestmark = pytest.mark.django_db
BOOKS = get_use_case("books")


def due(now: datetime) -> list[int]:
    """Return the days that are due, counted from DAY."""
    return [(day - DAY).days for day in due_days(BOOKS, now)]


def rolled_up(day: int, hours: float) -> None:
    """Say when a day was rolled up."""
    done = RolledUpDay(use_case="books", day=DAY + day * ONE_DAY, rolled_up_at=at(hours), requests=1)
    RolledUpDay.objects.bulk_create(
        [done], update_conflicts=True, unique_fields=["use_case", "day"], update_fields=["rolled_up_at"]
    )


def test_nothing_is_due_where_nothing_was_answered():
    assert due(at(0)) == []
    assert needed_from([BOOKS]) is None


def test_every_day_since_the_first_answer_is_due_once():
    answer("ann", "tea")
    assert due(at(48)) == [0, 1, 2]
    rolled_up(1, 48)
    assert due(at(48)) == [0, 2]


def test_today_is_due_once_an_hour():
    answer("ann", "tea")
    rolled_up(0, 1)
    assert due(at(1.5)) == []
    assert due(at(2)) == [0]


def test_a_day_that_is_over_is_due_once_a_day_until_nothing_can_be_added():
    answer("ann", "tea")
    for day in range(40):
        rolled_up(day, 1)  # whenever: only day 0 is asked about
    assert 0 in due(at(24))
    rolled_up(0, 24)
    assert 0 not in due(at(30))
    assert 0 in due(at(48))
    rolled_up(0, 24 * 15)
    assert 0 in due(at(24 * 16))
    rolled_up(0, 24 * 16)
    assert 0 not in due(at(24 * 17))
    assert 0 not in due(at(24 * 35))


def test_the_log_is_needed_from_the_first_day_that_may_change():
    answer("ann", "tea")
    assert needed_from([BOOKS]) is None  # this site has never rolled up
    rolled_up(0, 24)
    assert needed_from([BOOKS]) == at(-12.5)
    rolled_up(0, 24 * 20)
    assert needed_from([BOOKS]) == at(11.5)


def answered_days_ago(days: float) -> None:
    answer("ann", "tea")
    newest = RequestLog.objects.latest("pk")
    RequestLog.objects.filter(pk=newest.pk).update(created_at=timezone.now() - timedelta(days=days))


def test_the_task_rolls_up_what_is_due():
    answered_days_ago(1)
    assert tasks.roll_up() >= 2
    assert RollUp.objects.get().requests == 1
    assert tasks.roll_up() == 0


def test_so_does_the_process_without_a_broker(monkeypatch, settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_DIR": str(tmp_path)}  # nobody else's rows
    answered_days_ago(1)
    monkeypatch.setattr(log_upkeep, "_trimmed_at", float("-inf"))
    log_upkeep.look_after_log()
    assert RollUp.objects.get().requests == 1


def test_no_day_is_begun_when_the_time_is_up():
    answered_days_ago(3)
    assert list(roll_up_due([BOOKS], seconds=0)) == []
    assert len(list(roll_up_due([BOOKS], seconds=60))) == 4


def test_rows_that_no_roll_up_holds_yet_are_not_trimmed(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "LOG_RETENTION_DAYS": 2.0}
    answered_days_ago(40)
    answered_days_ago(5)
    list(roll_up_due([BOOKS]))
    assert RequestLog.objects.count() == 2
    log_upkeep.trim_request_log()
    kept = RequestLog.objects.get()
    assert (timezone.now() - kept.created_at).days == 5


def test_a_trimmed_day_is_not_due_again_and_keeps_no_other_from_it():
    today = day_of(timezone.now())
    whole = Day(today - 2 * ONE_DAY).start - GAP
    answered_days_ago(4)
    list(roll_up_due([BOOKS]))
    RolledUpDay.objects.update(rolled_up_at=timezone.now() - timedelta(days=2))
    assert len(due_days(BOOKS)) == 5
    assert trim_log(days=1, not_beyond=whole) == 1
    answered_days_ago(4)  # drained late
    assert due_days(BOOKS) == [today - 2 * ONE_DAY, today - ONE_DAY, today]
    assert needed_from([BOOKS]) == whole
