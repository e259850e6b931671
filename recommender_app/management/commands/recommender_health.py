"""``manage.py recommender_health``: what is live, what is wrong, which policy serves and why."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from recommender_app.evaluation.report import text_table
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.serving.health import DEGRADED, health
from recommender_app.serving.policies import policy_for
from recommender_app.serving.policy_tables import policy_rows

ENGINES = ("engine", "version", "state")
POLICY = ("policy", "value", "decided by")


class Command(RecommenderCommand):
    """Prints the health of a process that starts now."""

    help = (
        "Load what is live as a starting web process does, and say what is wrong and which policy serves. Exit code 1 "
        "where it is degraded. Breakers and lost rows belong to each process: GET health/ asks one that serves."
    )
    examples = (("", "every use case"), ("movies", "one of them"))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")

    def run(self, **options: Any) -> None:
        told = health(chosen_use_cases(options["use_cases"]))
        for key, state in told["use_cases"].items():
            self.stdout.write(self.style.MIGRATE_HEADING(f"{key}: {state['status']}"))
            self.stdout.write(_tables(key, state) + "\n")
        self.stdout.write(_training(told["training"]))
        self.stdout.write(_spool(told["spool"]))
        if told["status"] == DEGRADED:
            raise CommandError(_degraded(told))


def _degraded(told: dict[str, Any]) -> str:
    """Return the problems, one after the other, and what to do where the tables cannot be read."""
    is_read = all(state["is_row_readable"] for state in told["use_cases"].values())
    hint = "" if is_read else " Is the database there and migrated? manage.py migrate"
    return f"Degraded: {'; '.join(problem.rstrip('.') for problem in told['problems'])}.{hint}"


def _training(state: dict[str, Any]) -> str:
    seen = f"last seen {state['last_seen_at'][:16]}" if state["last_seen_at"] else "never seen"
    waiting = f"{state['n_waiting']} waiting" + (f" since {state['waiting_since'][:16]}" if state["n_waiting"] else "")
    return f"Training workers: {seen}; runs: {waiting}."


def _spool(state: dict[str, Any]) -> str:
    if not state["is_readable"]:
        return f"Spool: {state['folder']} cannot be read."
    oldest = "" if state["oldest_seconds"] is None else f", the oldest row for {state['oldest_seconds']:.0f} s"
    aside = f" {state['n_rejected_files']} files of lines were set aside." * bool(state["n_rejected_files"])
    return f"Spool: {state['n_bytes'] / 1e6:.2f} MB wait for the request log{oldest}.{aside}"


def _tables(key: str, state: dict[str, Any]) -> str:
    engines = [(name, engine["version"], _state(engine)) for name, engine in state["engines"].items()]
    release = f"release {state['release']}\n{text_table(ENGINES, engines)}" if engines else "Nothing is live."
    return f"{release}\n\n{text_table(POLICY, policy_rows(policy_for(key)))}"


def _state(engine: dict[str, Any]) -> str:
    words = [engine["problem"] or engine["note"] or ("in use" if engine["is_loaded"] else "not in use")]
    return ", ".join([*words, *["pinned"] * engine["is_pinned"], *["indexed"] * engine["has_index"]])
