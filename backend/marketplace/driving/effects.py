"""The true effect of an arm, which an experiment should find: ``ctr=+5%``."""

from __future__ import annotations

import re
from dataclasses import dataclass

KNOWN = ("ctr", "conversion", "satisfaction")
_EFFECT = re.compile(r"(?P<metric>[a-z]+)=(?P<percent>[+-]?\d{1,3}(\.\d{1,3})?)%")


@dataclass(frozen=True)
class Effects:
    """What the treatment multiplies probabilities by.

    Attributes:
        click: of a click on what is shown.
        apply: of an application after a click.
        like: of a like, instead of a dislike, after a click.
    """

    click: float = 1.0
    apply: float = 1.0
    like: float = 1.0

    def __str__(self) -> str:
        factors = zip(KNOWN, (self.click, self.apply, self.like), strict=True)
        return ", ".join(f"{metric} {100 * (factor - 1):+.4g}%" for metric, factor in factors if factor != 1) or "none"


NONE = Effects()


def parse_effects(texts: list[str]) -> Effects:
    """Return the effects that ``["ctr=+5%", "conversion=-2%"]`` says.

    Raises:
        ValueError: what is wrong, in one sentence.
    """
    factors = dict.fromkeys(KNOWN, 1.0)
    for text in texts:
        found = _EFFECT.fullmatch(text.strip())
        if found is None or found["metric"] not in KNOWN:
            raise ValueError(f"{text!r} is no effect: write one of {', '.join(KNOWN)} and a change, such as ctr=+5%.")
        change = float(found["percent"]) / 100
        if not -1 <= change <= 4:
            raise ValueError(f"{text!r}: a change is from -100% to +400%.")
        factors[found["metric"]] = 1 + change
    return Effects(factors["ctr"], factors["conversion"], factors["satisfaction"])
