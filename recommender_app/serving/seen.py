"""Items that a request has looked up already: what liked items are called is read with the proposals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from recommender_app.conf import settings
from recommender_app.serving.query import Query
from recommender_app.serving.request import ServingRequest
from recommender_app.usecases.eligibility import eligible_items
from recommender_app.usecases.naming import visible_items
from recommender_app.usecases.values import are_told_apart, usable_ids

MOST_LIKED = 50  # items that the user liked last; an explanation that names another one asks for it


class Seen:
    """Which items ``get_items`` yields to the user of one request, as far as it was asked.

    Args:
        is_asking: whether the user waits for the answer: the history was read a moment ago, so that what it hides is
            known, and the items will be given reasons, which name what the user liked. Not so in a batch.

    Attributes:
        items: {id: item} of those that the user may see.
        asked: ids that were looked up, seen or not.
    """

    def __init__(self, query: Query, request: ServingRequest, *, is_asking: bool = True) -> None:
        self.items: dict[Any, Any] = {}
        self.asked: frozenset[Any] = frozenset()
        self._query = query
        self._request = request
        is_enough = is_asking and (not request.hidden or are_told_apart(query.use_case))
        self._hidden = request.hidden if is_enough else None  # None = the database leaves out what is hidden
        self._brings_liked = is_asking and settings.EXPLANATIONS and not query.filters

    def eligible(self, ids: Sequence[Any]) -> Mapping[Any, Any]:
        """Return {id: item} of those that may be shown; the first query brings the liked items along.

        Filters narrow down what is shown, not what the user may see: with them, it does not.
        """
        query, hidden = self._query, self._hidden
        liked = self._liked() if self._brings_liked and not self.asked else ()
        if not liked or hidden is None:
            return eligible_items(query.use_case, query.user, ids, query.filters, hidden_ids=hidden)
        self.items = visible_items(query.use_case, query.user, [*liked, *ids])
        self.asked = frozenset(liked)
        shown = self.items.keys() - usable_ids(query.use_case, hidden)
        return {key: self.items[key] for key in usable_ids(query.use_case, ids) if key in shown}

    def names(self, ids: Collection[Any]) -> dict[Any, str]:
        """Return {id: ``str(item)``} of those that the user may see; a query only for what was never looked up."""
        unknown = [key for key in ids if key not in self.asked]
        found = visible_items(self._query.use_case, self._query.user, unknown) if unknown else {}
        found |= {key: self.items[key] for key in ids if key in self.items}
        return {key: str(item) for key, item in found.items()}

    def _liked(self) -> list[Any]:
        history = self._request.history
        liked = (key for key, weight in zip(history.item_ids, history.weights, strict=True) if weight > 0)
        return [key for key, _ in zip(liked, range(MOST_LIKED), strict=False)]
