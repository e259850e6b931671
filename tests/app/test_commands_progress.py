"""Progress on a terminal, in a log, and not at all."""

import io
import sys

import pytest

from recommender_app.management.progress import progress_bar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_a_log_gets_one_line_per_step_when_it_is_done():
    log = io.StringIO()
    with progress_bar(log) as progress:
        for done in range(1, 4):
            progress(done, 3, "learning")
        progress(10, 0, "reading")
        progress(20, 0, "reading")
        progress(1, 2, "writing")
    assert log.getvalue() == "  learning: 3/3\n  reading: 20\n  writing: 1/2\n"


def test_a_step_that_is_broken_off_is_still_told():
    log = io.StringIO()

    def break_off():
        with progress_bar(log) as progress:
            progress(1, 3, "learning")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert log.getvalue() == "  learning: 1/3\n"


def test_a_terminal_gets_a_bar_that_is_wiped_away():
    terminal = Terminal()
    with progress_bar(terminal) as progress:
        for done in range(1, 4):
            progress(done, 3, "learning")
        progress(1, 3, "measuring")
        progress(5, 0, "reading")
    written = terminal.getvalue()
    assert "learning" in written
    assert "/3" in written
    assert "\n" not in written.strip("\n")


def test_a_terminal_without_tqdm_gets_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    terminal = Terminal()
    with progress_bar(terminal) as progress:
        progress(3, 3, "learning")
    assert terminal.getvalue() == "  learning: 3/3\n"


def test_nothing_is_shown_if_nothing_is_wanted():
    log = io.StringIO()
    with progress_bar(log, is_wanted=False) as progress:
        progress(1, 1, "learning")
    assert log.getvalue() == ""
