"""What the app's commands have in common: one line per mistake, use cases by key, help with examples."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import Error

from recommender_app.exceptions import RecommenderError
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import all_use_cases, get_use_case

EXAMPLES = "examples:\n"
INTERRUPTED = 130  # exit code of a shell after Ctrl-C


class HelpFormatter(DjangoHelpFormatter):
    """Wraps everything but the examples, which keep their lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith(EXAMPLES) else super()._fill_text(text, width, indent)


class RecommenderCommand(BaseCommand):
    """A thin door: ``run`` parses, calls and prints; errors of the app become one line and exit code 1."""

    examples: ClassVar[tuple[tuple[str, str], ...]] = ()  # (arguments, what they do)
    needs: ClassVar[str] = ""  # what has to be named, of a command that does nothing without: "a use case"

    @property
    def missing_args_message(self) -> str | None:
        """What Django says where no argument is given at all; None = argparse's own message."""
        keys = ", ".join(use_case.key for use_case in all_use_cases()) or "none is declared"
        return f"Name {self.needs}; use cases: {keys}." if self.needs else None

    interrupted = "Interrupted: what is live has not changed."  # said after Ctrl-C

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add the examples below the options."""
        command = f"manage.py {subcommand}"
        lines = [f"  # {meaning}\n  {command} {arguments}".rstrip() for arguments, meaning in self.examples]
        epilog = EXAMPLES + "\n".join(lines)
        return super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, epilog=epilog, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; turn what went wrong into one line."""
        try:
            self.run(**options)
        except RecommenderError as error:
            raise CommandError(str(error)) from error
        except Error as error:
            raise CommandError(f"The database refuses: {str(error).splitlines()[0]}. Is it migrated?") from error
        except KeyboardInterrupt:
            raise CommandError(self.interrupted, returncode=INTERRUPTED) from None

    def run(self, **options: Any) -> None:
        """Do the command's work."""
        raise NotImplementedError


def chosen_use_cases(keys: list[str]) -> list[UseCase]:
    """Return the use cases of the keys; all of them for no keys.

    Raises:
        UnknownUseCase: a key is not registered; the message lists those that are.
        CommandError: there is none at all.
    """
    chosen = [get_use_case(key) for key in dict.fromkeys(keys)] or all_use_cases()
    if not chosen:
        raise CommandError("No use case is declared: write recommendations.py in one of your apps.")
    return chosen
