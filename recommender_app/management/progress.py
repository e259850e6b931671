"""Progress of long commands: a bar on a terminal, one line per finished step in a log file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recommender_app.trainers.base import Progress, silent


@contextmanager
def progress_bar(stdout: Any, *, is_wanted: bool = True) -> Iterator[Progress]:
    """Yield a callable that shows ``progress(done, total, label)``; a new label is a new step.

    Args:
        stdout: a command's ``self.stdout`` or any text stream.
        is_wanted: False (``--verbosity 0``) shows nothing.
    """
    if not is_wanted:
        yield silent
        return
    display = _display(stdout)
    try:
        yield display.show
    finally:
        display.close()


def _display(stdout: Any) -> _Bar | _Lines:
    if not stdout.isatty():
        return _Lines(stdout)
    try:
        from tqdm import tqdm
    except ImportError:  # it comes with the extra [train]
        return _Lines(stdout)
    return _Bar(stdout, tqdm)


class _Bar:
    """One tqdm bar at a time, on a terminal."""

    def __init__(self, stdout: Any, tqdm: Any) -> None:
        self.stdout, self.tqdm = stdout, tqdm
        self.bar: Any = None

    def show(self, done: int, total: int, label: str) -> None:
        if self.bar is None or done < self.bar.n or self.bar.total != (total or None):
            self.close()
            self.bar = self.tqdm(total=total or None, desc=label, file=self.stdout, leave=False, dynamic_ncols=True)
        self.bar.set_description(label, refresh=False)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class _Lines:
    """A line when a step is done: what a log file can bear."""

    def __init__(self, stdout: Any) -> None:
        self.stdout = stdout
        self.step: tuple[int, int, str] | None = None  # begun, not yet told

    def show(self, done: int, total: int, label: str) -> None:
        if self.step and self.step[2] != label:
            self.close()
        self.step = (done, total, label)
        if total and done >= total:
            self.close()

    def close(self) -> None:
        if self.step is not None:
            done, total, label = self.step
            self.stdout.write(f"  {label}: {done}/{total}\n" if total else f"  {label}: {done}\n")
        self.step = None
