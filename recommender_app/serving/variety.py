"""How varied an answered list is: ``diversity`` of the request log.

The definition of ``evaluation.variety``: the mean of 1 - cosine over all pairs of the list, an item
being the set of its category terms; items without terms are left out. No query is made for it: the
terms are those that the loaded content engine knows; without one, those of plain fields that the
items hold themselves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.serving.answer import Answer
from recommender_app.serving.arranging.similarity import content_of
from recommender_app.serving.loading import LoadedRelease
from recommender_app.usecases.declaration import UseCase

Terms = Collection[Hashable]


def with_diversity(answer: Answer, use_case: UseCase, release: LoadedRelease | None) -> Answer:
    """Return the answer with its diversity; unknown (None) for fewer than two items with terms."""
    if len(answer.results) < 2 or not use_case.item_categories:
        return answer
    artifact = content_of(release.artifacts) if release else None
    if artifact is not None:
        terms = _known_terms(artifact, [result.id for result in answer.results])
    else:
        terms = [_held_terms(result.item, use_case.item_categories) for result in answer.results]
    return replace(answer, diversity=mean_distance(terms))


def mean_distance(items: Iterable[Terms]) -> float | None:
    """Return the mean of 1 - cosine over all pairs of sets of terms; empty ones are left out.

    The squared length of a sum of n unit vectors is n plus twice the sum of their cosines.
    """
    told = [terms for terms in items if len(terms)]
    n = len(told)
    if n < 2:
        return None
    summed: defaultdict[Hashable, float] = defaultdict(float)
    for terms in told:
        share = 1 / math.sqrt(len(terms))
        for term in terms:
            summed[term] += share
    squared = sum([value * value for value in summed.values()])
    return min(max(1 - (squared - n) / (n * (n - 1)), 0.0), 1.0)


def _known_terms(artifact: OpenedArtifact, ids: Sequence[Any]) -> list[Terms]:
    """Return the columns of the terms of each item, none of an item that the engine does not know."""
    engine: Any = artifact.engine
    wording, n_words = engine.item_wording, len(engine.wording.words)
    found: list[Terms] = []
    for row in artifact.items.rows(ids).tolist():
        columns = wording.indices[wording.indptr[row] : wording.indptr[row + 1]] if 0 <= row < engine.n_items else ()
        found.append([column for column in map(int, columns) if column >= n_words])
    return found


def _held_terms(item: Any, categories: Sequence[str]) -> Terms:
    """Return the values of the categories that an instance holds; a deferred field or a relation costs a query."""
    held = ((name, item.__dict__.get(name)) for name in categories)
    return {(name, str(value)) for name, value in held if value not in (None, "")}
