"""``manage.py recommender_forget_user``: remove what is held on a person, and say what was removed and what will be."""

from __future__ import annotations

import getpass
import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from recommender_app.evaluation.report import text_table
from recommender_app.management.base import RecommenderCommand
from recommender_app.privacy import forget_user, revoke_forgetting
from recommender_app.privacy.report import REMOVED, Line, Report

TITLES = ("what", "where", "number", "when")


class Command(RecommenderCommand):
    """Asks, forgets, prints the report."""

    help = (
        "Forget a user: in all use cases of the same user model, rows of the host (by forget() of the use cases), "
        "request log, events, roll-ups, spool and datasets are deleted; serving and every later export ignore the id "
        "at once; trainings are asked for, and versions that learned from the user are deleted once they are "
        "replaced, in FORGOTTEN_VERSIONS_DAYS at the latest. The user may be deleted in the host's tables already. "
        "Calling it twice is harmless. --revoke takes it back: from then on the id is ignored no more; what was "
        "removed stays removed."
    )
    needs = "a use case and a user"
    examples = (
        ("movies 196 --dry-run", "only say what would be removed"),
        ("developer_startup 0b8f7d4e-5c9d-4e43-8f1e-6c1c6f1d2a77 --yes --json", "without asking, for programs"),
        ("movies 196 --keep-interactions", "leave the host's own rows alone"),
        ("movies 196 --revoke", "the person is back: ignore the id no more"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", help="Key of a use case whose user it is.")
        parser.add_argument("user_id", help="Primary key of the user.")
        parser.add_argument("--dry-run", action="store_true", help="Change nothing.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument("--keep-interactions", action="store_true", help="The host's own rows stay.")
        parser.add_argument("--deleted-already", action="store_true", help="The key is right, though nobody has it.")
        parser.add_argument("--revoke", action="store_true", help="Ignore the id no more; nothing comes back.")
        parser.add_argument("--by", default="", metavar="NAME", help="Who does it; your login's name by default.")
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")

    def run(self, **options: Any) -> None:
        if options["revoke"]:
            self._revoke(options)
            return
        if not (options["yes"] or options["dry_run"]):
            self._ask(options)
        report = forget_user(
            options["use_case"],
            options["user_id"],
            by=options["by"] or _login(),
            dry_run=options["dry_run"],
            keep_interactions=options["keep_interactions"],
            deleted_already=options["deleted_already"],
        )
        self.stdout.write(json.dumps(report.to_json(), indent=2) if options["json"] else _as_text(report))

    def _revoke(self, options: dict[str, Any]) -> None:
        beside = [name for name in ("dry_run", "keep_interactions", "deleted_already") if options[name]]
        if beside:
            raise CommandError(f"--revoke forgets nobody: leave out --{beside[0].replace('_', '-')}.")
        tombstone = revoke_forgetting(options["use_case"], options["user_id"], by=options["by"] or _login())
        told = {
            "user_model": tombstone.user_model,
            "reference": tombstone.digest,
            "forgotten_at": tombstone.forgotten_at.isoformat(),
            "revoked_at": tombstone.revoked_at and tombstone.revoked_at.isoformat(),
            "revoked_by": tombstone.revoked_by,
        }
        words = f"{tombstone.user_model}: tombstone {tombstone.digest} is taken back; what was removed stays removed."
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else words)

    def _ask(self, options: dict[str, Any]) -> None:
        question = f"Everything about user {options['user_id']} of {options['use_case']} will be deleted. Type the id: "
        try:
            typed = input(question)
        except EOFError:
            typed = ""
        if typed.strip() != options["user_id"]:
            raise CommandError("Nothing was changed: the id was not typed. Without a terminal, give --yes.")


def _as_text(report: Report) -> str:
    rows = [(line.what, line.where, str(line.n), _when(line, report)) for line in report.lines]
    notes = [f"{line.what}, {line.where}: {line.note}" for line in report.lines if line.note]
    body = "\n".join([text_table(TITLES, rows), *notes])
    head = f"{report.user_model} in {', '.join(report.use_cases)}"
    if report.is_dry_run:
        return f"{head}: nothing was changed.\n{body}"
    return f"{head}: forgotten, tombstone {report.reference}.\n{body}"


def _when(line: Line, report: Report) -> str:
    if line.outcome == REMOVED:
        return "would be removed" if report.is_dry_run else "removed"
    return f"by {line.due:%Y-%m-%d}" if line.due else line.outcome


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "command"
