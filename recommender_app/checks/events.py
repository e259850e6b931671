"""Mistakes in events and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from django.core.checks import CheckMessage
from django.db.models import Case, F, Value

from recommender_app.checks.lookups import UnknownField, find_field
from recommender_app.checks.messages import closest, error
from recommender_app.checks.values import is_number
from recommender_app.dataset.interactions import MAX_ABSOLUTE_WEIGHT
from recommender_app.dataset.pairs import PairWeighting
from recommender_app.usecases.declaration import Interactions, UseCase

NAMING = ("conversions", "relevant_events", "hide_after")


def event_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return what is wrong with weights and with the events that other attributes name."""
    problems = [*_weights(use_case), *_lists(use_case), *_combination(use_case)]
    return problems or [*_unknown(use_case), *_unweighted(use_case), *_unhidden(use_case)]


def _weights(use_case: UseCase) -> list[CheckMessage]:
    weights: Any = use_case.weights
    hint = 'Write weights = {"view": 0.5, "like": 2.0, "dislike": -1.0}: one number per event, negative for dislikes.'
    if not isinstance(weights, Mapping) or not weights:
        return [error(30, use_case, "The use case has no weights.", hint)]
    if not all(isinstance(event, str) and event for event in weights):
        return [error(30, use_case, "weights has keys that are no names of events.", hint)]
    problems: list[CheckMessage] = [
        error(30, use_case, f"The weight of {event!r} is {weight!r}.", f"Use a number up to {MAX_ABSOLUTE_WEIGHT:g}.")
        for event, weight in weights.items()
        if not is_number(weight) or abs(weight) > MAX_ABSOLUTE_WEIGHT
    ]
    if not problems and max(weights.values()) <= 0:
        return [error(30, use_case, "No event has a weight above 0: there is nothing to learn from.", hint)]
    return problems


def _lists(use_case: UseCase) -> list[CheckMessage]:
    return [
        error(34, use_case, f"{name} is {getattr(use_case, name)!r}.", f'Write {name} = ("like",), with the comma.')
        for name in NAMING
        if not is_names(getattr(use_case, name))
    ]


def _combination(use_case: UseCase) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    half_life, ways = use_case.half_life_days, get_args(PairWeighting)
    if half_life is not None and (not is_number(half_life) or half_life <= 0):
        problems.append(error(34, use_case, f"half_life_days is {half_life!r}.", "Use days above 0, or None."))
    if use_case.pair_weighting not in ways:
        hint = closest(use_case.pair_weighting, ways)
        problems.append(error(34, use_case, f"pair_weighting is {use_case.pair_weighting!r}.", hint))
    return problems


def _unknown(use_case: UseCase) -> list[CheckMessage]:
    """Weights for events that no table can hold, and constant events without a weight: spelling mistakes."""
    constants = {source.event.value for source in use_case.sources if isinstance(source.event, Value)}
    problems: list[CheckMessage] = [
        error(
            31, use_case, f"The event {event!r} has no weight: its table is never read.", f"Add {event!r} to weights."
        )
        for event in sorted(constants - set(use_case.weights) - set(use_case.hide_after), key=str)
    ]
    possible, are_all = known_events(use_case)
    if not are_all:
        return problems
    return problems + [
        error(
            31, use_case, f"weights names the event {event!r}, which no interaction can be.", closest(event, possible)
        )
        for event in use_case.weights
        if event not in possible
    ]


def _unweighted(use_case: UseCase) -> list[CheckMessage]:
    return [
        error(32, use_case, f"{name} names {event!r}, which has no weight above 0.", closest(event, use_case.weights))
        for name in ("conversions", "relevant_events")
        for event in getattr(use_case, name)
        if use_case.weights.get(event, 0) <= 0
    ]


def _unhidden(use_case: UseCase) -> list[CheckMessage]:
    """An event may hide without a weight, but a name that never occurs hides nothing."""
    known = known_events(use_case)[0] | set(use_case.weights)
    return [
        error(33, use_case, f"hide_after names {event!r}, which no interaction can be.", closest(event, known))
        for event in use_case.hide_after
        if event not in known
    ]


def known_events(use_case: UseCase) -> tuple[set[str], bool]:
    """Return the events that the declaration tells of, and whether the tables can hold no others."""
    sets = [_events_of(source) for source in use_case.sources]
    known = [events for events in sets if events is not None]
    return set().union(*known), len(known) == len(sets)


def _events_of(source: Interactions) -> set[str] | None:
    event: Any = source.event
    if isinstance(event, Value):
        return {event.value}
    if isinstance(event, Case):
        results = [*(case.result for case in event.cases), event.default]
        return {result.value for result in results} - {None} if all(isinstance(r, Value) for r in results) else None
    if not isinstance(event, str | F):
        return None
    try:
        field = find_field(source.model, event if isinstance(event, str) else event.name)  # type: ignore[attr-defined]
    except UnknownField:
        return None
    choices = getattr(field, "flatchoices", None)
    return {str(value) for value, _ in choices} if choices else None


def is_names(value: Any) -> bool:
    """Tell whether a value is a tuple or list of texts; ``("like")`` without a comma is none."""
    return isinstance(value, tuple | list) and all(isinstance(name, str) for name in value)
