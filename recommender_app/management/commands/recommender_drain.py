"""``manage.py recommender_drain``: put what waits in the spool into the request log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from recommender_app.management.base import RecommenderCommand
from recommender_app.management.log_upkeep import drain_and_tell


class Command(RecommenderCommand):
    """Drains this host's spool."""

    help = (
        "Put the rows that the request log refused (a database that was away, a table that was locked) from this "
        "host's spool into the log. Twice is harmless. Lines that no row can be made of are set aside. Celery beat "
        "and recommender_work do it every minute; hosts without either need a cron job."
    )
    examples = (("", "empty the spool"),)

    def run(self, **options: Any) -> None:
        try:
            self.stdout.write(drain_and_tell())
        except OSError as error:
            raise CommandError(f"The spool cannot be read or written: {error}") from error
