"""Health: staff and monitors see what is live, what is wrong, which policy serves and why."""

import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from recommender_app.api.health import HealthSerializer
from recommender_app.conf import environment_switches
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.models import ServingPolicy
from recommender_app.registry.policies import save_policy
from recommender_app.serving import breakers
from recommender_app.serving.health import health
from recommender_app.serving.log_rows import values_of
from recommender_app.serving.service import recommend
from recommender_app.serving.spool.writing import append
from recommender_app.usecases.site import get_use_case
from tests.app import library

pytestmark = pytest.mark.django_db
URL = "/api/health/"


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


@pytest.fixture
def books():
    return library.add_shelves(3)


@pytest.fixture
def live_als(books):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(3, "als_v1")


def of_books() -> dict:
    return health([get_use_case("books")])


def test_only_staff_and_those_who_may_view_releases_see_it(client):
    assert client.get(URL).status_code == 401
    user = User.objects.create_user("bob")
    client.force_login(user)
    assert client.get(URL).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_release"))
    assert client.get(URL).status_code == 200
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(URL).status_code == 200


def test_it_is_throttled(client, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"health": "2/min"}}
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert [client.get(URL).status_code for _ in range(3)] == [200, 200, 429]


def test_a_fresh_site_has_no_release_and_no_problem(client):
    client.force_login(User.objects.create_user("staff", is_staff=True))
    told = client.get(URL).json()
    assert (told["status"], told["problems"]) == ("ok", [])
    assert told["use_cases"]["books"]["status"] == "no_release"
    assert told["use_cases"]["books"]["release"] is None


def test_what_is_live_is_named_with_its_versions(live_als):
    told = of_books()["use_cases"]["books"]
    assert (told["status"], told["release"]) == ("ok", 3)
    assert told["engines"].keys() == {"als"}
    als = told["engines"]["als"]
    assert (als["version"], als["is_loaded"], als["is_pinned"], als["problem"]) == ("als_v1", True, False, "")


def test_a_missing_artifact_is_a_problem(live_als):
    library.put_live(4, "als_v1", "two_tower_v2")
    told = of_books()
    assert told["status"] == told["use_cases"]["books"]["status"] == "degraded"
    assert "two_tower_v2" in told["problems"][0]
    assert told["use_cases"]["books"]["engines"]["two_tower"]["is_loaded"] is False


def test_an_ensemble_says_which_members_it_serves_without(books, live_als):
    library.publish("ensemble_v1", EnsembleEngine({"als": 0.6, "two_tower": 0.4, "item_knn": 0.0}, len(books)), books)
    library.put_live(4, "als_v1", "two_tower_v2", "ensemble_v1")
    engines = of_books()["use_cases"]["books"]["engines"]
    assert engines["ensemble"]["is_loaded"] is True
    assert engines["ensemble"]["note"] == "It serves without two_tower."
    assert engines["als"]["note"] == ""


def test_a_database_that_is_gone_is_a_problem(live_als):
    of_books()
    with connection.execute_wrapper(library.refuse):
        told = of_books()
    assert told["status"] == "degraded"
    assert told["use_cases"]["books"]["release"] == 3
    assert of_books()["status"] == "ok"


def test_an_engine_that_is_left_alone_is_a_problem(live_als, settings):
    for _ in range(20):
        breakers.failed("books", "als")
    told = of_books()
    assert told["use_cases"]["books"]["breakers"] == {"als": "open"}
    assert told["status"] == "degraded"


def test_a_policy_that_makes_no_sense_is_a_problem(live_als):
    save_policy(ServingPolicy(use_case="books"), by="ann")
    ServingPolicy.objects.update(routes="als")
    assert of_books()["problems"] == ["books, the stored policy cannot be read or makes no sense"]


def test_rows_that_the_log_refused_are_counted_and_so_are_those_that_are_lost(live_als, settings, tmp_path):
    reader, before = library.add_reader(), health()

    def no_log(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "requestlog" in sql:
            raise RuntimeError("the log is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(no_log):
        recommend(reader, "books", 2)
        after = health()
        assert after["n_log_rows_spooled"] == before["n_log_rows_spooled"] + 1
        assert after["n_log_rows_lost"] == before["n_log_rows_lost"]
        assert after["spool"]["n_files"] == 1
        assert after["spool"]["n_bytes"] > 0
        assert after["spool"]["oldest_seconds"] >= 0
        (tmp_path / "no-folder").touch()
        settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_DIR": tmp_path / "no-folder"}
        recommend(reader, "books", 2)
    assert health()["n_log_rows_lost"] == before["n_log_rows_lost"] + 1


def test_a_row_that_waits_for_long_is_a_problem(live_als):
    answer = recommend(library.add_reader(), "books", 2, log=False)
    append({**values_of(answer), "created_at": timezone.now() - timedelta(minutes=20)})
    told = health()
    assert (told["status"], told["problems"]) == (
        "degraded",
        ["spool: a row waits for 20 minutes; is recommender_drain run on this host?"],
    )
    out = io.StringIO()
    with pytest.raises(CommandError, match="a row waits for 20 minutes"):
        call_command("recommender_health", "books", stdout=out)
    assert re.search(r"Spool: 0.00 MB wait for the request log, the oldest row for 12\d\d s\.", out.getvalue())
    call_command("recommender_drain", stdout=io.StringIO())
    assert health()["status"] == "ok"


def test_it_says_which_policy_serves_and_who_decided(settings, client):
    save_policy(ServingPolicy(use_case="books", name="spring", diversity=0.5), by="ann")
    settings.RECOMMENDER = {**settings.RECOMMENDER, **environment_switches({"ENABLE_TWO_TOWER": "false"})}
    client.force_login(User.objects.create_user("staff", is_staff=True))
    policy = client.get(URL).json()["use_cases"]["books"]["policy"]
    assert (policy["name"], policy["origin"]) == ("spring+environment", "environment")
    assert policy["fields"]["diversity"] == {"value": 0.5, "origin": "admin"}
    assert policy["switches"] == {"two_tower": {"is_on": False, "origin": "environment"}}


def test_the_answer_is_as_described(live_als, client):
    library.put_live(4, "als_v1", "two_tower_v2")
    client.force_login(User.objects.create_user("staff", is_staff=True))
    told = client.get(URL).json()
    checked = HealthSerializer(data=told)
    assert checked.is_valid() or set(checked.errors) == {"use_cases"}, checked.errors
    described = HealthSerializer().fields["use_cases"].child.fields
    assert all(state.keys() == described.keys() for state in told["use_cases"].values())
    engines = told["use_cases"]["books"]["engines"].values()
    assert all(engine.keys() == described["engines"].child.fields.keys() for engine in engines)
    assert told.keys() == HealthSerializer().fields.keys()


def test_the_command_prints_the_same(live_als):
    out = io.StringIO()
    call_command("recommender_health", "books", stdout=out)
    printed = out.getvalue()
    assert "books: ok" in printed
    assert "als_v1" in printed
    assert "ensemble from 20" in printed


def test_the_command_fails_where_something_is_wrong(books):
    library.put_live(1, "als_v1")
    with pytest.raises(CommandError, match="als_v1"):
        call_command("recommender_health", "books", stdout=io.StringIO())


def test_the_command_names_migrate_where_a_table_is_missing(live_als):
    def without_table(execute, sql, params, many, context):
        return execute(sql.replace("recommender_app_release", "no_such_table"), params, many, context)

    with connection.execute_wrapper(without_table), pytest.raises(CommandError) as raised:
        call_command("recommender_health", "books", stdout=io.StringIO())
    assert str(raised.value).startswith("Degraded: ")
    assert str(raised.value).endswith(". Is the database there and migrated? manage.py migrate")


def test_the_command_knows_use_cases_that_nothing_is_live_for():
    out = io.StringIO()
    call_command("recommender_health", "books", stdout=out)
    assert "Nothing is live." in out.getvalue()
