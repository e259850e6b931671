"""Many requests, one call of the engine: the expensive step of a batch done together."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from recommender_app.conf import settings
from recommender_app.dataset.features import Features
from recommender_app.engines.batch import RequestBatch
from recommender_app.serving.arranging.slate import chooses
from recommender_app.serving.pipeline import Pipeline, needs_history
from recommender_app.serving.router import Policy
from recommender_app.serving.service import route_of
from recommender_app.usecases.eligibility import shared_items
from recommender_app.usecases.values import are_told_apart

logger = logging.getLogger(__name__)

MAX_SCORES = 16_000_000  # numbers that one call may score: 64 MB, whatever the catalogue's size


class BatchPipeline(Pipeline):
    """A pipeline whose first question is answered already; what it asks beyond that, it asks alone.

    Attributes:
        scored: {(engine, k): (rows, scores)} found together with others.
        items: {id: item} that ``get_items`` yields for everybody, and the ids looked up for that; None = not shared.
    """

    is_cacheable = False
    is_asking = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.scored: dict[tuple[str, int], tuple[Any, Any]] = {}
        self.items: tuple[Mapping[Any, Any], set[Any]] | None = None

    def n_wanted(self, engine: str) -> int:
        """Return how many proposals the engine will be asked for first."""
        n_items = len(self.release.artifacts[engine].items)
        return min(self.n_asked(settings.OVERFETCH[0]), n_items)

    def _best_of(self, engine: str, batch: RequestBatch, k: int) -> tuple[Any, Any]:
        found = self.scored.pop((engine, k), None)
        return super()._best_of(engine, batch, k) if found is None else found

    def _eligible(self, ids: Sequence[Any]) -> Mapping[Any, Any]:
        hidden = set(self.request.hidden)
        is_hiding_known = not hidden or are_told_apart(self.query.use_case)
        if self.items is None or not self.items[1].issuperset(ids) or not is_hiding_known:
            return super()._eligible(ids)
        found = self.items[0]
        return {item_id: found[item_id] for item_id in ids if item_id in found and item_id not in hidden}


def score_together(pipelines: Sequence[BatchPipeline], policy: Policy) -> None:
    """Ask the first engine of each pipeline's route once for all that have the same one."""
    groups: defaultdict[str, list[BatchPipeline]] = defaultdict(list)
    for pipeline in pipelines:
        pipeline.has_to_choose = chooses(pipeline.query, policy)
        for engine in route_of(policy, pipeline.request, pipeline.release).engines[:1]:
            groups[engine].append(pipeline)
    for engine, group in groups.items():
        size = max(MAX_SCORES // max(len(group[0].release.artifacts[engine].items), 1), 1)
        for start in range(0, len(group), size):
            _score(engine, group[start : start + size])


def look_up_together(pipelines: Sequence[BatchPipeline]) -> None:
    """Ask the database once which of all the proposals may be shown; what is hidden from whom is known already."""
    proposed = {item_id for pipeline in pipelines for item_id in _proposed(pipeline)}
    if proposed:
        use_case, user = pipelines[0].query.use_case, pipelines[0].query.user
        found = shared_items(use_case, user, proposed)
        for pipeline in pipelines:
            pipeline.items = (found, proposed)


def _score(engine: str, pipelines: Sequence[BatchPipeline]) -> None:
    """Leave the proposals with each pipeline; where the engine fails, each asks alone and notes the failure."""
    inner = pipelines[0].release.artifacts[engine].engine
    batches = [pipeline.request.batch(engine) for pipeline in pipelines]
    if needs_history(inner):
        kept = [place for place, batch in enumerate(batches) if (batch.history.data > 0).any()]
        pipelines, batches = [pipelines[place] for place in kept], [batches[place] for place in kept]
    if not pipelines:
        return
    k = pipelines[0].n_wanted(engine)
    exclude = sparse.vstack([pipeline.request.exclusion(engine, ()) for pipeline in pipelines], format="csr")
    try:
        rows, scores = inner.candidates(stacked(batches), k, exclude)
        scored = list(zip(pipelines, rows, scores, strict=True))
    except Exception:
        logger.exception("The engine %s failed for %s users at once; each is tried alone.", engine, len(pipelines))
        return
    for pipeline, own_rows, own_scores in scored:
        pipeline.scored[engine, k] = (own_rows, own_scores)


def stacked(batches: Sequence[RequestBatch]) -> RequestBatch:
    """Return one batch of all the requests, in their order; all are in the rows of one engine."""
    return RequestBatch(
        np.concatenate([batch.user_rows for batch in batches]),
        sparse.vstack([batch.history for batch in batches], format="csr"),
        np.concatenate([batch.ages_days for batch in batches]),
        _stacked_profiles([batch.profiles for batch in batches]),
    )


def _stacked_profiles(profiles: Sequence[Features | None]) -> Features | None:
    """Return the profiles below each other; a user without one says nothing."""
    present = [profile for profile in profiles if profile is not None]
    if not present:
        return None
    names = present[0].number_names
    nothing = Features([""], [()], np.full((1, len(names)), np.nan, dtype=np.float32), names)
    rows = [profile or nothing for profile in profiles]
    numbers = np.concatenate([row.numbers for row in rows]) if names else present[0].numbers
    texts = [text for row in rows for text in row.texts]
    return Features(texts, [terms for row in rows for terms in row.terms], numbers, names)


def _proposed(pipeline: BatchPipeline) -> Iterator[Any]:
    for (engine, _), (rows, _) in pipeline.scored.items():
        yield from pipeline.release.artifacts[engine].items.ids(rows[rows >= 0])
