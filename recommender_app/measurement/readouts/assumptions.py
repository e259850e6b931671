"""What is assumed about a site that has no past yet: a rate, and how many new users come a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments.metrics import Metric
from recommender_app.experiments.statistics.sums import Totals


@dataclass(frozen=True)
class Assumed:
    """What a person says instead of the site's past; None = the past tells.

    Attributes:
        rate: of the primary metric, as control will have it: 0.05 = five per cent.
        users_per_day: who come each day and were not there before.
    """

    rate: float | None = None
    users_per_day: int | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is assumed."""
        return self.rate is not None or self.users_per_day is not None


def totals_assumed(metric: Metric, rate: float, users: int) -> Totals:
    """Return the sums of so many users of whom each tells once.

    That is careful: whoever is shown more tells more, unless a few users are shown most of it all.

    Raises:
        ConfigurationError: it can be no share, or nobody comes.
    """
    if not metric.is_share:
        raise ConfigurationError(f"A rate does not tell how users differ by {metric.label}: measure it for some days.")
    if not 0 < rate < 1:
        raise ConfigurationError(f"--rate is a share between 0 and 1, such as 0.05 for five per cent, not {rate:g}.")
    if users < 1:
        raise ConfigurationError("Nobody was answered in the last weeks: say who will come with --users-per-day.")
    y, n = users * rate, float(users)
    return Totals(users, y, n, y, n, y)


def seen_assumed(users_per_day: int, days: int) -> Sequence[int]:
    """Return how many different users come within 1, 2, 3, ... days.

    Raises:
        ConfigurationError: nobody does.
    """
    if users_per_day < 1:
        raise ConfigurationError(f"--users-per-day is a whole number from 1, not {users_per_day}.")
    return [users_per_day * day for day in range(1, days + 1)]


def said(assumed: Assumed, metric: Metric) -> str:
    """Return what is assumed, in a sentence."""
    parts = []
    if assumed.rate is not None:
        parts.append(f"{metric.label} {100 * assumed.rate:g} %, each user telling once (who is shown more tells more)")
    if assumed.users_per_day is not None:
        parts.append(f"{assumed.users_per_day:,} users a day who were not there before")
    return f"Assumed, not measured: {'; '.join(parts)}."
