"""``manage.py recommender_ramp``: take the steps of experiments' ramps that are due."""

from __future__ import annotations

from typing import Any

from recommender_app.experiments.ramping import ramp_due
from recommender_app.management.base import RecommenderCommand


class Command(RecommenderCommand):
    """Ramps and says what was done, and what waits."""

    help = (
        "Enrol more units in the running experiments whose next step is due, unless something speaks against it: too "
        "few days since the step before, no snapshot of the last two days, anything red in it, a pause, or a step that "
        "waits for a person. Celery beat and recommender_work do this once an hour; twice is harmless."
    )
    examples = (("", "every running experiment"),)

    def run(self, **options: Any) -> None:
        lines = ramp_due("recommender_ramp")
        if options["verbosity"]:
            self.stdout.write("\n".join(lines) or "No step is due that has not said already why it waits.")
