"""The slate of one request: reads what the policy and the rules ask for, then arranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.serving.arrange import Arrangement, arrange
from recommender_app.serving.arranging.diversity import Similarities
from recommender_app.serving.arranging.fatigue import tired_ids
from recommender_app.serving.arranging.finding import find_for_rules, find_newcomers
from recommender_app.serving.arranging.similarity import content_of, similarities_of
from recommender_app.serving.pool import Candidate
from recommender_app.serving.query import Query
from recommender_app.serving.router import Policy
from recommender_app.serving.rule_book import preview_of, rules_in_force
from recommender_app.usecases.attributes import read_facts
from recommender_app.usecases.history import History
from recommender_app.usecases.rules import Bury, Facts, Pin, Rule


def chooses(query: Query, policy: Policy) -> bool:
    """Tell whether the best of a small pool may all be put aside: caps and buries need many more to choose from."""
    rules = rules_in_force(query.use_case, timezone.now())
    return bool(policy.caps) or any(isinstance(rule, Bury) for rule in rules)


def slate_of(
    query: Query,
    policy: Policy,
    pool: Sequence[Candidate],
    request_id: UUID,
    history: History | None,
    artifacts: Mapping[str, OpenedArtifact],
    *,
    with_later_pages: bool = False,
) -> list[Candidate]:
    """Return the candidates to show, in order; no query where neither the policy nor a rule rearranges.

    Args:
        pool: eligible candidates in the order proposed.
        request_id: the seed of exploration.
        history: None where nothing is live; nothing is tired then.
        artifacts: of the live release.
        with_later_pages: go on behind the page, in pages of the same length that are arranged
            like it, without pins and exploration.
    """
    now = timezone.now()
    rules = rules_in_force(query.use_case, now)
    if not (rules or policy.rearranges):
        return list(pool) if with_later_pages else list(pool[: query.limit])
    context = _context(query, policy, rules, pool, history, artifacts, now)
    preview = preview_of(query.use_case)
    context = replace(context, seed=preview.seed if preview else request_id.int)
    slate = arrange(pool, query.limit, context)
    return [*slate, *_later_pages(pool, slate, query.limit, context)] if with_later_pages else slate


def _context(
    query: Query,
    policy: Policy,
    rules: tuple[Rule, ...],
    pool: Sequence[Candidate],
    history: History | None,
    artifacts: Mapping[str, OpenedArtifact],
    now: datetime,
) -> Arrangement:
    content = content_of(artifacts)
    attributes = _attributes(query, policy, rules, content)
    read = partial(_read, query, attributes, now)
    facts = read(pool)
    found = find_for_rules(query, rules, pool, facts, read, now)
    newcomers = find_newcomers(query, [*pool, *found], facts, read, now) if policy.exploration > 0 else ()
    tired = _tired(query, policy, history, now)
    alike = _similarities(query, content, facts)
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
    query: Query, content: OpenedArtifact | None, facts: Mapping[Any, Facts]
) -> Callable[[Sequence[Candidate]], Similarities | None]:
    def similarities(candidates: Sequence[Candidate]) -> Similarities | None:
        ids = [candidate.id for candidate in candidates]
        return similarities_of(ids, content, query.use_case.item_categories, facts)

    return similarities


def _later_pages(
    pool: Sequence[Candidate], first: Sequence[Candidate], limit: int, context: Arrangement
) -> list[Candidate]:
    shown = {candidate.id for candidate in first}
    left = [candidate for candidate in pool if candidate.id not in shown]
    rules = tuple(rule for rule in context.rules if not isinstance(rule, Pin))
    context = replace(context, policy=replace(context.policy, exploration=0.0), rules=rules, found=(), newcomers=())
    pages: list[Candidate] = []
    while left:
        page = arrange(left, limit, context)
        taken = {candidate.id for candidate in page}
        pages, left = [*pages, *page], [candidate for candidate in left if candidate.id not in taken]
    return pages
