"""New and changed items laid over the lists of engines that were trained without them."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app import conf
from recommender_app.engines.base import Rows
from recommender_app.serving.ensembles import Recipe
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.overlay_items import Encoder, LaidItems
from recommender_app.serving.overlay_placing import place_guests, with_scores
from recommender_app.serving.overlay_reading import OverlayReader
from recommender_app.serving.pinned_releases import pinned_numbers
from recommender_app.serving.pool import Proposals
from recommender_app.serving.request import ServingRequest
from recommender_app.usecases.declaration import UseCase

logger = logging.getLogger(__name__)

JUDGES = ("content_based", "two_tower")  # whose opinion counts where the asked engine has none, best first
SAMPLE = 1024  # catalogue items that tell what a high score of the judge is
KEPT = 8  # covers per use case: each policy may have a variant of the release


@dataclass
class Cover:
    """What an overlay needs to know of a release; made once per release.

    Attributes:
        release: which one.
        reader: of the changed items.
        judge: engine key.
    """

    release: LoadedRelease
    reader: OverlayReader
    judge: str
    _known: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    _missing: dict[str, Rows] = field(default_factory=dict)
    _rows: tuple[LaidItems, Rows] | None = None

    def known(self, engine_key: str) -> NDArray[np.bool_]:
        """Return (n_catalogue,) which items an engine was trained with; an ensemble, its members."""
        if engine_key not in self._known:
            engine, to_engine = self.release.artifacts[engine_key].engine, self.release.catalogue.to_engine
            keys = [engine_key]
            if isinstance(engine, Recipe):
                keys = [key for key in engine.members if engine.weights.get(key, 0) > 0 and key in to_engine]
            masks = [to_engine[key] >= 0 for key in keys]
            self._known[engine_key] = np.any(masks, axis=0) if masks else np.zeros(len(self.release.catalogue), bool)
        return self._known[engine_key]

    def missing(self, engine_key: str) -> Rows:
        """Return the judge's rows of items that an engine was trained without: the last OVERLAY_MAX_ITEMS by id."""
        if engine_key not in self._missing:
            known = self.known(engine_key)[self.release.catalogue.from_engine[self.judge]]
            rows = np.flatnonzero(~known)[-conf.settings.OVERLAY_MAX_ITEMS :]
            self._missing[engine_key] = rows.astype(np.int32)
        return self._missing[engine_key]

    def rows(self, laid: LaidItems) -> Rows:
        """Return the catalogue rows of the laid items, -1 = new to every engine; found once per state."""
        found = self._rows
        if found is None or found[0] is not laid:
            found = self._rows = (laid, self.release.catalogue.rows(laid.ids))
        return found[1]

    def are_known(self, engine_key: str, rows: Rows) -> NDArray[np.bool_]:
        """Return which catalogue rows (-1 = none) an engine was trained with."""
        known = np.zeros(len(rows), dtype=bool)
        known[rows >= 0] = self.known(engine_key)[rows[rows >= 0]]
        return known

    @cached_property
    def sample(self) -> Rows:
        """(s,) rows of the judge, spread evenly over its items."""
        n = len(self.release.artifacts[self.judge].items)
        return np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int32)) if n else np.empty(0, np.int32)


@dataclass(frozen=True)
class Overlay:
    """The overlay as one request sees it.

    Attributes:
        cover: the release's side.
        laid: the items.
    """

    cover: Cover
    laid: LaidItems

    def merged(
        self,
        engine_key: str,
        request: ServingRequest,
        proposals: Proposals,
        k: int,
        among: Container[Any] | None = None,
    ) -> Proposals:
        """Return an engine's proposals with the overlay's items among them, at most k, best first.

        An engine that can encode items scores them itself. To other personal engines they are
        guests, placed by what the judge says of them (``place_guests``); so are items that the
        judge was trained with and the engine was not. What everybody gets alike (popular, newest)
        stays as it is. Never raises: on an error the proposals come back unchanged.

        Args:
            among: the only ids that may be added; None = all.
        """
        try:
            merged = self._with_own_scores(engine_key, request, proposals, k, among)
            return self._with_guests(engine_key, request, merged, k, among)
        except Exception:  # around an engine call
            logger.exception("The new items of %s cannot be merged into %s.", self.cover.release.use_case, engine_key)
            return proposals

    def newer_than(self, engine_key: str, ids: Iterable[Any]) -> set[Any]:
        """Return those ids that an engine was trained without."""
        ids = list(ids)
        known = self.cover.are_known(engine_key, self.cover.release.catalogue.rows(ids))
        return {item_id for item_id, is_known in zip(ids, known, strict=True) if not is_known}

    def _with_own_scores(
        self, key: str, request: ServingRequest, proposals: Proposals, k: int, among: Container[Any] | None
    ) -> Proposals:
        if key not in self.laid.encoded:
            return proposals
        engine: Any = self.cover.release.artifacts[key].engine
        scores = self._visible(request, engine.score_encoded(request.batch(key), self.laid.encoded[key])[0], among)
        best = np.argsort(-scores, kind="stable")[:k]  # NaN comes last
        best = best[np.isfinite(scores[best])]
        scored = [(self.laid.ids[row], float(scores[row])) for row in best]
        rescored = {item_id for item_id, _ in proposals if np.isfinite(scores[self.laid.row_of.get(item_id, -1)])}
        return with_scores([proposal for proposal in proposals if proposal[0] not in rescored], scored, k)

    def _with_guests(
        self, key: str, request: ServingRequest, proposals: Proposals, k: int, among: Container[Any] | None
    ) -> Proposals:
        judge = self.cover.judge
        if key == judge or not proposals or not self.cover.release.artifacts[key].engine.uses_history:
            return proposals
        laid_rows, missing = self._guest_rows(key)
        if not len(laid_rows) and not len(missing):
            return proposals
        judged = self.cover.release.artifacts[judge].items
        ids = [item_id for item_id, _ in proposals]
        own, laid = self._opinions(request, np.concatenate((judged.rows(ids), self.cover.sample, missing)))
        sample_end = len(ids) + len(self.cover.sample)
        opinions, sample, of_missing = np.split(own, [len(ids), sample_end])
        edited = [self.laid.row_of.get(item_id, -1) for item_id in ids]
        opinions = np.where(np.isfinite(laid[edited]), laid[edited], opinions)
        guests = np.concatenate((laid[laid_rows], of_missing))
        scores = np.array([score for _, score in proposals])
        placed = place_guests(scores, opinions, guests, sample, len(judged))
        named = self._named(placed, laid_rows, missing)
        return with_scores(proposals, [guest for guest in named if _is_wanted(guest[0], request, among)], k)

    def _opinions(self, request: ServingRequest, rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the judge's scores of its own ``rows``, and of the laid items with a NaN after the last."""
        engine: Any = self.cover.release.artifacts[self.cover.judge].engine
        batch = request.batch(self.cover.judge)
        encoded = self.laid.encoded.get(self.cover.judge)
        if encoded is None:
            return engine.score(batch, rows)[0], np.array([np.nan], dtype=np.float32)
        own, laid = engine.score_both(batch, rows, encoded)
        return own[0], np.append(laid[0], np.float32(np.nan))

    def _named(self, placed: list[tuple[int, float]], laid_rows: Rows, missing: Rows) -> Proposals:
        items, n_laid = self.cover.release.artifacts[self.cover.judge].items, len(laid_rows)
        return [
            (self.laid.ids[laid_rows[guest]] if guest < n_laid else items.ids([missing[guest - n_laid]])[0], score)
            for guest, score in placed
        ]

    def _guest_rows(self, key: str) -> tuple[Rows, Rows]:
        """Return what an engine was trained without: rows of laid items, and rows of the judge that are not laid.

        Laid items that the engine scored itself are no guests.
        """
        catalogue, rows = self.cover.release.catalogue, self.cover.rows(self.laid)
        missing = self.cover.missing(key)
        if len(missing) and len(rows):
            missing = missing[~np.isin(missing, catalogue.engine_rows(self.cover.judge, rows))]
        if key in self.laid.encoded:
            return np.empty(0, np.int32), missing
        return np.flatnonzero(~self.cover.are_known(key, rows)).astype(np.int32), missing

    def _visible(
        self, request: ServingRequest, scores: NDArray[np.float32], among: Container[Any] | None
    ) -> NDArray[np.float32]:
        """Return the scores with NaN for what need not be proposed, and a NaN after the last."""
        scores = np.append(scores, np.float32(np.nan))
        if among is not None:
            scores[[row for row, item_id in enumerate(self.laid.ids) if item_id not in among]] = np.nan
        scores[[self.laid.row_of[item_id] for item_id in request.hidden if item_id in self.laid.row_of]] = np.nan
        return scores


def _is_wanted(item_id: Any, request: ServingRequest, among: Container[Any] | None) -> bool:
    return item_id not in request.hidden and (among is None or item_id in among)


_covers: dict[str, tuple[Cover, ...]] = {}


def overlay_of(use_case: UseCase, release: LoadedRelease) -> Overlay | None:
    """Return the overlay of a release, refreshed at most every OVERLAY_SECONDS; never raises.

    None where items cannot be laid over: the use case declares no ``changed_at``, or the release
    has no engine that scores items by their features.
    """
    if use_case.changed_at is None:
        return None
    covers = _covers.get(use_case.key, ())
    cover = next((cover for cover in covers if cover.release is release), None) or _added(use_case, release, covers)
    return Overlay(cover, cover.reader.current()) if cover else None


def leave(use_case_key: str, numbers: Container[int]) -> None:
    """Drop the overlays of some releases, which hold them in memory."""
    covers = _covers.get(use_case_key, ())
    _covers[use_case_key] = tuple(cover for cover in covers if cover.release.number not in numbers)


def forget() -> None:
    """Drop every overlay; the next request reads anew."""
    _covers.clear()


def _added(use_case: UseCase, release: LoadedRelease, covers: tuple[Cover, ...]) -> Cover | None:
    found = {key: release.artifacts[key] for key in JUDGES if key in release.artifacts}
    encoders = {key: (artifact.engine, artifact.items) for key, artifact in found.items()}
    encoders = {key: pair for key, pair in encoders.items() if isinstance(pair[0], Encoder)}
    if not encoders:
        return None
    judge = next(iter(encoders))
    reader = next((cover.reader for cover in covers if _has(cover.reader, encoders)), None)
    since = found[judge].manifest.knows_until
    cover = Cover(release, reader or OverlayReader(use_case, encoders, since), judge)  # type: ignore[arg-type]
    pins = pinned_numbers(use_case.key)
    served = covers if release.number in pins else [each for each in covers if _is_served(each, release, pins)]
    _covers[use_case.key] = (cover, *served)[:KEPT]
    return cover


def _is_served(cover: Cover, release: LoadedRelease, pins: Container[int]) -> bool:
    """Tell whether a cover is of a release that serves beside this one; others would be kept in memory."""
    return cover.release.number == release.number or cover.release.number in pins


def _has(reader: OverlayReader, encoders: dict[str, Any]) -> bool:
    """Tell whether a reader encodes with these very engines: a release may share them with the one before."""
    return reader.encoders.keys() == encoders.keys() and all(
        reader.encoders[key][0] is engine for key, (engine, _) in encoders.items()
    )


conf.on_reload.append(forget)
