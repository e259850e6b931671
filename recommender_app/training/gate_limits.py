"""What the gate asks for: the setting GATE, over it what the use case says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from recommender_app.conf import DEFAULTS, settings
from recommender_app.exceptions import UnknownUseCase
from recommender_app.usecases.site import get_use_case


@dataclass(frozen=True)
class GateLimits:
    """One number per question; shares are of what the live version has, see ``RECOMMENDER["GATE"]``.

    Attributes:
        min_users: hold-out users below which nothing is said about quality.
        live_tolerance: how much of the live version's ndcg@10 may be lost.
        popularity_tolerance: how much less than popularity's it may be; None = not compared.
        max_recall_drop: how much recall@10 may fall.
        min_coverage: of the live version's coverage.
        min_size: of the users, items and interactions of the live version's dataset.
        min_jaccard: of the popular lists.
        min_pushers: accounts that push an item; None = not looked for.
        max_slowdown: how many times slower it may be.
    """

    min_users: int
    live_tolerance: float
    popularity_tolerance: float | None
    max_recall_drop: float
    min_coverage: float
    min_size: float
    min_jaccard: float
    min_pushers: int | None
    max_slowdown: float

    @classmethod
    def of(cls, use_case_key: str) -> Self:
        """Return the limits of a use case; the settings' for one that is not declared any more."""
        try:
            own = get_use_case(use_case_key).gate
        except UnknownUseCase:
            own = {}
        chosen = {**DEFAULTS["GATE"], **settings.GATE, **own}
        return cls(**{name.lower(): value for name, value in chosen.items()})
