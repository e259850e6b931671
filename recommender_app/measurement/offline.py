"""What versions were measured to be when they were trained, to be read beside what they did online."""

from __future__ import annotations

from recommender_app.models import ModelVersion, Release

OfflineMetrics = dict[str, dict[str, float]]  # name of a version or engine -> {metric: value}

METRICS = ("precision@10", "ndcg@10", "coverage@10", "diversity@10")


def offline_metrics(use_case: str, by: str) -> OfflineMetrics:
    """Return the metrics of every version, or of each engine's live version; one query, none for other groups."""
    if by not in ("version", "engine"):
        return {}
    versions = ModelVersion.objects.filter(use_case=use_case)
    if by == "engine":
        versions = versions.filter(releases__status=Release.Status.LIVE)
    return {
        version.engine if by == "engine" else version.name: _chosen(version)
        for version in versions.only("engine", "number", "metrics")
    }


def _chosen(version: ModelVersion) -> dict[str, float]:
    measured = version.metrics.get("engines", {}).get(version.engine, {})
    return {name: measured[name] for name in METRICS if measured.get(name) is not None}
