"""How read-outs are said in words."""

from __future__ import annotations

from collections.abc import Sequence

from recommender_app.experiments.statistics.read_out import ReadOut


def change(read_out: ReadOut, *, is_share: bool = False) -> str:
    """Return a difference and its interval: relative, or absolute where control is too near to zero.

    Args:
        is_share: whether the rates are parts of a whole, which are said in per cent.
    """
    rates = f"{value(read_out.treatment, is_share=is_share)} against {value(read_out.control, is_share=is_share)}"
    if read_out.relative is None or read_out.relative_low is None or read_out.relative_high is None:
        low, high = (gap(each, is_share=is_share) for each in (read_out.low, read_out.high))
        unit = " points" if is_share else ""
        return f"{rates}, {gap(read_out.difference, is_share=is_share)} ({low} to {high}){unit}"
    return f"{rates}, {read_out.relative:+.1%} ({read_out.relative_low:+.1%} to {read_out.relative_high:+.1%})"


def value(rate: float, *, is_share: bool) -> str:
    """Return a rate: of a share in per cent, to four digits in any case."""
    return f"{100 * rate:.4g}%" if is_share else f"{rate:.4g}"


def gap(difference: float, *, is_share: bool) -> str:
    """Return a difference of two rates: of shares in points, hundredths of the whole."""
    return f"{100 * difference:+.3g}" if is_share else f"{difference:+.3g}"


def called(arm: str, name: str) -> str:
    """Return what an arm is called: by its name, with the key where that is another one."""
    return arm if not name or name.casefold() == arm.casefold() else f"{name} ({arm})"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
