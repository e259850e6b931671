"""How long it takes until enough users are enrolled, given the ramp and how many users the site sees."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_DAYS = 182  # half a year; later, users and catalogue are others


def days_needed(
    users: int, seen: Sequence[float], ramp: Sequence[tuple[int, float]], longest: int = LONGEST_DAYS
) -> int | None:
    """Return the days until so many users are enrolled; None if they are not within ``longest`` days.

    Args:
        users: of all arms together.
        seen: different eligible users that the site sees within 1, 2, 3, ... days, from its logs;
            beyond the last one it is taken to grow like on the last day.
        ramp: (days after the start, share of users that are enrolled from then on).
    """
    return next((days for days in range(1, longest + 1) if enrolled_after(days, seen, ramp) >= users), None)


def enrolled_after(days: int, seen: Sequence[float], ramp: Sequence[tuple[int, float]]) -> float:
    """Return the users that are enrolled after some days.

    A step lets in the users of its part of the number line who come from its day on, whether they
    were there before or not. A step down lets nobody out.
    """
    enrolled, highest = 0.0, 0.0
    for start, share in sorted(ramp):
        if start < days and share > highest:
            enrolled += (share - highest) * _seen_within(days - start, seen)
            highest = share
    return enrolled


def _seen_within(days: int, seen: Sequence[float]) -> float:
    if not seen:
        return 0.0
    if days <= len(seen):
        return seen[days - 1]
    growth = seen[-1] - (seen[-2] if len(seen) > 1 else 0.0)
    return seen[-1] + (days - len(seen)) * growth
