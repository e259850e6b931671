"""The slate of one request: reads what the policy and the rules ask for, then arranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.serving.arrange import Arrangement, arrange
from recommender_app.serving.arranging.diversity import Similarities
from recommender_app.serving.arranging.fatigue import tired_ids
from recommender_app.serving.arranging.finding import find_for_rules, find_newcomers
from recommender_app.serving.arranging.later import later_pages
from recommender_app.serving.arranging.similarity import content_of, similarities_of
from recommender_app.serving.pool import Candidate
from recommender_app.serving.query import Query
from recommender_app.serving.router import Policy
from recommender_app.serving.rule_book import preview_of, rules_in_force
from recommender_app.usecases.attributes import read_facts
from recommender_app.usecases.history import History
from recommender_app.usecases.rules import Bury, Facts, Rule


def chooses(query: Query, policy: Policy) -> bool:
    """Tell whether the best of a small pool may all be put aside: caps and buries need many more to choose from."""
    rules = rules_in_force(query.use_case, timezone.now())
    return bool(policy.caps) or any(isinstance(rule, Bury) for rule in rules)


def rearranges(query: Query, policy: Policy) -> bool:
    """Tell whether the slate may differ from the order of the engines."""
    return policy.rearranges or bool(rules_in_force(query.use_case, timezone.now()))


def slate_of(
    query: Query,
    policy: Policy,
    pool: Sequence[Candidate],
    request_id: UUID,
    history: History | None,
    artifacts: Mapping[str, OpenedArtifact],
    ahead: Sequence[Candidate] | None = None,
) -> list[Candidate]:
    """Return the candidates to show, in order; no query where neither the policy nor a rule rearranges.

    Args:
        pool: eligible candidates in the order proposed.
        request_id: the seed of exploration.
        history: None where nothing is live; nothing is tired then.
        artifacts: of the live release.
        ahead: eligible candidates behind the pool: go on behind the page, see ``later.later_pages``;
            None = one list only.
    """
    now = timezone.now()
    rules = rules_in_force(query.use_case, now)
    if not (rules or policy.rearranges):
        return list(pool[: query.limit]) if ahead is None else as_proposed(pool, ahead, query.limit)
    context = _context(query, policy, rules, pool, ahead, history, artifacts, now)
    preview = preview_of(query.use_case)
    context = replace(context, seed=preview.seed if preview else request_id.int)
    slate = arrange(pool, query.limit, context)
    return slate if ahead is None else [*slate, *later_pages(pool, ahead, slate, query.limit, context)]


def as_proposed(pool: Sequence[Candidate], ahead: Sequence[Candidate], limit: int) -> list[Candidate]:
    """Return the engines' order.

    What is ahead goes on behind a full page only: its items may not have been read. Where the pool
    fills no page, there was nothing else to show a moment ago.
    """
    return [*pool, *ahead] if len(pool) >= limit else list(pool)


def _context(
    query: Query,
    policy: Policy,
    rules: tuple[Rule, ...],
    pool: Sequence[Candidate],
    ahead: Sequence[Candidate] | None,
    history: History | None,
    artifacts: Mapping[str, OpenedArtifact],
    now: datetime,
) -> Arrangement:
    content = content_of(artifacts)
    attributes = _attributes(query, policy, rules, content)
    read = partial(_read, query, attributes, now)
    known = [*pool, *(ahead or ())]
    facts = read(known)
    found = find_for_rules(query, rules, pool, facts, read, now, ahead)
    newcomers = find_newcomers(query, [*pool, *found], facts, read, now) if policy.exploration > 0 else ()
    tired = _tired(query, policy, history, now)
    alike = _similarities(query, content, facts, known)
    return Arrangement(policy, rules, facts, alike, tired, tuple(found), tuple(newcomers))


def _attributes(query: Query, policy: Policy, rules: Sequence[Rule], content: OpenedArtifact | None) -> tuple[str, ...]:
    of_rules = [attribute for rule in rules for attribute in rule.where]
    of_diversity = query.use_case.item_categories if policy.diversity > 0 and content is None else ()
    return tuple(dict.fromkeys((*policy.caps, *of_rules, *of_diversity)))


def _read(query: Query, attributes: Sequence[str], now: datetime, candidates: Sequence[Candidate]) -> dict[Any, Facts]:
    return read_facts(query.use_case, [candidate.item for candidate in candidates], attributes, now)


def _tired(query: Query, policy: Policy, history: History | None, now: datetime) -> frozenset[str]:
    if policy.fatigue_after < 1 or history is None:
        return frozenset()
    return tired_ids(query.use_case, query.user, history, policy.fatigue_after, now)


def _similarities(
    query: Query, content: OpenedArtifact | None, facts: Mapping[Any, Facts], known: Sequence[Candidate]
) -> Callable[[Sequence[Candidate]], Similarities | None]:
    """Return what says how alike some of the ``known`` are; all are compared once, whatever the number of pages."""
    place_of = {candidate.id: place for place, candidate in enumerate(known)}

    @cache
    def of_all() -> Similarities | None:
        return similarities_of(list(place_of), content, query.use_case.item_categories, facts)

    def similarities(candidates: Sequence[Candidate]) -> Similarities | None:
        places = [place_of[candidate.id] for candidate in candidates]
        found = of_all()
        return None if found is None else found[np.ix_(places, places)]

    return similarities
