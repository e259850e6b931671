"""Progress of several things one after the other, each under a heading."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Self

from recommender_app.management.progress import progress_bar
from recommender_app.trainers.base import Progress, silent


class Steps(AbstractContextManager["Steps"]):
    """Shows progress below the heading that was begun last; ``--verbosity 0`` shows neither.

    Args:
        stdout: a command's ``self.stdout``.
    """

    def __init__(self, stdout: Any, *, is_wanted: bool) -> None:
        self.stdout, self.is_wanted = stdout, is_wanted
        self._bar = ExitStack()
        self._show: Progress = silent

    def begin(self, heading: str) -> None:
        """End the step before and begin one."""
        self.end()
        if self.is_wanted:
            self.stdout.write(heading)
            self._show = self._bar.enter_context(progress_bar(self.stdout))

    def end(self, text: str = "") -> None:
        """Take the bar away and write a line below it."""
        self._bar.close()
        self._show = silent
        if text and self.is_wanted:
            self.stdout.write(text)

    def progress(self, done: int, total: int, label: str) -> None:
        """Show how far the step is."""
        self._show(done, total, label)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()
