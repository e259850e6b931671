"""What happens to a day while it is rolled up: on PostgreSQL, where two connections are at work at the same moment."""

import threading

import pytest
from django.db import connection, connections

from recommender_app.exceptions import MeasurementError
from recommender_app.measurement import roll_up as rolling
from recommender_app.models import RequestLog, RollUp
from recommender_app.privacy import forget_user, forgetting
from recommender_app.serving.log_retention import trim_log
from tests.app import library
from tests.app.measured import answer, at, roll_up

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20  # seconds; a test that waits so long fails


@pytest.fixture(autouse=True)
def _on_postgresql(settings, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.01}
    monkeypatch.setattr(forgetting, "ANSWER_SECONDS", 0)


@pytest.fixture(params=["user by user", "by COPY"])
def way(request, monkeypatch):
    if request.param == "by COPY":
        monkeypatch.setattr(rolling, "MANY", 0)


@pytest.fixture
def held(monkeypatch):
    """Hold every roll-up after it has read the log and before it writes the shapes, until it is let go."""
    has_read, let_go, write = threading.Event(), threading.Event(), rolling.WholeDay.write

    def write_when_let_go(self, *day):
        has_read.set()
        assert let_go.wait(PATIENCE)
        write(self, *day)

    monkeypatch.setattr(rolling.WholeDay, "write", write_when_let_go)
    yield has_read, let_go
    let_go.set()


def started(outcomes):
    """Roll up in another thread; its day, or its error, comes into outcomes."""

    def work():
        try:
            outcomes.append(roll_up().requests)
        except MeasurementError as error:
            outcomes.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def roll_up_unheld(has_read, let_go):
    """Roll up at once; what comes later is held."""
    let_go.set()
    roll_up()
    has_read.clear()
    let_go.clear()


def sums():
    return sorted(RollUp.objects.values_list("user_id", "requests"))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("is_first", [True, False])
def test_whoever_is_forgotten_meanwhile_is_not_in_it(monkeypatch, held, is_first):
    ann, bob = library.add_reader(), library.add_reader("bob")
    answer(ann, "tea")
    answer(bob, "tea")
    has_read, let_go = held
    if not is_first:
        roll_up_unheld(has_read, let_go)
    outcomes = []
    thread = started(outcomes)
    assert has_read.wait(PATIENCE)
    monkeypatch.setattr("recommender_app.privacy.forgetting.forget_learned", lambda *_, **__: let_go.set())
    threading.Timer(1.0, let_go.set).start()  # a deletion of rows that the roll-up replaces waits for it
    forget_user("books", ann.pk, keep_interactions=True)
    thread.join(PATIENCE)
    assert outcomes == [2]
    assert sums() == [(str(bob.pk), 1)]


@pytest.mark.usefixtures("way")
def test_a_trim_that_begins_meanwhile_leaves_the_day_as_it_was(held):
    answer("ann", "tea")
    answer("bob", "tea")
    has_read, let_go = held
    roll_up_unheld(has_read, let_go)
    answer("ann", "sea", hours=1)
    outcomes = []
    thread = started(outcomes)
    assert has_read.wait(PATIENCE)
    assert trim_log(days=0.1, not_beyond=at(24)) == 3
    let_go.set()
    thread.join(PATIENCE)
    assert "no longer holds" in str(outcomes[0])
    assert sums() == [("ann", 1), ("bob", 1)]
    assert not RequestLog.objects.exists()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("is_first", [True, False])
def test_two_at_once_wait_for_each_other_and_count_once(held, is_first):
    answer("ann", "tea")
    has_read, let_go = held
    if not is_first:
        roll_up_unheld(has_read, let_go)
    outcomes = []
    threads = [started(outcomes), started(outcomes)]
    assert has_read.wait(PATIENCE)
    let_go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert outcomes == [1, 1]
    assert sums() == [("ann", 1)]
