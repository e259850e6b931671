"""Engines that score with others meet them in the release, each in its own rows."""

from pathlib import Path

import numpy as np
import pytest

from recommender_app.artifacts.manifest import Manifest
from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.base import Engine, take_items
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.serving import live
from recommender_app.serving.ensembles import bind_ensembles
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine
from tests.app import library


class Sum(Engine):
    """Adds what its members say, no opinion counting as nothing."""

    key = "ensemble"
    covers_new_users = True
    uses_history = True

    def __init__(self, weights, n_items, members=()):
        self.weights, self._n_items, self.members = weights, n_items, dict(members)

    @property
    def n_items(self):
        return self._n_items

    def bind(self, members):
        chosen = {key: engine for key, engine in members.items() if key in self.weights}
        return Sum(self.weights, next(iter(chosen.values())).n_items, chosen)

    def score(self, batch, items=None):
        scores = np.stack([self.weights[key] * engine.score(batch) for key, engine in self.members.items()])
        return take_items(np.nansum(scores, axis=0).astype(np.float32), items)

    def state(self):
        return {}

    @classmethod
    def from_state(cls, arrays):
        raise NotImplementedError


def opened(engine, items: IdMap) -> OpenedArtifact:
    manifest = Manifest(engine.key, "books", f"{engine.key}_v1", "2026-01-01", items.kind, len(items), arrays={})
    return OpenedArtifact(engine, items, manifest, Path())


def fixed(*ids) -> OpenedArtifact:
    engine = FixedEngine(ids)
    return opened(engine, engine.items)


@pytest.mark.django_db
def test_an_ensemble_ranks_the_items_of_all_its_members():
    books = library.add_shelves(2)
    tea, stew, sea, surf = (book.pk for book in books)
    artifacts = {
        "old": fixed(tea, sea),  # 2, 1
        "new": fixed(surf, sea),  # 2, 1
        "ensemble": opened(Sum({"old": 1.0, "new": 10.0, "gone": 5.0}, 99), IdMap.from_values([tea])),
    }
    artifacts, catalogue = bind_ensembles(artifacts, {})
    versions = dict.fromkeys(artifacts, "v1")
    release = LoadedRelease("books", 1, versions, artifacts, catalogue)
    with live.overridden(release), forced_policy("books", Policy("test", ((0, "ensemble"),))):
        answer = recommend(library.add_reader(), "books", 3)
    assert [(result.id, result.score) for result in answer.results] == [(surf, 20.0), (sea, 11.0), (tea, 2.0)]
    assert (answer.engine, answer.fallback_reason) == ("ensemble", "")
    assert stew not in catalogue.items.ids(range(len(catalogue)))


def test_a_bound_ensemble_may_meet_other_members_in_the_next_release():
    first = {"old": fixed(1, 2), "ensemble": opened(Sum({"old": 1.0}, 0), IdMap.from_values([1]))}
    bound, _ = bind_ensembles(first, {})
    rebound, catalogue = bind_ensembles({**bound, "old": fixed(3, 4, 5)}, {})
    assert rebound["ensemble"].engine.n_items == 3
    assert rebound["ensemble"].items.ids(range(3)) == [3, 4, 5]
    assert catalogue.to_engine["ensemble"].tolist() == [0, 1, 2]


def test_an_ensemble_without_its_members_is_a_problem_not_an_engine():
    problems = {}
    artifacts = {"other": fixed(1), "ensemble": opened(Sum({"als": 1.0}, 1), IdMap.from_values([1]))}
    served, catalogue = bind_ensembles(artifacts, problems)
    assert served.keys() == catalogue.to_engine.keys() == {"other"}
    assert "als" in problems["ensemble"]


def test_members_keep_their_flags_in_the_catalogue():
    """Whether an ensemble can serve a new user is what its members say."""
    books = [library.Book(title=f"tea-{place}", genre="tea") for place in range(2)]
    items = library.ids_of(books)
    recipe = opened(EnsembleEngine({"als": 1.0, "fixed": 0.0}, 2), items)
    artifacts = {"als": opened(library.als_engine(books), items), "fixed": fixed(*(book.pk for book in books))}
    bound = bind_ensembles({**artifacts, "ensemble": recipe}, {})[0]["ensemble"].engine
    assert (bound.uses_history, bound.covers_new_users) == (True, False)
    recipe = opened(EnsembleEngine({"als": 1.0, "fixed": 1.0}, 2), items)
    bound = bind_ensembles({**artifacts, "ensemble": recipe}, {})[0]["ensemble"].engine
    assert (bound.uses_history, bound.covers_new_users) == (True, True)
