"""``manage.py recommender_experiment_audit``: whether any unit was moved."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from recommender_app.experiments.auditing import Moved, count_rows, moved
from recommender_app.management.base import RecommenderCommand
from recommender_app.measurement.readouts.stored import experiment_of
from recommender_app.models import Phase

SHOWN = 20  # rows of a phase that are printed


class Command(RecommenderCommand):
    """Hashes every stored assignment again; exit code 1 where one is not what the hashes say."""

    help = (
        "Hash every assignment of an experiment again, row by row, and print those that are in another arm than their "
        "hash says, were enrolled outside the share of their time, or took over an arm that no session of theirs had. "
        "Whoever finds some must not believe the experiment's numbers."
    )
    examples = (("spring-ranking", "all phases"), ("spring-ranking --phase 2", "one phase"))

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the experiment and the phase."""
        parser.add_argument("experiment", help="Key of the experiment.")
        parser.add_argument("--phase", type=int, metavar="N", help="Number of one phase; all by default.")

    def run(self, **options: Any) -> None:
        """Audit; one line per phase, and one per row that is wrong."""
        phases = experiment_of(options["experiment"]).phases.order_by("number")
        if options["phase"] is not None:
            phases = phases.filter(number=options["phase"])
        if not phases:
            raise CommandError(f"{options['experiment']} has no such phase.")
        n_moved = sum(self._audit(phase) for phase in phases)
        if n_moved:
            raise CommandError(f"{n_moved} assignments are not what the hashes say: do not believe the numbers.")

    def _audit(self, phase: Phase) -> int:
        n_moved = 0
        for n_moved, row in enumerate(moved(phase), start=1):
            if n_moved <= SHOWN:
                self.stdout.write(_line(row))
        self.stdout.write(f"{phase}: {count_rows(phase)} assignments, {n_moved} mismatches.")
        return n_moved


def _line(row: Moved) -> str:
    where = f"in {row.stored}, by hash in {row.expected}" if row.expected else f"in {row.stored}"
    return f"  row {row.pk}, unit {row.unit_id} {where}: {row.problem}"
