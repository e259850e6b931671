"""Plain text tables for the end of a command."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from recommender_app.evaluation.evaluate import Evaluation

DEFAULT_METRICS = (
    "precision@10",
    "recall@10",
    "ndcg@10",
    "map@10",
    "mrr@10",
    "hit_rate@10",
    "coverage@10",
    "diversity@10",
    "novelty@10",
)


def metric_table(evaluation: Evaluation, metrics: Sequence[str] = DEFAULT_METRICS) -> str:
    """Return engines as rows, metrics as columns, the protocol as the last line."""
    body = [
        [name, *(format_number(measured.get(metric, math.nan)) for metric in metrics)]
        for name, measured in evaluation.engines.items()
    ]
    return text_table(["engine", *metrics], body) + f"\n({evaluation.protocol})"


def text_table(header: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return aligned columns: the first to the left, the others to the right."""
    rows = [list(header), *map(list, body)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [_line(row, widths) for row in rows]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def format_number(value: float) -> str:
    """Return four decimals, or "-" for NaN."""
    return "-" if math.isnan(value) else f"{value:.4f}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return "  ".join([first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]).rstrip()
