"""What an idle process read long ago is used by nobody once it is due; a database that hangs stops nobody."""

import threading

import pytest

from recommender_app.registry import rereading
from recommender_app.registry.rereading import Rereading


class Kept:
    """Something that is read again; the second reading asks a thread beside it what it knows."""

    def __init__(self):
        self.value, self.answered, self.is_hanging = 0, [], False
        self.rereading = Rereading(self.read)
        self.beside = threading.Thread(target=lambda: self.answered.append(self.current()))

    def current(self):
        self.rereading.when_due()
        return self.value

    def read(self):
        if self.value:
            self.beside.start()
            self.beside.join(10 if self.is_hanging else 0.05)
        self.value += 1


@pytest.fixture
def kept(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 60}
    kept = Kept()
    kept.current()
    kept.rereading._read_at -= 3600  # the process was idle for an hour
    return kept


def test_who_asks_while_another_thread_reads_gets_what_is_read_now(kept, monkeypatch):
    monkeypatch.setattr(rereading, "LONGEST_WAIT", 60)
    assert kept.current() == 2
    kept.beside.join()
    assert kept.answered == [2]


def test_who_asks_while_another_thread_hangs_goes_on_with_what_was_read_before(kept):
    kept.is_hanging = True
    kept.current()
    assert kept.answered == [1]
