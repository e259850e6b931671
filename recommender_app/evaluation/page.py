"""A study as one self-contained HTML page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape

from recommender_app.evaluation import plots
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.findings import HITS, findings
from recommender_app.evaluation.intervals import Estimate, estimate
from recommender_app.evaluation.labels import METRICS, label_of
from recommender_app.evaluation.page_style import STYLE
from recommender_app.evaluation.report import format_number
from recommender_app.evaluation.study import Study
from recommender_app.evaluation.study_tables import HEADLINE, format_difference

BARS = {HITS: "Precision@10: hits per place", HEADLINE: "NDCG@10: hits, top places count more"}
LENGTHS = (5, 10, 20)
ACCURACY = ("precision", "recall", "ndcg", "map", "mrr", "hit_rate")
VARIETY = ("coverage", "diversity", "novelty", "popularity")


def page(study: Study, title: str) -> str:
    """Return the HTML of a report.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    body = [_header(study, title), _summary(study)]
    if study.overall.n_users:
        body += [_quality(study), _lengths(study), _groups(study), _histories(study), _tail(study), _numbers(study)]
    body += [_definitions(study), _footer(study)]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head><body><main>{"".join(body)}</main></body></html>\n'  # noqa: E501


def _header(study: Study, title: str) -> str:
    return f"<header><h1>{escape(title)}</h1><p>How it was measured: {escape(study.overall.protocol)}.</p></header>"


def _summary(study: Study) -> str:
    items = "".join(f"<li>{escape(_unbroken(sentence))}</li>" for sentence in findings(study))
    return f'<section class="summary"><h2>What this says</h2><ul>{items}</ul></section>'


def _unbroken(sentence: str) -> str:
    """Keep a number and its percent sign on one line."""
    return sentence.replace(" %", "\N{NO-BREAK SPACE}%")


def _quality(study: Study) -> str:
    drawn = plots.bars(study.overall, BARS, study.seed)
    text = (
        "Every engine made a list for the same users, from what was known before the cut, and was judged by what those "
        "users did after it. The thin lines are 95 % intervals: where they overlap widely, the difference may be luck."
    )
    return _section("Which engine finds what users want", text, _figure(drawn, "Bars of two metrics per engine"))


def _lengths(study: Study) -> str:
    drawn = plots.precision_recall(study.curves, plots.ranking(study.overall, HEADLINE))
    text = "Longer lists find more and are less precise. The further up and to the right a line runs, the better."
    return _section("Shorter or longer lists", text, _figure(drawn, "Precision over recall for lists of 1 to 20"))


def _groups(study: Study) -> str:
    drawn = plots.dots(study.cohorts, HEADLINE, study.seed)
    text = (
        "Users by what they had done before the cut. An engine at zero has nothing to say about such users: that is "
        "why the service chooses the engine by the number of interactions. The scale is the same in all panels; "
        "a group of few users says little."
    )
    return _section("New, occasional and frequent users", text, _figure(drawn, "A metric per engine and user group"))


def _histories(study: Study) -> str:
    groups = {**study.shortened, "everything": study.overall}
    drawn = plots.histories(groups, HEADLINE, plots.ranking(study.overall, HEADLINE))
    text = (
        "The same users and the same questions, but the engines are shown only the newest part of each history. "
        "It shows from how many interactions on an engine is worth using."
    )
    return _section("How much history an engine needs", text, _figure(drawn, "A metric per engine over history length"))


def _tail(study: Study) -> str:
    drawn = plots.long_tail(study.tail, plots.ranking(study.overall, HEADLINE))
    text = (
        "Where in the catalogue the recommendations come from. If an engine's bar is much darker than the first one, "
        "it pushes best sellers harder than users ask for; much lighter, it digs deep into the tail."
    )
    return _section("Best sellers and the long tail", text, _figure(drawn, "Shares of places by item popularity"))


def _numbers(study: Study) -> str:
    order = plots.ranking(study.overall, HEADLINE)
    found = {k: estimate(study.overall, [f"{name}@{k}" for name in ACCURACY], study.seed) for k in LENGTHS}
    tables = [f"<h3>The first {k} places</h3>{_accuracy_table(study.overall, found[k], order, k)}" for k in LENGTHS]
    columns = [f"{name}@10" for name in VARIETY]
    measured = [study.overall.engines[engine] for engine in order]
    rows = [[(format_number(means.get(metric, math.nan)), "") for metric in columns] for means in measured]
    tables.append(f"<h3>What the first 10 places are made of</h3>{_table(['engine', *VARIETY], order, rows)}")
    text = (
        "Bold: the best value. The last column compares NDCG with the best single engine on the same users, with its "
        "95 % interval; an interval without 0 is more than luck."
    )
    return _section("All numbers", text, "".join(tables))


def _accuracy_table(overall: Evaluation, found: Mapping[str, Mapping[str, Estimate]], order: list[str], k: int) -> str:
    columns = [f"{name}@{k}" for name in ACCURACY]
    best = {metric: max(overall.engines[engine][metric] for engine in order) for metric in columns}
    rows = []
    for engine in order:
        means = [(metric, overall.engines[engine][metric]) for metric in columns]
        cells = [(format_number(value), "best" if value == best[metric] else "") for metric, value in means]
        compared = found[engine][f"ndcg@{k}"]
        rows.append([*cells, (format_difference(compared), _verdict(compared))])
    return _table(["engine", *ACCURACY, "NDCG against the best single engine"], order, rows)


def _verdict(found: Estimate) -> str:
    if found.difference is None:
        return ""
    if found.difference.is_significantly_better:
        return "better"
    return "worse" if found.difference.is_significantly_worse else ""


def _definitions(study: Study) -> str:
    engines = "".join(
        f"<dt>{_dot(engine)}{escape(label_of(engine).name)}</dt><dd>{escape(label_of(engine).meaning)}</dd>"
        for engine in study.overall.engines
    )
    metrics = "".join(f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>" for name, meaning in METRICS.items())
    note = "<p class='note'>name@10 looks at the first 10 places of each list.</p>"
    return _section("Words", "", f"<dl>{engines}</dl>{note}<dl>{metrics}</dl>")


def _footer(study: Study) -> str:
    left_out = "".join(
        f"<p>{escape(label_of(engine).name)} is not in this comparison: {escape(reason)}</p>"
        for engine, reason in study.left_out.items()
    )
    return (
        f"<footer>{left_out}<p>Intervals: percentile bootstrap over users, 2,000 resamples, seed {study.seed}; "
        "differences are paired by user. The best single engine was chosen on these same users, "
        "which favours it a little.</p></footer>"
    )


def _section(title: str, text: str, content: str) -> str:
    lead = f"<p>{escape(text)}</p>" if text else ""
    return f"<section><h2>{escape(title)}</h2>{lead}{content}</section>"


def _figure(svg: str, label: str) -> str:
    return f'<figure role="img" aria-label="{escape(label)}">{svg}</figure>'


def _table(header: Iterable[str], engines: list[str], rows: list[list[tuple[str, str]]]) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = ""
    for engine, cells in zip(engines, rows, strict=True):
        drawn = "".join(
            f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>" for text, kind in cells
        )
        body += f"<tr><td>{_dot(engine)}{escape(label_of(engine).name)}</td>{drawn}</tr>"
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _dot(engine: str) -> str:
    return f'<span class="dot" style="background:{label_of(engine).colour}"></span>'
