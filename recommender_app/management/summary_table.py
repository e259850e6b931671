"""What came of a training, as one table and a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recommender_app.evaluation.report import text_table
from recommender_app.training.gate_quality import LIVE, METRIC, POPULAR
from recommender_app.training.summary import Ending, EngineResult, Summary

BESIDE_LIVE, BESIDE_POPULARITY = "beside live [95 %]", "beside popularity [95 %]"
HEADER = ("trained", "version", METRIC, "live", BESIDE_LIVE, "popularity", BESIDE_POPULARITY, "gate", "seconds")
NOTHING = "-"


def summary_table(summary: Summary) -> str:
    """Return a row per engine, beside its live version and popularity, and why what is not live is not."""
    lines = [text_table(HEADER, [_row(result) for result in summary.results])]
    lines += [f"{each.engine}: {each.told}" for each in summary.results if each.told != str(each.ending)]
    lines += _other_users(summary)
    lines += [f"{each.engine}: options from a search: {each.tuning}" for each in summary.results if each.tuning]
    return "\n".join(lines)


def _other_users(summary: Summary) -> list[str]:
    """Return a footnote on the versions that were judged on other users than they were measured on."""
    names = [each.engine for each in summary.results if each.model and _is_other(each)]
    users = "engines that answer newcomers are judged on all test users, newcomers included"
    return [f"{METRIC} of {', '.join(names)} is another one than above: {users}."] if names else []


def _is_other(result: EngineResult) -> bool:
    evaluation = result.model.evaluation if result.model else None
    judged = (_numbers(result, POPULAR) or _numbers(result, LIVE)).get("challenger")
    if evaluation is None or judged is None or result.engine not in evaluation.engines:
        return False
    return _shown(judged) != _shown(evaluation.engines[result.engine][METRIC])


def result_line(result: EngineResult) -> str:
    """Return one line about an engine as soon as it is done."""
    if result.model is None:
        return f"{result.engine}: {result.told}"
    version = result.model.version
    size = f"{result.seconds:.1f} s, {version.size_bytes / 1e6:.2f} MB, seed {version.seed}"
    return f"{version}: {version.status}, {size}"


def live_line(summary: Summary) -> str:
    """Return what went live; "" if nothing did."""
    if summary.release is None:
        return ""
    names = ", ".join(model.version.name for model in summary.models if model.release)
    return f"Live in {summary.release}: {names}."


def _row(result: EngineResult) -> Sequence[str]:
    beside_live, beside_popular = (_numbers(result, name) for name in (LIVE, POPULAR))
    known = beside_popular or beside_live
    return (
        result.engine,
        result.model.version.name if result.model else NOTHING,
        _shown(known.get("challenger")),
        _shown(beside_live.get("baseline")),
        _interval(beside_live),
        _shown(beside_popular.get("baseline")),
        _interval(beside_popular),
        _ending(result),
        f"{result.seconds:.1f}",
    )


def _numbers(result: EngineResult, name: str) -> dict[str, Any]:
    checks = result.verdict.checks if result.verdict else ()
    return next((check.numbers for check in checks if check.name == name), {})


def _shown(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"


def _interval(numbers: dict[str, Any]) -> str:
    if "baseline" not in numbers:
        return NOTHING
    difference = numbers["challenger"] - numbers["baseline"]
    return f"{difference:+.4f} [{numbers['low']:+.4f}, {numbers['high']:+.4f}]"


def _ending(result: EngineResult) -> str:
    if result.model and result.model.release and result.ending == Ending.PROMOTED:
        return f"passed, live in {result.model.release.number}"
    return str(result.ending)
