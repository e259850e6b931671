"""The plots of a study, as SVG text. matplotlib is imported when a plot is drawn, in training processes only."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from recommender_app.evaluation.curves import Curve, LongTail
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.intervals import Estimate, estimate
from recommender_app.evaluation.labels import label_of
from recommender_app.exceptions import ConfigurationError

INK, FAINT = "#333333", "#d9d9d9"
BLUES = ("#08306b", "#4292c6", "#c6dbef")  # head, middle, tail: dark to light, also in grey print
SHARES = (("most popular 10 %", 9, 10), ("next 20 %", 7, 9), ("other 70 %", 0, 7))
STYLE: dict[Any, Any] = {
    "font.size": 10.5,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#999999",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "recommender_app",  # the same study, the same bytes
    "svg.fonttype": "path",  # looks the same where a font is missing
}


def bars(evaluation: Evaluation, titles: Mapping[str, str], seed: int) -> str:
    """Return bars with 95 % intervals, a panel per metric, best engine of the last metric on top."""
    order = ranking(evaluation, list(titles)[-1])
    found = estimate(evaluation, list(titles), seed)
    with _figure(len(titles), height=0.9 + 0.42 * len(order)) as (axes, svg):
        for panel, (metric, title) in zip(axes, titles.items(), strict=True):
            for place, engine in enumerate(order):
                _bar(panel, place, found[engine][metric], label_of(engine).colour)
            panel.set_title(title)
            panel.grid(axis="x", color=FAINT, linewidth=0.6)
            panel.set_axisbelow(True)
            panel.set_xlim(left=0)
            panel.spines["left"].set_visible(False)
            panel.tick_params(axis="y", length=0)
        _name_engines(axes[0], order)
        return svg()


def dots(groups: Mapping[str, Evaluation], metric: str, seed: int) -> str:
    """Return a panel per group of users: each engine's mean with its interval, one common scale."""
    order = ranking(list(groups.values())[-1], metric)
    with _figure(len(groups), height=1.2 + 0.36 * len(order), share_x=True) as (axes, svg):
        for panel, (name, evaluation) in zip(axes, groups.items(), strict=True):
            found, plural = estimate(evaluation, [metric], seed), "" if evaluation.n_users == 1 else "s"
            for place, engine in enumerate(order):
                interval, label = found[engine][metric].interval, label_of(engine)
                panel.plot(
                    [interval.low, interval.high], [place, place], color=label.colour, linewidth=2, clip_on=False
                )
                panel.plot(interval.mean, place, label.marker, color=label.colour, markersize=7, clip_on=False)
            panel.set_title(f"{name}\n{evaluation.n_users:,} user{plural}", fontsize=10.5)
            panel.grid(axis="both", color=FAINT, linewidth=0.6)
            panel.spines["left"].set_visible(False)
            panel.tick_params(axis="y", length=0)
            panel.set_xlabel(metric.upper())
        _name_engines(axes[0], order)
        axes[0].set_xlim(left=0)
        return svg()


def precision_recall(curves: Mapping[str, Curve], order: list[str]) -> str:
    """Return precision over recall, a line per engine, a mark at every fifth list length."""
    with _figure(1, height=4.2, width=7.2) as (axes, svg):
        panel = axes[0]
        for engine in order:
            curve, label = curves[engine], label_of(engine)
            marks = [place for place in range(len(curve.recall)) if place == 0 or (place + 1) % 5 == 0]
            _line(panel, curve.recall, curve.precision, engine, marks)
            if engine == order[0]:
                for place in marks:
                    at = (curve.recall[place], curve.precision[place])
                    panel.annotate(
                        f"top {place + 1}", at, (5, 6), textcoords="offset points", fontsize=9, color=label.colour
                    )
        panel.set_xlabel("recall: share of what users chose later that was recommended")
        panel.set_ylabel("precision: share of places that were hits")
        panel.margins(x=0.12, y=0.1)
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=0)
        panel.grid(color=FAINT, linewidth=0.6)
        _legend(panel)
        return svg()


def histories(groups: Mapping[str, Evaluation], metric: str, order: list[str]) -> str:
    """Return a line per engine over growing histories."""
    with _figure(1, height=3.8, width=7.2) as (axes, svg):
        panel = axes[0]
        places = np.arange(len(groups))
        for engine in order:
            values = np.array([evaluation.engines[engine][metric] for evaluation in groups.values()])
            _line(panel, places, values, engine, list(places))
        panel.set_xticks(places, list(groups))
        panel.set_xlabel("what the engines know of each user")
        panel.set_ylabel(metric.upper())
        panel.set_ylim(bottom=0)
        panel.grid(axis="y", color=FAINT, linewidth=0.6)
        _legend(panel)
        return svg()


def long_tail(tail: LongTail, order: list[str]) -> str:
    """Return stacked bars: from which part of the catalogue the recommended places come."""
    rows = {"what users chose before": tail.interactions, **{label_of(key).name: tail.engines[key] for key in order}}
    with _figure(1, height=1.3 + 0.4 * len(rows), width=9.2) as (axes, svg):
        panel = axes[0]
        for place, shares in enumerate(rows.values()):
            left = 0.0
            for (name, first, last), colour in zip(SHARES, BLUES, strict=True):
                width = 100 * float(shares[first:last].sum())
                panel.barh(place, width, left=left, color=colour, height=0.68, label=name if place == 0 else None)
                if width >= 6:
                    ink = INK if colour == BLUES[-1] else "white"
                    panel.text(left + width / 2, place, f"{width:.0f} %", ha="center", va="center", color=ink)
                left += width
        panel.set_yticks(range(len(rows)), list(rows))
        panel.invert_yaxis()
        panel.set_xlim(0, 100)
        panel.set_xlabel(f"% of the first {tail.length} places, by popularity of the item")
        panel.tick_params(axis="y", length=0)
        panel.spines["left"].set_visible(False)
        panel.axhline(0.5, color="#999999", linewidth=0.8)
        panel.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
        return svg()


def ranking(evaluation: Evaluation, metric: str) -> list[str]:
    """Return the engines, best first; those without a value last."""
    means = {engine: measured[metric] for engine, measured in evaluation.engines.items()}
    return sorted(means, key=lambda engine: -np.inf if np.isnan(means[engine]) else means[engine], reverse=True)


def _bar(panel: Any, place: int, found: Estimate, colour: str) -> None:
    interval = found.interval
    if np.isnan(interval.mean):
        panel.text(0, place, "  no value", va="center", color="#777777")
        return
    panel.barh(place, interval.mean, color=colour, height=0.68, alpha=0.9)
    panel.plot([interval.low, interval.high], [place, place], color="white", linewidth=3.2, alpha=0.6)
    panel.plot([interval.low, interval.high], [place, place], color=INK, linewidth=1.4, marker="|", markersize=7)
    panel.annotate(
        f"{interval.mean:.3f}", (interval.high, place), (5, 0), textcoords="offset points", va="center", fontsize=9.5
    )


def _line(panel: Any, x: Any, y: Any, engine: str, marks: list[int]) -> None:
    label = label_of(engine)
    width = 2.6 if engine == "ensemble" else 1.7
    panel.plot(
        x,
        y,
        color=label.colour,
        marker=label.marker,
        markevery=marks,
        markersize=6.5,
        linewidth=width,
        label=label.name,
    )


def _name_engines(panel: Any, order: list[str]) -> None:
    panel.set_yticks(range(len(order)), [label_of(engine).name for engine in order])
    panel.set_ylim(len(order) - 0.4, -0.6)


def _legend(panel: Any) -> None:
    panel.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, handlelength=2.4, labelspacing=0.8)


@contextmanager
def _figure(
    n_panels: int, height: float, width: float = 9.2, *, share_x: bool = False
) -> Iterator[tuple[Any, Callable[[], str]]]:
    """Yield panels side by side, sizes in inches, and the function that gives the finished SVG."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError("Plots need matplotlib: pip install 'django-recommender-app[train]'.") from None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(1, n_panels, sharey=True, sharex=share_x, squeeze=False)[0]
        yield axes, lambda: _svg(figure)


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
