"""The sums of one user's day: pure, no query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from recommender_app.measurement.actions import Deed
from recommender_app.measurement.answers import Group, LoggedAnswer
from recommender_app.measurement.attribution import Exposure, attribute
from recommender_app.measurement.days import Day
from recommender_app.measurement.latency import as_json, bucket_of
from recommender_app.measurement.sessions import FOLLOWED, GAP, sessions_of
from recommender_app.measurement.shapes import BLANK
from recommender_app.models import RollUp
from recommender_app.usecases.declaration import UseCase

SEEN, CLICK, LIKE, DISLIKE, RATING = "impression", "click", "like", "dislike", "rating"


@dataclass
class GroupDay:
    """One user's day in one group."""

    row: RollUp
    latencies: Counter[int] = field(default_factory=Counter)
    items: set[str] = field(default_factory=set)


def user_day(
    use_case: UseCase,
    day: Day,
    answers: Sequence[LoggedAnswer],
    later: Sequence[LoggedAnswer],
    deeds: Sequence[Deed],
) -> dict[Group, GroupDay]:
    """Return a user's sums of a day, by group.

    Args:
        answers: of the day, and of the time around it that ``sessions`` looks at; at least one.
        later: further answers, which what happens afterwards may be due to.
        deeds: what the user did from then on.
    """
    found: dict[Group, GroupDay] = {}
    user_id = answers[0].user_id
    start, end = day.start, day.end
    of_day = [answer for answer in answers if start <= answer.at < end]
    for answer in of_day:
        _count_answer(_group(found, use_case, day, user_id, answer.group), answer)
    if deeds:
        _count_deeds(found, use_case, of_day, [*answers, *later], deeds)
    if user_id != BLANK:  # visits of several people cannot be told apart
        _count_sessions(found, use_case, day, answers, deeds)
    for each in found.values():
        each.row.latencies, each.row.distinct_items = as_json(each.latencies), len(each.items)
    return found


def _group(found: dict[Group, GroupDay], use_case: UseCase, day: Day, user_id: str, group: Group) -> GroupDay:
    known = found.get(group)
    if known is None:
        row = RollUp(use_case=use_case.key, day=day.date, user_id=user_id, **group._asdict())
        known = found[group] = GroupDay(row)
    return known


def _count_answer(into: GroupDay, answer: LoggedAnswer) -> None:
    row = into.row
    row.requests += 1
    row.fallbacks += answer.is_fallback
    different = set(answer.items) - {BLANK}
    row.impressions += len(different) + answer.items.count(BLANK)  # each blank was somebody of their own
    into.items.update(different)
    if answer.latency_ms is not None:
        row.latency_ms_sum += answer.latency_ms
        into.latencies[bucket_of(answer.latency_ms)] += 1
    if answer.diversity is not None:
        row.diversity_sum += answer.diversity
        row.diversities += 1


def _count_deeds(
    found: dict[Group, GroupDay],
    use_case: UseCase,
    of_day: Sequence[LoggedAnswer],
    answers: Sequence[LoggedAnswer],
    deeds: Sequence[Deed],
) -> None:
    """Count what came of each shown item once, however often it was done."""
    wanted = {answer.request_id: answer for answer in of_day}
    touched = {deed.action.item_id for deed in deeds} - {BLANK}
    exposures = [
        Exposure(answer.request_id, answer.user_id, item, answer.at)
        for answer in answers
        for item in touched.intersection(answer.items)
    ]
    due_to = attribute((deed.action for deed in deeds), exposures, use_case.attribution_window)
    outcomes: dict[tuple[str, str], list[Deed]] = {}
    for deed, request_id in zip(deeds, due_to, strict=True):
        answer = wanted.get(request_id) if request_id else None
        if answer is not None and deed.action.item_id in touched.intersection(answer.items):
            outcomes.setdefault((answer.request_id, deed.action.item_id), []).append(deed)
    for (request_id, _), done in outcomes.items():
        _count_outcome(found[wanted[request_id].group].row, use_case, done)


def _count_outcome(row: RollUp, use_case: UseCase, done: Iterable[Deed]) -> None:
    """Add what came of one shown item: of opinions and of ratings the last one counts."""
    in_order = sorted(done, key=lambda deed: deed.action.at)
    events = {deed.event for deed in in_order}
    row.seen += SEEN in events
    row.clicks += CLICK in events
    row.conversions += not events.isdisjoint(use_case.conversions)
    opinion = [deed.event for deed in in_order if deed.event in (LIKE, DISLIKE)][-1:]
    row.likes += opinion == [LIKE]
    row.dislikes += opinion == [DISLIKE]
    for rating in [deed.rating for deed in in_order if deed.event == RATING and deed.rating is not None][-1:]:
        row.ratings += 1
        row.ratings_sum += rating


def _count_sessions(
    found: dict[Group, GroupDay], use_case: UseCase, day: Day, answers: Sequence[LoggedAnswer], deeds: Sequence[Deed]
) -> None:
    start, end = day.start, day.end
    since, until = start - GAP, end + FOLLOWED
    acts = [(deed.action.at, None) for deed in deeds if since <= deed.action.at < until]
    for session in sessions_of([*((answer.at, answer.group) for answer in answers), *acts]):
        if start <= session.began_at < end:
            row = _group(found, use_case, day, answers[0].user_id, session.group).row
            row.sessions += 1
            row.session_seconds += session.seconds
