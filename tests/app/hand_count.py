"""The sums of a day, counted the long way round: by looking at everything again for each number."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

START, END = datetime.fromisoformat("2026-03-10T00:00+00:00"), datetime.fromisoformat("2026-03-11T00:00+00:00")
PAUSE, FOLLOWED, WINDOW = timedelta(minutes=30), timedelta(hours=2), timedelta(hours=24)


class Told(NamedTuple):
    """An answer, as the test made it."""

    user: str
    at: datetime
    request_id: Any
    group: tuple[Any, ...]
    items: list[str]
    is_fallback: bool


class Did(NamedTuple):
    """A posted event that was not undone."""

    user: str
    item: str
    name: str
    at: datetime
    request_id: Any
    rating: int | None


def counted(answers: list[Told], events: list[Did]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return {(user, *group): sums} of the day."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for answer in answers:
        if START <= answer.at < END:
            row = found.setdefault((answer.user, *answer.group), {"items": set()})
            _add(row, requests=1, fallbacks=answer.is_fallback)
            different = {item for item in answer.items if item}
            _add(row, impressions=len(different) + sum(item == "" for item in answer.items))
            row["items"] |= different
            for item in different:
                _add_outcome(row, [event for event in events if _is_due(event, answer, item, answers)])
    for user in {answer.user for answer in answers} - {""}:
        for visit in _visits(user, answers, events):
            shown = [act.group for act in visit if isinstance(act, Told)]
            if shown and START <= visit[0].at < END:
                row = found.setdefault((user, *shown[0]), {"items": set()})
                _add(row, sessions=1, session_seconds=(visit[-1].at - visit[0].at).total_seconds())
    return found


def _add(row: dict[str, Any], **amounts: float) -> None:
    for name, amount in amounts.items():
        row[name] = row.get(name, 0) + amount


def _is_due(event: Did, answer: Told, item: str, answers: list[Told]) -> bool:
    if (event.user, event.item) != (answer.user, item):
        return False
    if event.request_id:
        return event.request_id == answer.request_id
    before = [other for other in answers if other.user == event.user and item in other.items and other.at <= event.at]
    last = max(before, key=lambda other: (other.at, str(other.request_id)), default=None)
    return last is answer and event.at - answer.at <= WINDOW


def _add_outcome(row: dict[str, Any], events: list[Did]) -> None:
    events = sorted(events, key=lambda event: event.at)
    names = [event.name for event in events]
    opinions = [name for name in names if name in ("like", "dislike")]
    ratings = [event.rating for event in events if event.name == "rating"]
    _add(row, seen="impression" in names, clicks="click" in names, conversions="finish" in names)
    _add(row, likes=opinions[-1:] == ["like"], dislikes=opinions[-1:] == ["dislike"])
    _add(row, ratings=bool(ratings), ratings_sum=ratings[-1] if ratings else 0)


def _visits(user: str, answers: list[Told], events: list[Did]) -> list[list[Any]]:
    acts = [act for act in (*answers, *events) if act.user == user and START - PAUSE <= act.at < END + FOLLOWED]
    visits: list[list[Any]] = []
    for act in sorted(acts, key=lambda act: act.at):
        if visits and act.at - visits[-1][-1].at <= PAUSE:
            visits[-1].append(act)
        else:
            visits.append([act])
    return visits
