"""Engines that break in every way that was thought of, and a release made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from recommender_app.artifacts.manifest import Manifest
from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.serving import live
from recommender_app.serving.catalogue import Catalogue
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.testing import FixedEngine
from tests.app import library
from tests.toyhost.models import Book

CHAIN = ("ensemble", "two_tower", "als", "content_based", "popular")  # as the router asks them


class FaultyEngine(FixedEngine):
    """Knows the books, and answers with whatever it is told to; counts how often it is asked.

    Args:
        answer: (rows, scores) or anything else; an exception is raised.
    """

    def __init__(self, books: list[Book], answer: object) -> None:
        super().__init__([book.pk for book in books])
        self.answer = answer
        self.n_asked = 0

    def candidates(self, batch, k, exclude=None):
        self.n_asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def rows_of(books: list[Book], wanted: list[Book]) -> np.ndarray:
    """Return the rows that an engine over ``books`` has for some of them, as a batch of one."""
    return library.ids_of(books).rows([book.pk for book in wanted])[None, :]


@contextmanager
def serving(engines: Mapping[str, FixedEngine], primary: str = CHAIN[0]) -> Iterator[None]:
    """Serve the books use case with a release of these engines; ``primary`` is routed for everybody."""
    artifacts = {key: opened(key, engine) for key, engine in engines.items()}
    versions = {key: f"{key}_v1" for key in engines}
    catalogue = Catalogue.of({key: engine.items for key, engine in engines.items()})
    with ExitStack() as stack:
        stack.enter_context(live.overridden(LoadedRelease("books", 1, versions, artifacts, catalogue)))
        stack.enter_context(forced_policy("books", Policy("test", ((0, primary),))))
        yield


def opened(key: str, engine: FixedEngine) -> OpenedArtifact:
    """Return the engine as if it had been opened from an artifact."""
    manifest = Manifest(key, "books", f"{key}_v1", "1970-01-01T00:00:00+00:00", "uuid", engine.n_items, arrays={})
    return OpenedArtifact(engine, engine.items, manifest, Path(key))
