"""Several questions at once: p-values adjusted for how many there are."""

from __future__ import annotations

from collections.abc import Mapping


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return adjusted p-values, one below alpha by luck alone in at most alpha of all experiments.

    For the primary metric: one p-value per treatment. Nothing about them is assumed.
    """
    in_order, n = sorted(p_values, key=lambda key: p_values[key]), len(p_values)
    adjusted, highest = {}, 0.0
    for place, key in enumerate(in_order):
        highest = max(highest, min(1.0, (n - place) * p_values[key]))
        adjusted[key] = highest
    return {key: adjusted[key] for key in p_values}


def benjamini_hochberg(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return adjusted p-values, of which those below alpha are luck in about alpha of the cases.

    For the secondary metrics, which show where to look and decide nothing.
    """
    in_order, n = sorted(p_values, key=lambda key: p_values[key]), len(p_values)
    adjusted, lowest = {}, 1.0
    for place in range(n, 0, -1):
        key = in_order[place - 1]
        lowest = min(lowest, p_values[key] * n / place)
        adjusted[key] = lowest
    return {key: adjusted[key] for key in p_values}
