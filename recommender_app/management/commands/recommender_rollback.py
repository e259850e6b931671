"""``manage.py recommender_rollback``: make an earlier release live again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from recommender_app.management.base import RecommenderCommand
from recommender_app.registry.releases import roll_back
from recommender_app.usecases.site import get_use_case


class Command(RecommenderCommand):
    """Rolls back."""

    help = "Make the release live again that was live before, or the one that --to names."
    needs = "a use case"
    examples = (
        ("movies", "the release before the live one"),
        ("movies --to 4 --by ann --reason 'als_v7 forgets new films'", "a certain release, and who and why"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", help="Key of the use case.")
        parser.add_argument("--to", type=int, metavar="N", help="Number of the release: recommender_models lists them.")
        parser.add_argument("--by", default="command", metavar="NAME", help="Who rolls back.")
        parser.add_argument("--reason", default="", metavar="TEXT", help="Why.")

    def run(self, **options: Any) -> None:
        key = get_use_case(options["use_case"]).key
        release = roll_back(key, to=options["to"], by=options["by"], reason=options["reason"])
        versions = ", ".join(member.version.name for member in release.members.select_related("version"))
        self.stdout.write(self.style.SUCCESS(f"{release} is live again: {versions}."))
