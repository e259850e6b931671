"""What an explanation says: codes, and texts in the language of the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

BECAUSE_YOU_LIKED = "because_you_liked"
MATCHES_YOUR_PROFILE = "matches_your_profile"
POPULAR = "popular"
TRENDING = "trending"
NEW = "new"
REASONS = (BECAUSE_YOU_LIKED, MATCHES_YOUR_PROFILE, POPULAR, TRENDING, NEW)

N_ITEMS = 2  # items that a text names
N_TERMS = 3  # words that a text names
WEEK = 7


@dataclass(frozen=True)
class Reason:
    """Why an item is in the list.

    Attributes:
        code: one of REASONS.
        evidence: what speaks for it, strongest first: ids of items that the user liked; words of
            the profile; the category for what is popular.
        text: the same for people.
    """

    code: str
    evidence: tuple[Any, ...] = ()
    text: str = ""


def because_of_items(ids: Sequence[Any], names: Sequence[str], *, are_liked: bool = True) -> Reason:
    """Return the reason of up to N_ITEMS liked items; of none where they may not be named.

    Args:
        are_liked: whether the user did more than look at them; nobody is told to like what they viewed.
    """
    ids, names = ids[:N_ITEMS], names[:N_ITEMS]
    if not ids:
        text = gettext("similar to what you liked") if are_liked else gettext("similar to what interested you")
    elif len(ids) == 1:
        told = gettext("because you liked %(item)s") if are_liked else gettext("because %(item)s interested you")
        text = told % {"item": names[0]}
    else:
        liked = gettext("because you liked %(first)s and %(second)s")
        told = liked if are_liked else gettext("because %(first)s and %(second)s interested you")
        text = told % {"first": names[0], "second": names[1]}
    return Reason(BECAUSE_YOU_LIKED, tuple(ids), text)


def because_of_words(words: Sequence[str], field: str = "") -> Reason:
    """Return the reason of words that the profile and the item share; ``field`` names where they come from."""
    told = ", ".join(words)
    if field:
        text = gettext("matches your %(field)s: %(words)s") % {"field": field, "words": told}
    else:
        text = gettext("matches your profile: %(words)s") % {"words": told}
    return Reason(MATCHES_YOUR_PROFILE, tuple(words), text)


def because_popular(category: str = "") -> Reason:
    """Return the reason of what many like, in a category if it has one."""
    if not category:
        return Reason(POPULAR, (), gettext("popular"))
    return Reason(POPULAR, (category,), gettext("popular in %(category)s") % {"category": category})


def because_trending(window_days: float, category: str = "") -> Reason:
    """Return the reason of what many liked in the last days."""
    days = max(round(window_days), 1)
    values = {"category": category, "days": days}
    if category and days == WEEK:
        text = gettext("popular in %(category)s this week")
    elif category:
        text = ngettext("popular in %(category)s today", "popular in %(category)s in the last %(days)d days", days)
    elif days == WEEK:
        text = gettext("popular this week")
    else:
        text = ngettext("popular today", "popular in the last %(days)d days", days)
    return Reason(TRENDING, (category,) if category else (), text % values)


def because_new() -> Reason:
    """Return the reason of what is there since a short while."""
    return Reason(NEW, (), gettext("new here"))
