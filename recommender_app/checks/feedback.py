"""Mistakes in what a use case says about posted events and about whom it learns from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import DateField, QuerySet

from recommender_app.checks.lookups import UnknownField, find_field
from recommender_app.checks.messages import closest, error
from recommender_app.measurement.events import MEASURED, can_undo
from recommender_app.serving.database import NONSENSE
from recommender_app.usecases.declaration import UseCase


def feedback_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return what is wrong with what a use case says of posted events, of whom it learns from, and of visitors."""
    return [*_undo(use_case), *_window(use_case), *_joined_at(use_case), *_cap(use_case), *_visitors(use_case)]


def _undo(use_case: UseCase) -> list[CheckMessage]:
    undo: Any = use_case.undo
    hint = 'Write undo = {"unlike": "like"}: the new event, and the one that it takes back.'
    if not isinstance(undo, Mapping) or not all(
        isinstance(text, str) and text for pair in undo.items() for text in pair
    ):
        return [error(35, use_case, f"undo is {undo!r}.", hint)]
    if not isinstance(use_case.weights, Mapping):
        return []  # told elsewhere
    taken = {*use_case.weights, *MEASURED}
    problems: list[CheckMessage] = [
        error(35, use_case, f"undo calls an event {name!r}, which means something else already.", hint)
        for name in undo
        if name in taken
    ]
    problems += [
        error(35, use_case, f"undo takes back {event!r}, which has no weight.", closest(event, use_case.weights))
        for event in undo.values()
        if event not in use_case.weights
    ]
    if undo and not problems and not can_undo(use_case):
        message = "undo is declared, but nobody says how a row is taken back."
        problems.append(error(35, use_case, message, "Implement undo_event(self, user, item, event)."))
    return problems


def _window(use_case: UseCase) -> list[CheckMessage]:
    window: Any = use_case.attribution_window
    if isinstance(window, timedelta) and window > timedelta(0):
        return []
    hint = "Write attribution_window = timedelta(hours=24), or leave it out."
    return [error(36, use_case, f"attribution_window is {window!r}.", hint)]


def _joined_at(use_case: UseCase) -> list[CheckMessage]:
    name = use_case.joined_at
    if name is None:
        return []
    hint = "Name the date of the user that says since when the account is there, such as created_at, or None."
    try:
        field = find_field(use_case.users, name)
    except UnknownField as problem:
        return [error(37, use_case, f"joined_at cannot be read: {problem}.", f"{problem.hint} {hint}")]
    if isinstance(field, DateField):  # DateTimeField is one
        return []
    return [error(37, use_case, f"joined_at={name!r} is a {type(field).__name__}, not a time.", hint)]


def _cap(use_case: UseCase) -> list[CheckMessage]:
    most: Any = use_case.max_events_per_user_day
    if most is None or (isinstance(most, int) and not isinstance(most, bool) and most >= 0):
        return []
    hint = "Write a whole number, 0 for no cap, or leave it out for the setting MAX_EVENTS_PER_USER_DAY."
    return [error(38, use_case, f"max_events_per_user_day is {most!r}.", hint)]


def _visitors(use_case: UseCase) -> list[CheckMessage]:
    """Whoever lets visitors in must say what they may see: ``get_items(None)`` is asked, and not evaluated."""
    names = [name for name in ("allow_anonymous", "allow_anonymous_lists") if getattr(use_case, name)]
    if not names:
        return []
    hint = "Return what anybody may see where user is None, such as the published items, or none()."
    try:
        items: Any = use_case.get_items(None)
    except (*NONSENSE, ObjectDoesNotExist) as problem:
        said = " ".join(str(problem).split())
        message = f"{names[0]} is on, and get_items(None) fails: {type(problem).__name__}: {said}"
        return [error(39, use_case, message, hint)]
    if isinstance(items, QuerySet):
        return []
    return [error(39, use_case, f"{names[0]} is on, and get_items(None) returns a {type(items).__name__}.", hint)]
