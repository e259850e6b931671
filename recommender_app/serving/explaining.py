"""Why each result of an answer is there, from what its engine says of its own score."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from recommender_app.conf import settings
from recommender_app.serving.answer import Result
from recommender_app.serving.database import savepoint
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.overlay import Overlay
from recommender_app.serving.pool import EXPLORATION
from recommender_app.serving.profile_words import as_said, field_name
from recommender_app.serving.reasons import (
    N_TERMS,
    Reason,
    because_new,
    because_of_items,
    because_of_words,
    because_popular,
    because_trending,
)
from recommender_app.serving.request import ServingRequest
from recommender_app.serving.router import NEWEST
from recommender_app.serving.seen import Seen
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.naming import names_of_visible

logger = logging.getLogger(__name__)

N_EVIDENCE = 10  # asked of an engine: some of it may not be named, or says the same
LIKED_SHARE = 0.5  # of the strongest event's weight: with less, the user only took an interest


class Found(NamedTuple):
    """One piece of evidence in the host's words: an item id, or else a term."""

    item_id: Any
    term: str


class Explainer:
    """Finds the reasons of one answer.

    Args:
        request, release: what the engines were asked, and which; None where nothing is live.
        overlay: the new items among the results were placed by it.
        seen: what the request has looked up already.
    """

    def __init__(
        self,
        use_case: UseCase,
        user: Any,
        request: ServingRequest | None,
        release: LoadedRelease | None,
        overlay: Overlay | None,
        seen: Seen | None = None,
    ) -> None:
        self.use_case = use_case
        self.user = user
        self.request = request
        self.release = release
        self.overlay = overlay
        self.seen = seen

    def reasons(self, results: Sequence[Result]) -> list[Reason | None]:
        """Return a reason for each result, or None; one query at most, for names not read with the proposals."""
        evidence: dict[Any, list[Found]] = {}
        for source in dict.fromkeys(result.source for result in results):
            evidence |= self._evidence(source, [result.id for result in results if result.source == source])
        ids = {found.item_id for all_found in evidence.values() for found in all_found if found.item_id is not None}
        names = self._names(ids) if ids else {}
        return [self._reason(result, evidence.get(result.id, []), names) for result in results]

    def _names(self, ids: set[Any]) -> dict[Any, str]:
        with savepoint(self.use_case.items):
            return self.seen.names(ids) if self.seen else names_of_visible(self.use_case, self.user, ids)

    def _evidence(self, source: str, ids: list[Any]) -> dict[Any, list[Found]]:
        """Return {id: evidence} for the results of one source."""
        if self.request is None or self.release is None or source not in self.release.artifacts:
            return {}
        newer = self.overlay.newer_than(source, ids) if self.overlay else set()
        known = [item_id for item_id in ids if item_id not in newer]
        found = self._of_rows(source, known)
        if self.overlay:
            judge = source if source in self.overlay.laid.encoded else self.overlay.cover.judge
            found |= self._of_rows(self.overlay.cover.judge, list(newer))
            laid = newer if judge != source else set(ids)
            found |= self._of_laid(judge, [item_id for item_id in laid if item_id in self.overlay.laid.row_of])
        return found

    def _of_rows(self, key: str, ids: list[Any]) -> dict[Any, list[Found]]:
        """Ask an engine about items that it was trained with."""
        artifact = self.release.artifacts[key] if self.release else None
        if not ids or artifact is None or self.request is None or not artifact.engine.has_explanations:
            return {}
        rows = artifact.items.rows(ids)
        explained = artifact.engine.explain(self.request.batch(key), rows, N_EVIDENCE)
        return self._in_ids(key, ids, explained)

    def _of_laid(self, key: str, ids: list[Any]) -> dict[Any, list[Found]]:
        """Ask an engine about items that it encoded; those that it has nothing new to say about are left out."""
        if not ids or self.release is None or self.request is None or self.overlay is None:
            return {}
        engine: Any = self.release.artifacts[key].engine
        encoded = self.overlay.laid.encoded[key][[self.overlay.laid.row_of[item_id] for item_id in ids]]
        explained = engine.explain_encoded(self.request.batch(key), encoded, N_EVIDENCE)
        return {item_id: found for item_id, found in self._in_ids(key, ids, explained).items() if found}

    def _in_ids(self, key: str, ids: list[Any], explained: Any) -> dict[Any, list[Found]]:
        """Return {explained id: evidence} with the engine's rows as ids."""
        items = self.release.artifacts[key].items if self.release else None
        rows = sorted({one.row for evidence in explained for one in evidence if one.row >= 0})
        id_of = dict(zip(rows, items.ids(rows), strict=True)) if items and rows else {}
        return {
            item_id: [Found(id_of.get(one.row), one.term) for one in evidence if id_of.get(one.row) != item_id]
            for item_id, evidence in zip(ids, explained, strict=True)
        }

    def _reason(self, result: Result, evidence: list[Found], names: dict[Any, str]) -> Reason | None:
        nameable = [found for found in evidence if found.term or found.item_id in names]
        if nameable and nameable[0].term:
            return self._of_words([found.term for found in nameable if found.term])
        if evidence:
            ids = [found.item_id for found in nameable if not found.term]
            are_liked = self._liked.issuperset(ids or [found.item_id for found in evidence])
            return because_of_items(ids, [names[item_id] for item_id in ids], are_liked=are_liked)
        if result.source in (NEWEST, EXPLORATION) or self._is_new(result.id):
            return because_new()
        if result.source == "popular":
            return because_popular(self._category(result.item))
        if result.source == "trending" and self.release:
            engine: Any = self.release.artifacts["trending"].engine
            return because_trending(engine.window_days, self._category(result.item))
        return None

    @cached_property
    def _liked(self) -> set[Any]:
        """Items with which the user did something worth at least LIKED_SHARE of the strongest event."""
        if self.request is None:
            return set()
        history, enough = self.request.history, LIKED_SHARE * max(self.use_case.weights.values(), default=0.0)
        return {item_id for item_id, weight in zip(history.item_ids, history.weights, strict=True) if weight >= enough}

    def _of_words(self, terms: list[str]) -> Reason | None:
        profile = self.request.profile if self.request else None
        if profile is None:
            return None
        said = as_said(terms, profile)[:N_TERMS]
        name = field_name(self.use_case.users, [one.lookup for one in said])
        return because_of_words([one.value for one in said], name)

    def _is_new(self, item_id: Any) -> bool:
        return bool(self.overlay) and bool(np.all(self.overlay.cover.release.catalogue.rows([item_id]) < 0))  # type: ignore[union-attr]

    def _category(self, item: Any) -> str:
        """Return the item's value of the first category that stands in its own row; "" if there is none."""
        for name in self.use_case.item_categories:
            field = None if "__" in name else self.use_case.items._meta.get_field(name)
            if field is not None and not field.is_relation and getattr(item, name):
                display = getattr(item, f"get_{name}_display", None)
                return str(display() if display else getattr(item, name))
        return ""


def explained(
    use_case: UseCase,
    user: Any,
    request: ServingRequest | None,
    release: LoadedRelease | None,
    overlay: Overlay | None,
    results: Sequence[Result],
    seen: Seen | None = None,
) -> tuple[Result, ...]:
    """Return the results with their reasons (setting EXPLANATIONS); never raises: at worst there are none."""
    if not settings.EXPLANATIONS or not results:
        return tuple(results)
    try:
        reasons = Explainer(use_case, user, request, release, overlay, seen).reasons(results)
    except Exception:  # around an engine call
        logger.exception("An answer of %s stays unexplained.", use_case.key)
        return tuple(results)
    return tuple(replace(result, reason=reason) for result, reason in zip(results, reasons, strict=True))
