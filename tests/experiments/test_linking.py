"""Guest, login, second device: one arm per user, and who was in two arms counts in neither."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recommender_app.experiments import running
from recommender_app.experiments.assigning import Unit, assign
from recommender_app.experiments.auditing import count_moved
from recommender_app.experiments.exposures import mark_exposed
from recommender_app.experiments.facts import Facts
from recommender_app.experiments.linking import crossovers, link
from recommender_app.measurement.anonymous import COOKIE, session_of
from recommender_app.models import Assignment, IdentityLink, RequestLog
from recommender_app.privacy import export_user, forget_user
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.logins import log_in
from tests.experiments.making import hashed_arm, make_phase
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


@pytest.fixture
def use_case():
    return get_use_case("books")


@pytest.fixture
def phase():
    return make_phase(unit_type="session")


def session_in(phase, arm, start=0):
    """Return a session that the hash puts into an arm, assigned."""
    session = next(f"s{n}" for n in range(start, start + 100) if hashed_arm(phase, f"s{n}", "session") == arm)
    assert assign(get_use_case("books"), Unit("session", session), Facts(0)).arm == arm
    return session


def rows():
    """Return {unit: (arm, source, why it is excluded)}."""
    stored = Assignment.objects.values_list("unit_type", "unit_id", "arm__key", "source", "excluded_reason")
    return {(kind, unit): values for kind, unit, *values in stored}


def arm_of(use_case, reader):
    found = assign(use_case, Unit("user", str(reader.pk)), Facts(0, reader))
    return found and found.arm


def test_a_user_has_no_arm_of_an_experiment_on_sessions_before_it_brings_one(use_case, phase):
    assert arm_of(use_case, library.add_reader()) is None


def test_the_arm_of_the_session_becomes_the_users(use_case, phase):
    ann, session = library.add_reader(), session_in(phase, "b")
    assert link(use_case, session, ann) == 1
    assert arm_of(use_case, ann) == "b"
    assert rows() == {
        ("session", session): ["b", "hash", "linked"],
        ("user", str(ann.pk)): ["b", "linked", ""],
    }
    assert list(IdentityLink.objects.values_list("session", "use_case", "user_id")) == [(session, "books", str(ann.pk))]
    assert count_moved(phase) == 0


def test_linking_twice_is_linking_once(use_case, phase):
    ann, session = library.add_reader(), session_in(phase, "b")
    assert [link(use_case, session, ann) for _ in range(2)] == [1, 0]
    assert (Assignment.objects.count(), IdentityLink.objects.count()) == (2, 1)
    assert crossovers(phase) == {"control": 0, "b": 0}


def test_the_users_arm_wins_on_a_second_device_and_who_saw_both_counts_in_neither(use_case, phase):
    ann, first, second = library.add_reader(), session_in(phase, "b"), session_in(phase, "control")
    link(use_case, first, ann)
    assert link(use_case, second, ann) == 0
    assert arm_of(use_case, ann) == "b"
    assert rows() == {
        ("session", first): ["b", "hash", "linked"],
        ("user", str(ann.pk)): ["b", "linked", "crossover"],
        ("session", second): ["control", "hash", "crossover"],
    }
    assert crossovers(phase) == {"control": 0, "b": 1}


def test_a_second_device_in_the_same_arm_is_no_crossover(use_case, phase):
    ann, first = library.add_reader(), session_in(phase, "b")
    second = session_in(phase, "b", start=int(first[1:]) + 1)
    for session in (first, second):
        link(use_case, session, ann)
    assert rows()["user", str(ann.pk)] == ["b", "linked", ""]
    assert rows()["session", second] == ["b", "hash", "linked"]
    assert crossovers(phase) == {"control": 0, "b": 0}


def test_two_users_of_one_device_are_two_units_of_its_arm(use_case, phase):
    ann, bob, session = library.add_reader(), library.add_reader("bob"), session_in(phase, "b")
    assert [link(use_case, session, reader) for reader in (ann, bob)] == [1, 1]
    assert [rows()["user", str(reader.pk)] for reader in (ann, bob)] == [["b", "linked", ""]] * 2
    assert count_moved(phase) == 0


def test_a_user_who_is_in_another_experiment_stays_there(use_case, phase):
    make_phase(key="users")
    ann = library.add_reader()
    assert assign(use_case, Unit("user", str(ann.pk)), Facts(0, ann)).experiment == "users"
    session = session_in(phase, "b")
    assert link(use_case, session, ann) == 0
    assert rows()["session", session] == ["b", "hash", ""]
    assert assign(use_case, Unit("user", str(ann.pk)), Facts(0, ann)).experiment == "users"


def test_a_test_user_brings_no_arm(use_case, phase, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "is_test_user", lambda self, user: True)
    ann, session = library.add_reader(), session_in(phase, "b")
    assert link(use_case, session, ann) == 0
    assert rows() == {("session", session): ["b", "hash", "test user"]}
    assert not IdentityLink.objects.exists()


def test_no_query_where_no_experiment_on_sessions_runs_and_one_where_the_session_is_in_none(use_case):
    make_phase(key="users")
    ann = library.add_reader()
    for n_queries in (0, 1):
        running.running_phases("books")
        with CaptureQueriesContext(connection) as found:
            assert link(use_case, "nobody", ann) == 0
        assert len(found) == n_queries
        if not n_queries:
            make_phase(unit_type="session")
    assert not IdentityLink.objects.exists()


@pytest.fixture
def _visitors_are_welcome(monkeypatch):
    monkeypatch.setattr(BooksForReaders, "allow_anonymous", True)
    monkeypatch.setattr(BooksForReaders, "allow_anonymous_lists", True)


URL = "/api/recommendations/books/"


@pytest.mark.usefixtures("_visitors_are_welcome", "books")
def test_guest_then_login_then_a_second_device_over_http(phase):
    phone = Client()
    phone.get(URL)  # begins a session, which the next request brings back
    guest = phone.get(URL).json()
    session = session_of(phone.cookies[COOKIE].value)
    arm = hashed_arm(phase, session, "session")
    assert RequestLog.objects.get(request_id=guest["request_id"]).arm == arm
    ann = log_in(phone, "ann")
    phone.get(URL)
    assert RequestLog.objects.filter(user_id=str(ann.pk), arm=arm).count() == 2
    laptop = Client()
    for _ in range(20):  # until the laptop's session is in the other arm
        laptop.cookies.clear()
        for _ in range(2):
            laptop.get(URL)
        if hashed_arm(phase, session_of(laptop.cookies[COOKIE].value), "session") != arm:
            break
    assert laptop.post(reverse("rest_framework:login"), {"username": "ann", "password": "secret"}).status_code == 302
    for _ in range(2):
        laptop.get(URL)
    assert list(RequestLog.objects.order_by("pk").values_list("arm", flat=True))[-1] == arm
    assert crossovers(phase) == {"control": 0, "b": 0, arm: 1}
    assert count_moved(phase) == 0
    mark_exposed(phase)
    row = Assignment.objects.get(unit_type="user")
    assert row.first_exposed_at == RequestLog.objects.get(request_id=guest["request_id"]).created_at


def test_forgetting_takes_the_users_assignments_those_of_their_sessions_and_the_links(use_case, phase):
    ann, bob = library.add_reader(), library.add_reader("bob")
    first = session_in(phase, "b")
    second = session_in(phase, "b", start=int(first[1:]) + 1)
    link(use_case, first, ann)
    link(use_case, second, bob)
    tables = export_user("books", ann.pk)["tables"]
    assert {(row["unit_type"], row["unit_id"]) for row in tables["Assignment"]} == {
        ("session", first),
        ("user", str(ann.pk)),
    }
    assert [row["session"] for row in tables["IdentityLink"]] == [first]
    forget_user("books", ann.pk)
    assert set(rows()) == {("session", second), ("user", str(bob.pk))}
    assert list(IdentityLink.objects.values_list("user_id", flat=True)) == [str(bob.pk)]
    assert export_user("books", ann.pk)["tables"]["Assignment"] == []
    assert arm_of(use_case, bob) == "b"
