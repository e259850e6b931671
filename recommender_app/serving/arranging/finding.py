"""Eligible items that the pool lacks: for pins, quotas and exploration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from recommender_app.conf import settings
from recommender_app.serving.arranging.rules import is_meant
from recommender_app.serving.pool import EXPLORATION, RULE, Candidate
from recommender_app.serving.query import Query
from recommender_app.usecases.attributes import newest_about, newness_field
from recommender_app.usecases.eligibility import eligible_items, newest_eligible, shown_items
from recommender_app.usecases.rules import MOST_DAYS, NOTHING_KNOWN, Facts, Pin, Quota, Rule

Read = Callable[[Sequence[Candidate]], dict[Any, Facts]]


def find_for_rules(
    query: Query,
    rules: Sequence[Rule],
    pool: Sequence[Candidate],
    facts: dict[Any, Facts],
    read: Read,
    now: datetime,
    ahead: Sequence[Candidate] | None = None,
) -> list[Candidate]:
    """Return what pins and quotas need beside the pool; ``facts`` learns of it.

    One query for all pinned ids that the pool lacks, and one for each other rule of which the
    pool holds too few: the newest items that it is about. All of them may be shown to the user.

    Args:
        ahead: of later pages, on each of which the quotas are to hold too; None = one list only.
    """
    n_pages = 1 if ahead is None else ceil(settings.PAGE_SLATE / query.limit)
    found = _pinned_by_id(query, rules, pool)
    facts.update(read(found) if found else {})
    for rule in rules:
        known = [*pool, *found]
        behind = _without(ahead or (), known)
        n_known, n_behind = (sum(is_meant(rule, each, facts) for each in some) for some in (known, behind))
        n_missing = _n_missing(rule, query.limit, n_pages, n_known, n_behind)
        if n_missing > 0:
            items = shown_items(query.use_case, query.user, query.filters)
            newest = newest_about(query.use_case, items, rule, now, n_missing, [each.id for each in known])
            fresh = _unscored(RULE, newest)
            facts.update(read(fresh) if fresh else {})
            found.extend(fresh)
    return found


def find_newcomers(
    query: Query, known: Sequence[Candidate], facts: dict[Any, Facts], read: Read, now: datetime
) -> list[Candidate]:
    """Return what exploration may show: new items among ``known``, then the newest eligible ones; one query.

    New is what was laid over the engines since they were trained, and what was created within
    NEW_ITEM_DAYS; where no field says when, the newest items are new.
    """
    newcomers = [each for each in known if each.is_overlay or _is_new(facts.get(each.id, NOTHING_KNOWN))]
    n_missing = query.limit - len(newcomers)
    if n_missing > 0:
        fresh = _unscored(EXPLORATION, _newest(query, n_missing, [each.id for each in known], now))
        facts.update(read(fresh) if fresh else {})
        newcomers.extend(fresh)
    return newcomers


def _pinned_by_id(query: Query, rules: Sequence[Rule], pool: Sequence[Candidate]) -> list[Candidate]:
    proposed = {str(candidate.id) for candidate in pool}
    ids = [item_id for rule in rules if isinstance(rule, Pin) for item_id in rule.item_ids]
    ids = [item_id for item_id in dict.fromkeys(ids) if str(item_id) not in proposed]
    found = eligible_items(query.use_case, query.user, ids, query.filters) if ids else {}
    return _unscored(RULE, found.values())


def _n_missing(rule: Rule, limit: int, n_pages: int, n_known: int, n_behind: int) -> int:
    """Return how many items a rule lacks; pins are of the first page, those by id are looked up together.

    Args:
        n_known: items that it is about and that the first page may hold.
        n_behind: more of them that only later pages may hold; the newest items may be the same ones.
    """
    if not isinstance(rule, Quota):
        return int(isinstance(rule, Pin) and not rule.item_ids) - n_known
    needed, n_all = rule.needed(limit), n_known + n_behind
    n_filled = n_all // limit * needed + min(n_all % limit, needed)  # if they stand as close together as they can
    n_lacking = needed * n_pages - n_filled
    return max(needed - n_known, n_lacking + n_behind if n_lacking > 0 else 0)


def _newest(query: Query, limit: int, exclude_ids: list[Any], now: datetime) -> list[Any]:
    use_case = query.use_case
    if newness_field(use_case) is None:
        return newest_eligible(use_case, query.user, limit, exclude_ids, query.filters)
    items = shown_items(use_case, query.user, query.filters)
    is_new = Rule(new_within_days=min(settings.NEW_ITEM_DAYS, MOST_DAYS))
    return newest_about(use_case, items, is_new, now, limit, exclude_ids)


def _is_new(facts: Facts) -> bool:
    return facts.age_days is not None and facts.age_days <= settings.NEW_ITEM_DAYS


def _unscored(source: str, items: Iterable[Any]) -> list[Candidate]:
    return [Candidate(item.pk, 0.0, source, item) for item in items]


def _without(candidates: Sequence[Candidate], others: Sequence[Candidate]) -> list[Candidate]:
    taken = {candidate.id for candidate in others}
    return [candidate for candidate in candidates if candidate.id not in taken]
