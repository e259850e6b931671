"""What business rules do to a list: pure functions of candidates, rules and facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommender_app.serving.arranging.caps import CapCounts, Caps
from recommender_app.serving.pool import RULE, Candidate
from recommender_app.usecases.rules import NOTHING_KNOWN, Boost, Bury, Facts, Pin, Quota, Rule

FactsOf = Mapping[Any, Facts]  # {item id: facts}


def is_meant(rule: Rule, candidate: Candidate, facts: FactsOf) -> bool:
    """Tell whether a rule is about a candidate."""
    return rule.is_about(candidate.id, facts.get(candidate.id, NOTHING_KNOWN))


def reordered(pool: Sequence[Candidate], rules: Iterable[Rule], facts: FactsOf) -> list[Candidate]:
    """Return the pool in the order of relevance times the factors of all boosts and buries that are about an item.

    Relevance is the place in the pool, 1 for the first of n, 1/n for the last: scores of
    different engines cannot be compared. A factor of 2 brings the item in the middle to the top.
    Ties keep the pool's order.
    """
    factors = [rule for rule in rules if isinstance(rule, Boost | Bury)]
    if not factors:
        return list(pool)
    values = [1.0 - place / len(pool) for place in range(len(pool))]
    for place, candidate in enumerate(pool):
        for rule in factors:
            if is_meant(rule, candidate, facts):
                values[place] *= rule.factor
    order = sorted(range(len(pool)), key=lambda place: -values[place])
    return [pool[place] for place in order]


def pinned(rules: Iterable[Rule], known: Sequence[Candidate], limit: int, facts: FactsOf) -> dict[int, Candidate]:
    """Return {1-based place: candidate} of all pins; the first rule to ask gets a place, the next one the place after.

    Their source is RULE, whether or not an engine proposed them too: how many it proposes depends on the limit.

    Args:
        known: eligible candidates, best first; an item that is not among them is not pinned.
    """
    places: dict[int, Candidate] = {}
    for rule in (rule for rule in rules if isinstance(rule, Pin)):
        position = rule.position
        for candidate in _wanted(rule, known, facts):
            if any(candidate.id == other.id for other in places.values()):
                continue
            while position in places:
                position += 1
            if position <= limit:
                places[position] = replace(candidate, source=RULE, score=0.0)
    return places


def with_quotas(
    chosen: Sequence[Candidate],
    reserve: Sequence[Candidate],
    quotas: Sequence[Quota],
    limit: int,
    facts: FactsOf,
    caps: Caps,
    others: Sequence[Candidate] = (),
) -> tuple[list[Candidate], frozenset[Any]]:
    """Return the list in which the quotas hold as far as the reserve allows, and the ids that they need.

    What is missing comes in at the end, in place of the last items that no quota needs; of the
    reserve, items that keep the caps come first. Earlier quotas win.

    Args:
        reserve: eligible candidates that were not chosen, best first.
        limit: length of the whole list, which quotas are shares of.
        others: in the list besides ``chosen`` (pins); they count.
    """
    slate, waiting, kept = list(chosen), list(reserve), frozenset[Any]()
    n_places = limit - len(others)
    for quota in quotas:
        meant = frozenset(each.id for each in (*slate, *waiting) if is_meant(quota, each, facts))
        n_needed = max(quota.needed(limit) - sum(is_meant(quota, each, facts) for each in others), 0)
        while sum(each.id in meant for each in slate) < n_needed:
            place = _last_place(slate, meant | kept) if len(slate) >= n_places else len(slate)
            if place < 0:
                break
            staying, leaving = [*slate[:place], *slate[place + 1 :]], slate[place : place + 1]
            incoming = _incoming(waiting, meant, [*staying, *others], facts, caps)
            if incoming is None:
                break
            waiting = [*(each for each in waiting if each is not incoming), *leaving]
            slate = [*staying, incoming]
        kept |= frozenset([each.id for each in slate if each.id in meant][:n_needed])
    return slate, kept


def with_pins(chosen: Sequence[Candidate], pins: Mapping[int, Candidate]) -> list[Candidate]:
    """Return the list with pins at their places; those beyond its end follow it."""
    rest, slate = list(chosen), []
    for position in range(1, len(chosen) + len(pins) + 1):
        if position in pins:
            slate.append(pins[position])
        elif rest:
            slate.append(rest.pop(0))
    shown = {candidate.id for candidate in slate}
    return [*slate, *(pins[position] for position in sorted(pins) if pins[position].id not in shown)]


def _wanted(rule: Pin, known: Sequence[Candidate], facts: FactsOf) -> list[Candidate]:
    meant = [candidate for candidate in known if is_meant(rule, candidate, facts)]
    if not rule.item_ids:
        return meant[:1]
    order = {str(item_id): place for place, item_id in enumerate(rule.item_ids)}
    return sorted(meant, key=lambda candidate: order[str(candidate.id)])


def _incoming(
    waiting: Sequence[Candidate],
    meant: Collection[Any],
    beside: Sequence[Candidate],
    facts: FactsOf,
    caps: Caps,
) -> Candidate | None:
    """Return the first of ``meant`` that keeps the caps beside the others, else the first; None if there is none."""
    coming = [each for each in waiting if each.id in meant]
    if not coming:
        return None
    counts = CapCounts(caps, (facts.get(each.id, NOTHING_KNOWN) for each in beside))
    in_caps = (each for each in coming if counts.has_room_for(facts.get(each.id, NOTHING_KNOWN)))
    return next(in_caps, coming[0])


def _last_place(slate: Sequence[Candidate], needed: Collection[Any]) -> int:
    """Return the place of the last item that is not ``needed``; -1 if there is none."""
    return max((place for place, each in enumerate(slate) if each.id not in needed), default=-1)
