"""``manage.py recommender_export_user``: what is held on a person, as JSON, for an access request."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from recommender_app.management.base import RecommenderCommand
from recommender_app.privacy import export_user


class Command(RecommenderCommand):
    """Collects and writes."""

    help = (
        "Write what the app holds on a user, and what the host declares, as JSON: interactions, rows of the request "
        "log, events and roll-ups, names of datasets. Hand it to nobody but the person."
    )
    needs = "a use case and a user"
    examples = (
        ("movies 196", "print it"),
        ("movies 196 --out 196.json", "into a file that only you may read"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", help="Key of a use case whose user it is.")
        parser.add_argument("user_id", help="Primary key of the user.")
        parser.add_argument("--out", type=Path, metavar="FILE", help="A new file; printed if left out.")

    def run(self, **options: Any) -> None:
        found = export_user(options["use_case"], options["user_id"])
        text = json.dumps(found, cls=Encoder, indent=2, ensure_ascii=False)
        if options["out"] is None:
            self.stdout.write(text)
            return
        try:
            descriptor = os.open(options["out"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"Cannot write {options['out']}: {error.strerror}. Name a new file.") from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        self.stdout.write(f"Written to {options['out']}.")


class Encoder(DjangoJSONEncoder):
    """Also bytes of binary columns, as hexadecimal digits."""

    def default(self, o: Any) -> Any:
        """Return what JSON can say."""
        return bytes(o).hex() if isinstance(o, bytes | memoryview) else super().default(o)
