"""``manage.py recommender_models``: what was trained, and what is live."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from recommender_app.evaluation.report import text_table
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.models import ModelVersion, Release
from recommender_app.registry.releases import live_release

VERSIONS = ("version", "status", "precision@10", "ndcg@10", "trained", "dataset", "MB", "gate")
RELEASES = ("release", "promoted", "by")


class Command(RecommenderCommand):
    """Lists versions and releases."""

    help = "List the newest versions and releases of use cases. An asterisk marks what is live."
    examples = (("", "every use case"), ("movies --last 50", "more of one"))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument("--last", type=int, default=10, metavar="N", help="How many of each; 10 by default.")

    def run(self, **options: Any) -> None:
        for use_case in chosen_use_cases(options["use_cases"]):
            self.stdout.write(self.style.MIGRATE_HEADING(use_case.key))
            self.stdout.write(_listing(use_case.key, max(options["last"], 1)) + "\n")


def _listing(key: str, last: int) -> str:
    versions = ModelVersion.objects.filter(use_case=key).order_by("-pk")[:last]
    if not versions:
        return f"Nothing has been trained yet: manage.py recommender_train {key} --promote"
    live = live_release(key)
    live_pks = {member.version_id for member in live.members.all()} if live else set()
    releases = Release.objects.filter(use_case=key).prefetch_related("members__version")[:last]
    tables = [text_table(VERSIONS, [_version_row(version, is_live=version.pk in live_pks) for version in versions])]
    if releases:
        tables.append(text_table(RELEASES, [_release_row(release) for release in releases]))
    return "\n\n".join(tables)


def _version_row(version: ModelVersion, *, is_live: bool) -> list[str]:
    measured = version.metrics.get("engines", {}).get(version.engine, {})
    precision, ndcg = (f"{measured[name]:.4f}" if name in measured else "-" for name in ("precision@10", "ndcg@10"))
    return [
        _marked(version.name, is_live),
        version.status if version.gone_at is None else f"{version.status}, gone",
        precision,
        ndcg,
        f"{version.created_at:%Y-%m-%d %H:%M}",
        version.dataset_fingerprint[:12] or "-",
        f"{version.size_bytes / 1e6:.2f}",
        str((version.gate or {}).get("outcome", "-")),
    ]


def _release_row(release: Release) -> list[str]:
    names = ", ".join(member.version.name for member in release.members.all())
    title = _marked(f"{release.number}: {names}", release.status == Release.Status.LIVE)
    return [title, f"{release.promoted_at:%Y-%m-%d %H:%M}", release.promoted_by or "-"]


def _marked(text: str, is_live: bool) -> str:
    return f"{'*' if is_live else ' '} {text}"
