"""The pages behind the first one, arranged like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recommender_app.conf import settings
from recommender_app.serving.arrange import Arrangement, arrange
from recommender_app.serving.pool import Candidate
from recommender_app.usecases.rules import Pin


def later_pages(
    pool: Sequence[Candidate],
    ahead: Sequence[Candidate],
    first: Sequence[Candidate],
    limit: int,
    context: Arrangement,
) -> list[Candidate]:
    """Return what follows the first page, up to PAGE_SLATE with it, in pages of the same length.

    Each is chosen from as many candidates as the first one was, with the same diversity, caps,
    boosts, fatigue and quotas; what is behind them, then what was found for the rules, fills quotas.
    Pins have their places on the first page alone. A page explores with those newcomers that no
    page before it showed; its propensities are those given the pages before.
    """
    shown = {candidate.id for candidate in first}
    rules = tuple(rule for rule in context.rules if not isinstance(rule, Pin))
    left = [candidate for candidate in (*pool, *ahead) if candidate.id not in shown]
    pages: list[Candidate] = []
    for number in range(1, settings.PAGE_SLATE):
        if not left or len(first) + len(pages) >= settings.PAGE_SLATE:
            break
        near, behind = left[: max(len(pool), limit)], left[max(len(pool), limit) :]
        waiting = {candidate.id for candidate in left}
        found = (*behind, *(each for each in context.found if each.id not in shown | waiting))
        newcomers = tuple(each for each in context.newcomers if each.id not in shown)
        own = replace(context, rules=rules, found=found, newcomers=newcomers, seed=context.seed + number)
        page = arrange(near, limit, own)
        shown |= {candidate.id for candidate in page}
        pages, left = [*pages, *page], [candidate for candidate in left if candidate.id not in shown]
    return pages
