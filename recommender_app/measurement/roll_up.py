"""One day of a use case, from the request log to the roll-ups: the only place that writes them.

A day is replaced in one transaction: whoever is killed in the middle leaves the day as it was.
Twice gives the same; two at once wait for each other. The log is read once, user by user.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.utils import timezone

from recommender_app.exceptions import MeasurementError
from recommender_app.measurement.actions import Deeds, active_users, deeds_of
from recommender_app.measurement.answer_texts import n_to_copy
from recommender_app.measurement.answers import (
    Group,
    LoggedAnswer,
    UserAnswers,
    answers_by_user,
    answers_of_users,
)
from recommender_app.measurement.days import Day, stored
from recommender_app.measurement.forgotten import leave_out_forgotten
from recommender_app.measurement.kept_answers import KeptAnswers
from recommender_app.measurement.onlookers import write_onlookers
from recommender_app.measurement.sessions import FOLLOWED, GAP
from recommender_app.measurement.shapes import WholeDay
from recommender_app.measurement.trimmed import is_trimmed
from recommender_app.measurement.user_day import GroupDay, user_day
from recommender_app.measurement.writing import insert_rows
from recommender_app.models import RolledUpDay, RollUp, RollUpShape
from recommender_app.registry.database import alias, atomic
from recommender_app.usecases.declaration import UseCase

NAMED_FOLLOWED = timedelta(days=7)  # how long after its day a posted event may name an answer and count
MANY = 20_000  # answers: below, asking what each user did costs less than asking who did anything


def roll_up_day(use_case: UseCase, day: date) -> RolledUpDay:
    """Roll a day up, in place of what was there.

    Raises:
        MeasurementError: retention has deleted rows of the day; what was rolled up before stays.
    """
    with atomic():
        done, is_new = RolledUpDay.objects.using(alias()).get_or_create(
            use_case=use_case.key, day=day, defaults={"rolled_up_at": timezone.now()}
        )
        if not is_new:
            done = RolledUpDay.objects.using(alias()).select_for_update().get(pk=done.pk)
            _check_log_is_there(done)
        done.rolled_up_at = timezone.now()
        for model in (RollUp, RollUpShape):
            model.objects.using(alias()).filter(use_case=use_case.key, day=day).delete()
        _write(use_case, Day(day), done)
        done.save()
        if not is_new:  # a trim that began meanwhile may have taken rows that were not read yet
            _check_log_is_there(done)
        leave_out_forgotten(use_case, day)
    return done


def _check_log_is_there(done: RolledUpDay) -> None:
    if is_trimmed(done.day):
        raise MeasurementError(
            f"The request log no longer holds all of {done.day} of {done.use_case}, or its events are deleted: "
            "its roll-ups stay as they are."
        )


def _write(use_case: UseCase, day: Day, done: RolledUpDay) -> None:
    whole = WholeDay()
    for chunk in _answers_of_active(use_case, day, whole):
        found = list(_sums(use_case, day, chunk))
        for group, each in found:
            whole.add(group, each.row.requests, each.latencies, each.items)
        moments = (answer.at for answers in chunk.values() for answer in answers if day.start <= answer.at < day.end)
        whole.saw(min(moments, default=None))
        insert_rows(RollUp, [each.row for _, each in found])
    done.requests = whole.requests
    done.first_request_at = None if whole.first_at is None else stored(whole.first_at)
    whole.write(use_case.key, day.date)


def _answers_of_active(use_case: UseCase, day: Day, whole: WholeDay) -> Iterator[UserAnswers]:
    """Yield the answers of a day of everybody who may have done something; of many answers, count the others here."""
    since, until = day.start - GAP, day.end + FOLLOWED
    if n_to_copy(use_case.key, since, until) < MANY:
        yield from answers_by_user(use_case.key, since, until)
        return
    active = active_users(use_case, since, *_until(use_case, day))
    with KeptAnswers() as kept:
        write_onlookers(use_case.key, day, active, whole, kept)
        yield from kept.by_user()


def _until(use_case: UseCase, day: Day) -> tuple[datetime, datetime]:
    """Return until when interactions of the host, and posted events, may belong to a day."""
    until = day.end + max(use_case.attribution_window + timedelta(microseconds=1), FOLLOWED)
    return until, max(until, day.end + NAMED_FOLLOWED)


def _sums(use_case: UseCase, day: Day, chunk: UserAnswers) -> Iterator[tuple[Group, GroupDay]]:
    """Yield the sums of every user of a chunk."""
    deeds = deeds_of(use_case, chunk, day.start - GAP, *_until(use_case, day))
    later = _later_answers(use_case, day, deeds, day.end + use_case.attribution_window + timedelta(microseconds=1))
    for user_id, answers in chunk.items():
        yield from user_day(use_case, day, answers, later.get(user_id, ()), deeds.get(user_id, ())).items()


def _later_answers(use_case: UseCase, day: Day, deeds: Deeds, until: datetime) -> dict[str, list[LoggedAnswer]]:
    """Return the answers after the day that came before something the users did: that is due to those."""
    since = day.end + FOLLOWED
    late = {user: [d.action.at for d in done if not d.action.request_id] for user, done in deeds.items()}
    users = [user for user, moments in late.items() if any(since <= moment < until for moment in moments)]
    return answers_of_users(use_case.key, users, since, until)
