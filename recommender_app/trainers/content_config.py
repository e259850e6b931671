"""What the content trainer can be told."""

from __future__ import annotations

from dataclasses import dataclass

from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import TrainerConfig
from recommender_app.trainers.text_fit import MAX_WORDS


@dataclass(frozen=True)
class ContentConfig(TrainerConfig):
    """Options of the content trainer; defaults were chosen on validation parts of CiteULike-a and MovieLens-100k.

    Attributes:
        max_words: size of the vocabulary of words, and of that of category terms; at most 50,000.
        factors: length of the ALS vectors that features are mapped to. None: 256 on sparse data with
            at least 100,000 liked pairs, else as ALS chooses.
        iterations: of ALS.
        item_penalty: ridge penalty of item features -> factors.
        profile_penalty: ridge penalty of profile features -> factors.
        half_count: liked items at which history and profile weigh the same: c in n^2 / (n^2 + c^2).
        wording_share: deviation of the word comparison's scores, that of the factor scores being 1.
        max_profile_users: users that the profile map learns from, drawn at random beyond that.
        n_threads: of ALS; 0 = all cores; only 1 promises the same bytes for the same seed.
    """

    max_words: int = MAX_WORDS
    factors: int | None = None
    iterations: int = 10
    item_penalty: float = 0.5
    profile_penalty: float = 100.0
    half_count: float = 5.0
    wording_share: float = 0.4
    max_profile_users: int = 50_000
    n_threads: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.max_words <= MAX_WORDS:
            raise ConfigurationError(f"max_words={self.max_words} must be between 1 and {MAX_WORDS}.")
        for name in ("item_penalty", "profile_penalty", "half_count"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigurationError(f"{name}={getattr(self, name)} must be a positive number.")
        if not 0 <= self.wording_share < float("inf"):
            raise ConfigurationError(f"wording_share={self.wording_share} must be a number from 0 on.")
        if self.max_profile_users < 1:
            raise ConfigurationError(f"max_profile_users={self.max_profile_users} must be at least 1.")
