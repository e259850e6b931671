"""``manage.py recommender_promote``: make a version live."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from recommender_app.management.base import RecommenderCommand
from recommender_app.registry.releases import promote
from recommender_app.registry.versions import find_version
from recommender_app.usecases.site import get_use_case


class Command(RecommenderCommand):
    """Promotes a version."""

    help = (
        "Make a version live: a new release of what is live now, with this version in the place of its engine's. "
        "Every process serves it within seconds; recommender_rollback takes it back."
    )
    needs = "a use case and a version"
    examples = (
        ("movies als_v3", "the third version of ALS"),
        ("movies als_v3 --by ann --reason 'better for new users'", "who and why, kept with the release"),
        ("movies als_v4 --force --by ann --reason 'trending is a fad'", "a version that the gate has rejected"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", help="Key of the use case.")
        parser.add_argument("version", help="Name of the version, such as als_v3: recommender_models lists them.")
        parser.add_argument("--by", default="command", metavar="NAME", help="Who promotes.")
        parser.add_argument("--reason", default="", metavar="TEXT", help="Why.")
        parser.add_argument("--force", action="store_true", help="Whatever the gate says; the trail tells.")

    def run(self, **options: Any) -> None:
        version = find_version(get_use_case(options["use_case"]).key, options["version"])
        release = promote(version, by=options["by"], reason=options["reason"], force=options["force"])
        self.stdout.write(self.style.SUCCESS(f"{version} is live in release {release.number}."))
