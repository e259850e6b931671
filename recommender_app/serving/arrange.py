"""From a pool of eligible candidates to the slate: a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recommender_app.serving.arranging.caps import CapCounter, CapCounts
from recommender_app.serving.arranging.diversity import Similarities, select
from recommender_app.serving.arranging.exploration import explored
from recommender_app.serving.arranging.rules import pinned, reordered, with_pins, with_quotas
from recommender_app.serving.pool import Candidate
from recommender_app.serving.router import Policy
from recommender_app.usecases.rules import NOTHING_KNOWN, Facts, Quota, Rule


def nothing_is_alike(candidates: Sequence[Candidate]) -> Similarities | None:
    """Return no similarities: for pools whose items have no features."""
    return None


@dataclass(frozen=True)
class Arrangement:
    """Everything that decides a slate beside the pool.

    Attributes:
        policy: its diversity, caps and exploration.
        rules: in force now; the earlier one wins a place or a quota.
        facts: {item id: facts}, of the pool and of ``found``; an item without any is met by no rule and no cap.
        similarities: candidates -> (n, n), None = nothing is alike; called only where diversity asks.
        tired: ids, as text, of items that were shown often enough and ignored.
        found: eligible candidates outside the pool, for pins and quotas.
        newcomers: eligible new candidates for exploration, in or outside the pool.
        seed: of exploration; derived from the request id, so that an answer can be computed again.
    """

    policy: Policy
    rules: tuple[Rule, ...] = ()
    facts: Mapping[Any, Facts] = field(default_factory=dict)
    similarities: Callable[[Sequence[Candidate]], Similarities | None] = nothing_is_alike
    tired: frozenset[str] = frozenset()
    found: tuple[Candidate, ...] = ()
    newcomers: tuple[Candidate, ...] = ()
    seed: int = 0


def arrange(pool: Sequence[Candidate], limit: int, context: Arrangement) -> list[Candidate]:
    """Return at most ``limit`` candidates in the order in which they are shown.

    The stages, each of which works on the order that the one before left:

    1. boost and bury reorder the pool,
    2. fatigue: what was shown often and ignored comes after all else,
    3. diversity (greedy MMR) with caps chooses,
    4. quotas bring in what is missing, in place of the last,
    5. exploration gives places to new items,
    6. pins take their places; they are set aside before stage 1, and count for caps and quotas.

    Scores and sources stay those of who proposed an item, but for pins, whose source is RULE. The
    result is the same for the same arguments. Without rules, and with a policy that does not
    rearrange, it is ``pool[:limit]``.
    """
    pins = pinned(context.rules, [*pool, *context.found], limit, context.facts)
    fixed = list(pins.values())
    order = reordered(_without(pool, fixed), context.rules, context.facts)
    n_free = limit - len(pins)
    chosen = _chosen(order, n_free, fixed, context)
    reserve = sorted(
        _without([*order, *context.found], [*chosen, *fixed]), key=lambda each: str(each.id) in context.tired
    )
    quotas = [rule for rule in context.rules if isinstance(rule, Quota)]
    chosen, kept = with_quotas(chosen, reserve, quotas, limit, context.facts, context.policy.caps, fixed)
    if context.policy.exploration > 0:
        newcomers = _newcomers(context, chosen, fixed)
        chosen = explored(chosen, newcomers, context.policy.exploration, context.seed, kept)
    return with_pins(chosen, pins)


def _chosen(order: list[Candidate], n_wanted: int, fixed: list[Candidate], context: Arrangement) -> list[Candidate]:
    policy, facts = context.policy, context.facts
    caps = CapCounter(policy.caps, _facts_of(order, facts), _facts_of(fixed, facts))
    tiers = [int(str(candidate.id) in context.tired) for candidate in order]
    similarities = context.similarities(order) if policy.diversity > 0 else None
    return [order[place] for place in select(n_wanted, tiers, caps, policy.diversity, similarities)]


def _newcomers(context: Arrangement, chosen: list[Candidate], fixed: list[Candidate]) -> list[Candidate]:
    """Return new items that may join the list, so few of each value that all of them together keep the caps."""
    counts, newcomers = CapCounts(context.policy.caps, _facts_of([*chosen, *fixed], context.facts)), []
    for candidate in _without(context.newcomers, [*chosen, *fixed]):
        facts = context.facts.get(candidate.id, NOTHING_KNOWN)
        if str(candidate.id) not in context.tired and counts.has_room_for(facts):
            newcomers.append(candidate)
            counts.add(facts)
    return newcomers


def _facts_of(candidates: Sequence[Candidate], facts: Mapping[Any, Facts]) -> list[Facts]:
    return [facts.get(candidate.id, NOTHING_KNOWN) for candidate in candidates]


def _without(candidates: Sequence[Candidate], others: Sequence[Candidate]) -> list[Candidate]:
    taken = {candidate.id for candidate in others}
    return [candidate for candidate in candidates if candidate.id not in taken]
