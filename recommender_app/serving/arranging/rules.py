"""What business rules do to a list: pure functions of candidates, rules and facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recommender_app.serving.arranging.caps import Caps, keeps_caps
from recommender_app.serving.pool import Candidate
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
                places[position] = candidate
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
    for quota in quotas:
        n_there = sum(is_meant(quota, candidate, facts) for candidate in others)
        n_needed = quota.needed(limit) - n_there
        while sum(is_meant(quota, each, facts) for each in slate) < n_needed:
            swap = _swap(quota, slate, waiting, kept, limit - len(others), facts, caps, others)
            if swap is None:
                break
            slate, waiting = swap
        needed = [each.id for each in slate if is_meant(quota, each, facts)][: max(n_needed, 0)]
        kept |= frozenset(needed)
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


def _swap(
    quota: Quota,
    slate: list[Candidate],
    waiting: list[Candidate],
    kept: frozenset[Any],
    n_places: int,
    facts: FactsOf,
    caps: Caps,
    others: Sequence[Candidate],
) -> tuple[list[Candidate], list[Candidate]] | None:
    """Return slate and reserve after one item came in; None where none can."""
    meant = [candidate for candidate in waiting if is_meant(quota, candidate, facts)]
    staying = slate if len(slate) < n_places else _without_last(slate, quota, kept, facts)
    if not meant or staying is None:
        return None
    beside = [facts.get(each.id, NOTHING_KNOWN) for each in (*staying, *others)]
    in_caps = (each for each in meant if keeps_caps(caps, facts.get(each.id, NOTHING_KNOWN), beside))
    incoming = next(in_caps, meant[0])
    out = [each for each in slate if each not in staying]
    return [*staying, incoming], [*(each for each in waiting if each is not incoming), *out]


def _without_last(slate: list[Candidate], quota: Quota, kept: frozenset[Any], facts: FactsOf) -> list[Candidate] | None:
    """Return the slate without the last item that no quota needs; None if there is none."""
    for place in reversed(range(len(slate))):
        if slate[place].id not in kept and not is_meant(quota, slate[place], facts):
            return slate[:place] + slate[place + 1 :]
    return None
