"""Direct scoring: where so few items may be shown that proposing more than asked does not meet them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.conf import settings
from recommender_app.engines.top_k import top_k
from recommender_app.serving.pool import Pool, Proposals
from recommender_app.serving.query import Query
from recommender_app.serving.request import ServingRequest
from recommender_app.usecases.eligibility import eligible_ids


class FewEligible:
    """All items that may be shown to one user, if they are at most DIRECT_SCORING_LIMIT; read once per request."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self._ids: list[Any] | None = None
        self._is_read = False

    @property
    def are_known(self) -> bool:
        """Whether they have been read already, and are few."""
        return self._ids is not None

    def unjudged(self, pool: Pool) -> list[Any]:
        """Return the ids that the pool has not judged; none where they are not few. One query, the first time."""
        if not self._is_read and settings.DIRECT_SCORING_LIMIT:
            query = self.query
            self._ids = eligible_ids(query.use_case, query.user, settings.DIRECT_SCORING_LIMIT, query.filters)
        self._is_read = True
        return [item_id for item_id in self._ids or () if item_id not in pool.judged]


def best_of_eligible(
    engine: str, artifact: OpenedArtifact, request: ServingRequest, ids: Sequence[Any], k: int
) -> Proposals:
    """Return the k best of ``ids`` that an engine has an opinion on, as its list of all items would rank them."""
    rows = request.catalogue.engine_rows(engine, request.catalogue.rows(ids))
    rows = np.unique(rows[rows >= 0])
    if not len(rows):
        return []
    places, scores = top_k(artifact.engine.score(request.batch(engine), rows), min(k, len(rows)))
    is_proposed = places[0] >= 0
    chosen = rows[places[0][is_proposed]]
    return list(zip(artifact.items.ids(chosen), scores[0][is_proposed].tolist(), strict=True))
