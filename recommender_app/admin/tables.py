"""JSON columns as small HTML tables; every value is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

EMPTY = "-"


def html_table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> SafeString:
    """Return a table of plain cells."""
    head = format_html_join("", "<th>{}</th>", ((cell,) for cell in header))
    body = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows))
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)


def mapping_table(values: Any) -> SafeString | str:
    """Return {name: value} as two columns."""
    if not isinstance(values, Mapping) or not values:
        return EMPTY
    return html_table(("", ""), sorted((str(name), shown(value)) for name, value in values.items()))


def metrics_table(metrics: Any) -> SafeString | str:
    """Return the metrics of a version: metrics down, engines across, the protocol below."""
    if not isinstance(metrics, Mapping):
        return EMPTY
    engines = metrics.get("engines") or {}
    if not engines:
        return str(metrics.get("note") or EMPTY)
    names = dict.fromkeys(name for measured in engines.values() for name in measured)
    rows = [(name, *(shown(measured.get(name)) for measured in engines.values())) for name in names]
    return format_html("{}<p>{}</p>", html_table(("", *engines), rows), metrics.get("protocol", ""))


def checks_table(gate: Any) -> SafeString | str:
    """Return the verdict of a version: a row per check with its answer and its numbers."""
    if not isinstance(gate, Mapping) or not gate.get("checks"):
        return EMPTY
    rows = [
        (
            check.get("name"),
            check.get("outcome"),
            check.get("sentence"),
            ", ".join(f"{name} {shown(value)}" for name, value in (check.get("numbers") or {}).items()),
        )
        for check in gate["checks"]
    ]
    beside = f"Compared with {gate['compared_with']}." if gate.get("compared_with") else "Nothing was live before."
    return format_html("{}<p>{}</p>", html_table(("check", "answer", "why", "numbers"), rows), beside)


def shown(value: Any) -> str:
    """Return a JSON value as people read it."""
    if value is None:
        return EMPTY
    if isinstance(value, float):
        return f"{value:.4f}"
    return value if isinstance(value, str) else json.dumps(value)


def _cells(row: Sequence[Any]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((cell,) for cell in row))
