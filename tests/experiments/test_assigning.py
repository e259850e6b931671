"""Who gets an arm: the row is the truth, eligibility counts at enrolment only, and nobody ever moves."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from recommender_app.experiments import running
from recommender_app.experiments.assigning import Unit, assign, peek
from recommender_app.experiments.facts import Facts
from recommender_app.experiments.hashing import bucket
from recommender_app.models import Assignment, ExclusionLayer
from recommender_app.serving.service import recommend
from recommender_app.usecases.robots import is_robot
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.experiments.making import hashed_arm, make_phase
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


@pytest.fixture
def books():
    return get_use_case("books")


def user(number):
    return Unit("user", str(number))


def arms_of(use_case, numbers, count=0):
    """Return {number: key of the arm, None where there is none}."""
    found = {number: assign(use_case, user(number), Facts(count)) for number in numbers}
    return {number: each and each.arm for number, each in found.items()}


def change(phase, **values):
    """Change what may be changed of a running phase; this process sees it at once."""
    for name, value in values.items():
        setattr(phase, name, value)
    phase.save()
    running.forget()


def own_queries(context):
    """Return the statements, without those that only mark a test's transaction."""
    return [each["sql"] for each in context.captured_queries if "SAVEPOINT" not in each["sql"]]


def test_the_row_says_what_the_hashes_said(books):
    phase = make_phase({"control": {}, "b": {"diversity": 0.5}}, enrol_bp=8_000)
    numbers = [number for number in range(30) if bucket("e-in", "user", str(number)) < 8_000]
    assert {number for number, arm in arms_of(books, range(30)).items() if arm} == set(numbers)
    for row in Assignment.objects.select_related("arm"):
        assert row.arm.key == hashed_arm(phase, row.unit_id)
        assert row.arm_bucket == bucket("e-arm", "user", row.unit_id)
        assert row.enrol_bucket == bucket("e-in", "user", row.unit_id) < row.enrol_bp == 8_000
        assert (row.source, row.unit_type, row.eligibility) == ("hash", "user", {"interaction_count": 0})
    found = assign(books, user(numbers[0]), Facts(0))
    assert (found.experiment, found.phase, found.is_control) == ("e", 1, found.arm == "control")
    assert found.policy == ({} if found.is_control else {"diversity": 0.5})


def test_the_row_wins_over_the_hash(books):
    phase = make_phase()
    other = {"control": "b", "b": "control"}[hashed_arm(phase, "1")]
    row = {"enrol_bucket": 0, "arm_bucket": 0, "enrol_bp": 10_000}
    Assignment.objects.create(phase=phase, unit_id="1", arm=phase.arms.get(key=other), **row)
    assert assign(books, user(1), Facts(0)).arm == other


def test_nothing_that_happens_to_a_running_phase_moves_anybody(books):
    phase = make_phase(enrol_bp=5_000, eligibility={"min_interactions": 5})
    before = {number: arm for number, arm in arms_of(books, range(100), count=5).items() if arm}
    assert 30 < len(before) < 70
    for values in ({"enrol_bp": 0}, {"enrol_bp": 10_000}, {"is_enrolling": False}):
        change(phase, **values)
        assert arms_of(books, before, count=0) == before
        assert arms_of(books, before, count=5) == before


def test_the_ramp_enrols_more_and_a_pause_nobody(books):
    phase = make_phase(enrol_bp=1_000)
    first = {number for number, arm in arms_of(books, range(100)).items() if arm}
    change(phase, enrol_bp=5_000, is_enrolling=False)
    assert {number for number, arm in arms_of(books, range(100)).items() if arm} == first
    change(phase, is_enrolling=True)
    assert {number for number, arm in arms_of(books, range(100)).items() if arm} > first


@pytest.mark.parametrize(
    ("eligibility", "counts"),
    [
        ({}, {0, 1, 5, 19, 20}),
        ({"min_interactions": 5}, {5, 19, 20}),
        ({"max_interactions": 5}, {0, 1, 5}),
        ({"min_interactions": 5, "max_interactions": 19}, {5, 19}),
        ({"min_interactions": 5, "max_interactions": None}, {5, 19, 20}),
    ],
)
def test_bounds_of_the_interaction_count_are_included(books, eligibility, counts):
    make_phase(eligibility=eligibility)
    assert {count for count in (0, 1, 5, 19, 20) if assign(books, user(count), Facts(count))} == counts


def test_what_the_use_case_names_makes_eligible_and_is_frozen(books, monkeypatch):
    roles = {"ann": ["developer", "mentor"], "bob": "investor", "cid": None}
    monkeypatch.setattr(BooksForReaders, "unit_facts", lambda self, reader: {"roles": roles[reader.name]})
    make_phase(eligibility={"roles": ["developer", "startup"]})
    readers = [library.add_reader(name) for name in roles]
    found = [assign(books, user(reader.pk), Facts(3, reader)) for reader in readers]
    assert [bool(each) for each in found] == [True, False, False]
    frozen = {"interaction_count": 3, "roles": ["developer", "mentor"]}
    assert Assignment.objects.get().eligibility == frozen
    roles["ann"] = "investor"
    assert assign(books, user(readers[0].pk), Facts(30, readers[0])) == found[0]
    assert Assignment.objects.get().eligibility == frozen


def test_a_session_has_no_roles(books):
    make_phase(unit_type="session", eligibility={"roles": ["developer"]})
    assert assign(books, Unit("session", "s"), Facts(0)) is None


def test_a_treatment_that_makes_users_warm_changes_neither_arms_nor_population(books):
    make_phase(eligibility={"max_interactions": 4})
    cold = arms_of(books, range(40), count=4)
    assert all(cold.values())
    warmed = {number: 30 if arm == "b" else 4 for number, arm in cold.items()}
    after = {number: assign(books, user(number), Facts(count)).arm for number, count in warmed.items()}
    assert after == cold
    assert Assignment.objects.count() == 40
    assert {row["interaction_count"] for row in Assignment.objects.values_list("eligibility", flat=True)} == {4}


def test_a_peek_says_what_an_assignment_would_say_and_stores_nothing(books):
    make_phase(enrol_bp=5_000)
    seen = {number: peek(books, user(number), Facts(0)) for number in range(30)}
    assert Assignment.objects.count() == 0
    assert seen == {number: assign(books, user(number), Facts(0)) for number in range(30)}
    assert seen == {number: peek(books, user(number), Facts(0)) for number in range(30)}


def test_experiments_that_share_a_layer_share_no_unit(books):
    line = ExclusionLayer.objects.create(key="line", salt="line")
    make_phase(key="low", layer=line, layer_from=0, layer_to=5_000)
    make_phase(key="high", layer=line, layer_from=5_000, layer_to=10_000)
    found = {number: assign(books, user(number), Facts(0)).experiment for number in range(60)}
    assert found == {n: "low" if bucket("line", "user", str(n)) < 5_000 else "high" for n in range(60)}


def test_who_is_in_one_experiment_stays_there_when_another_would_take_them(books):
    make_phase(key="cold", eligibility={"max_interactions": 4})
    make_phase(key="warm", eligibility={"min_interactions": 5})
    assert assign(books, user(1), Facts(4)).experiment == "cold"
    assert assign(books, user(1), Facts(5)).experiment == "cold"
    assert assign(books, user(2), Facts(5)).experiment == "warm"
    assert Assignment.objects.count() == 2


def test_a_draft_and_an_ended_phase_assign_nobody(books):
    phase = make_phase()
    assert assign(books, user(1), Facts(0))
    change(phase, ended_at=phase.started_at)
    assert assign(books, user(1), Facts(0)) is None
    assert peek(books, user(1), Facts(0)) is None


def test_another_use_case_knows_nothing_of_it(books):
    make_phase()
    assert running.running_phases("authors") == ()


def test_queries_none_where_nothing_runs_two_for_a_new_unit_one_from_then_on(books):
    running.running_phases("books")
    with CaptureQueriesContext(
        connection,
    ) as none:
        assert assign(books, user(1), Facts(0)) is None
    assert own_queries(none) == []
    make_phase(enrol_bp=9_000)
    inside, outside = (
        next(n for n in range(99) if (bucket("e-in", "user", str(n)) < 9_000) is is_in) for is_in in (True, False)
    )
    running.running_phases("books")
    for number, n_queries in ((inside, 2), (inside, 1), (outside, 1), (outside, 1)):
        with CaptureQueriesContext(connection) as found:
            assign(books, user(number), Facts(0))
        assert len(own_queries(found)) == n_queries, own_queries(found)


def test_a_row_that_another_process_stores_in_between_is_found_by_a_third_query(books):
    phase = make_phase()
    arm = phase.arms.get(key={"control": "b", "b": "control"}[hashed_arm(phase, "1")])
    to_store = [Assignment(phase=phase, unit_id="1", arm=arm, enrol_bucket=0, arm_bucket=0, enrol_bp=10_000)]

    def stored_in_between(execute, sql, params, many, context):
        if Assignment._meta.db_table in sql and "INSERT" in sql and to_store:
            Assignment.objects.bulk_create([to_store.pop()])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(stored_in_between), CaptureQueriesContext(connection) as found:
        assert assign(books, user(1), Facts(0)).arm == arm.key
    assert len([sql for sql in own_queries(found) if sql.startswith("SELECT") and "unit_id" in sql]) == 2
    assert Assignment.objects.count() == 1


def test_a_use_cases_test_users_get_no_row_and_keep_one_that_they_have(books, monkeypatch):
    make_phase()
    reader = library.add_reader()
    assert recommend(reader, "books").arm
    monkeypatch.setattr(BooksForReaders, "is_test_user", lambda self, reader: True)
    assert recommend(reader, "books").arm
    assert recommend(library.add_reader("bob"), "books").arm == ""
    assert Assignment.objects.count() == 1


def test_a_staff_user_is_a_test_user_where_the_users_are_djangos(books):
    account = get_user_model()(is_staff=True)
    assert books.is_test_user(account)
    assert not books.is_test_user(get_user_model()())
    assert not books.is_test_user(library.add_reader())


ROBOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0)",
    "facebookexternalhit/1.1",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0",
    "UptimeRobot/2.0",
)
PEOPLE = (
    "",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) AppleWebKit/537.36",
    "curl/8.1",
    "python-requests/2.32",
    "okhttp/4.9",
    "Mozilla/5.0 (Linux; Android 14; Robota 3)",
)


@pytest.mark.parametrize("agent", ROBOTS)
def test_a_robot_says_so(agent):
    assert is_robot(RequestFactory().get("/", HTTP_USER_AGENT=agent))


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_persons_program_is_no_robot(agent):
    assert not is_robot(RequestFactory().get("/", HTTP_USER_AGENT=agent))


@pytest.mark.parametrize(("is_staff", "agent"), [(True, ""), (False, ROBOTS[0])])
def test_robots_and_staff_are_answered_over_http_and_count_nowhere(client, is_staff, agent):
    make_phase()
    library.add_shelves(2)
    reader = library.add_reader()
    reader.account.is_staff = is_staff
    reader.account.save()
    client.force_login(reader.account)
    for _ in range(3):
        response = client.get("/api/recommendations/books/", HTTP_USER_AGENT=agent)
        assert (response.status_code, len(response.json()["results"])) == (200, 4)
    assert Assignment.objects.count() == 0
    reader.account.is_staff = False
    reader.account.save()
    assert client.get("/api/recommendations/books/").status_code == 200
    assert Assignment.objects.count() == 1


def test_a_preview_shows_the_arm_and_enrols_nobody():
    make_phase({"control": {"diversity": 0.4}, "b": {"diversity": 0.4}})
    reader = library.add_reader()
    answer = recommend(reader, "books", log=False)
    assert (answer.experiment, answer.policy) == ("e", "arm")
    assert Assignment.objects.count() == 0
    assert recommend(reader, "books").arm == answer.arm


def test_a_forgotten_user_is_in_no_experiment(books):
    from recommender_app.privacy.forgetting import forget_user

    make_phase()
    reader = library.add_reader()
    forget_user("books", reader.pk, by="test")
    assert recommend(reader, "books").arm == ""
    assert Assignment.objects.count() == 0
