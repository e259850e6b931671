"""How read-outs are said in words."""

from __future__ import annotations

from collections.abc import Sequence

from recommender_app.experiments.statistics.read_out import ReadOut


def change(read_out: ReadOut) -> str:
    """Return a difference and its interval: relative, or absolute where control is too near to zero."""
    rates = f"{read_out.treatment:.4g} against {read_out.control:.4g}"
    if read_out.relative is None or read_out.relative_low is None or read_out.relative_high is None:
        return f"{rates}, {read_out.difference:+.3g} ({read_out.low:+.3g} to {read_out.high:+.3g})"
    return f"{rates}, {read_out.relative:+.1%} ({read_out.relative_low:+.1%} to {read_out.relative_high:+.1%})"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
