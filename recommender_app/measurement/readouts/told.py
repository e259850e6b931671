"""What is told of a phase: its experiment and the snapshot of a day, as JSON values."""

from __future__ import annotations

from typing import Any

from recommender_app.measurement.readouts.tables import arms_of, rows_of
from recommender_app.models import Phase, Snapshot

NO_SNAPSHOT = "There is no snapshot yet: the first one is taken when the first day is over and rolled up."


def read_out_json(phase: Phase, snapshot: Snapshot | None) -> dict[str, Any]:
    """Return what the API answers and the command prints."""
    experiment = phase.experiment
    about = {
        "experiment": experiment.key,
        "name": experiment.name,
        "use_case": experiment.use_case,
        "status": experiment.status,
        "phase": phase.number,
        "started_at": phase.started_at,
        "ended_at": phase.ended_at,
    }
    if snapshot is None:
        nothing = {"as_of": None, "verdict": None, "code_version": None, "data_hash": None}
        return {
            **about,
            **nothing,
            "sentence": NO_SNAPSHOT,
            "health": [],
            "rows": [],
            "guardrails": [],
            "all_phases": [],
        }
    together = snapshot.results["all_phases"]
    return {
        **about,
        "as_of": snapshot.as_of,
        "verdict": snapshot.verdict,
        "sentence": snapshot.sentence,
        "health": snapshot.health,
        "rows": list(rows_of(snapshot)),
        "guardrails": snapshot.results["guardrails"],
        "all_phases": [{"arm": arm, **together[arm]} for arm in arms_of(snapshot.results) if arm in together],
        "code_version": snapshot.code_version,
        "data_hash": snapshot.data_hash,
    }
