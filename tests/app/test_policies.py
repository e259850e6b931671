"""Which policy serves a use case, and why: settings, declaration, admin, environment, arm."""

import threading

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.conf import environment_switches
from recommender_app.exceptions import UnknownUseCase
from recommender_app.models import ServingPolicy
from recommender_app.registry.policies import delete_policy, save_policy
from recommender_app.serving import policies
from recommender_app.serving.policies import decide, policy_for
from recommender_app.serving.policy_layers import ARM, DEFAULT, LEVELS, Layer, merged
from recommender_app.serving.policy_tables import policy_as_json, policy_rows
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case
from tests.app import library

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


def save(**fields) -> ServingPolicy:
    return save_policy(ServingPolicy(use_case="books", **fields), by="ann")


def set_environment(settings, **variables):
    settings.RECOMMENDER = {**settings.RECOMMENDER, **environment_switches(variables)}


def test_without_anything_the_settings_thresholds_route(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "COLD_START_THRESHOLD": 2, "WARM_USER_THRESHOLD": 9}
    policy = decide("books")
    assert (policy.name, policy.origin) == ("default", "default")
    assert policy.routes == ((0, "content_based"), (2, "als"), (9, "ensemble"))
    assert (policy.weights, policy.fusion, policy.disabled, policy.rearranges) == (None, None, frozenset(), False)


def test_the_declaration_overrules_the_settings(monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "routes", ((0, "popular"), (3, "als")))
    policies.forget()
    policy = decide("books")
    assert policy.routes == ((0, "popular"), (3, "als"))
    assert (policy.name, policy.origins["routes"]) == ("use_case", "use case")


def test_the_admin_overrules_the_declaration_and_says_only_what_it_was_told(monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "routes", ((0, "popular"), (3, "als")))
    save(name="calm", diversity=0.3)
    policy = decide("books")
    assert policy.routes == ((0, "popular"), (3, "als"))
    assert (policy.diversity, policy.rearranges) == (0.3, True)
    assert (policy.origins["routes"], policy.origins["diversity"]) == ("use case", "admin")
    assert policy.name == "use_case+calm"


@pytest.mark.parametrize(
    ("fields", "routes"),
    [
        ({"cold_start_threshold": 1}, ((0, "content_based"), (1, "als"), (20, "ensemble"))),
        ({"warm_user_threshold": 7}, ((0, "content_based"), (5, "als"), (7, "ensemble"))),
        ({"routes": [[0, "trending"], [4, "newest"]]}, ((0, "trending"), (4, "newest"))),
        ({}, ((0, "content_based"), (5, "als"), (20, "ensemble"))),
    ],
)
def test_thresholds_and_routes_of_the_admin(fields, routes):
    save(**fields)
    assert decide("books").routes == routes


def test_a_lone_threshold_that_the_settings_have_overtaken_since_still_serves(settings):
    save(cold_start_threshold=15)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "WARM_USER_THRESHOLD": 10}
    assert decide("books").routes == ((0, "content_based"), (15, "als"), (15, "ensemble"))


def test_all_fields_of_the_admin_arrive():
    save(
        name="spring",
        disabled=["two_tower"],
        weights={"als": 3, "popular": 1},
        fusion="rrf",
        diversity=0.5,
        caps={"genre": 3},
        fatigue_after=4,
        exploration=0.1,
    )
    policy = decide("books")
    assert policy.weights == {"als": 0.75, "popular": 0.25}
    assert (policy.disabled, policy.fusion) == ({"two_tower"}, "rrf")
    assert (policy.diversity, policy.caps, policy.fatigue_after, policy.exploration) == (0.5, {"genre": 3}, 4, 0.1)
    assert (policy.name, policy.origin) == ("spring", "admin")


def test_a_saved_policy_changes_the_next_answer_and_a_deleted_one_the_one_after():
    books = library.add_shelves(3)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "popular_v1")
    reader = library.add_reader()
    assert (recommend(reader, "books", 2).policy, recommend(reader, "books", 2).engine) == ("default", "popular")
    policy = save(name="closed", routes=[[0, "newest"]])
    answer = recommend(reader, "books", 2)
    assert (answer.policy, answer.engine) == ("closed", "newest")
    delete_policy(policy, by="ann")
    assert recommend(reader, "books", 2).engine == "popular"


def test_the_policy_is_read_only_every_few_seconds(settings, django_assert_num_queries):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 3600}
    decide("books")
    save(diversity=1)
    with django_assert_num_queries(0):
        assert decide("books").diversity == 0
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.0}
    with django_assert_num_queries(3):  # one and a savepoint around it, because tests run in a transaction
        assert decide("books").diversity == 1


def test_the_environment_beats_the_admin_engine_by_engine_and_field_by_field(settings):
    save(name="spring", disabled=["als", "two_tower"], weights={"popular": 1}, fusion="hybrid")
    set_environment(settings, ENABLE_ALS="true", ENABLE_ENSEMBLE="no", ENSEMBLE_ALS_WEIGHT="0.7")
    policy = decide("books")
    assert policy.disabled == {"two_tower", "ensemble"}
    assert policy.weights == {"als": 0.7, "two_tower": pytest.approx(0.3)}
    assert policy.fusion == "hybrid"
    assert (policy.name, policy.origin) == ("spring+environment", "environment")
    assert policy.origins == {
        "routes": "default",
        "weights": "environment",
        "fusion": "admin",
        "switch:als": "environment",
        "switch:two_tower": "admin",
        "switch:ensemble": "environment",
    }


def test_the_arm_of_an_experiment_beats_everything(settings):
    set_environment(settings, ENSEMBLE_ALS_WEIGHT="0.7", ENABLE_ALS="false")
    arm = Layer(ARM, {"weights": {"als": 1.0}}, {"als": True}, "treatment")
    policy = decide("books", arm)
    assert (policy.weights, policy.disabled, policy.name) == ({"als": 1.0}, frozenset(), "environment+treatment")
    assert decide("books").disabled == {"als"}


def test_an_inactive_policy_is_a_draft():
    save(name="draft", is_active=False, diversity=1)
    assert decide("books").diversity == 0


def test_a_policy_of_another_use_case_says_nothing_here():
    save_policy(ServingPolicy(use_case="films", diversity=1), by="ann")
    assert decide("books").diversity == 0


def test_an_unknown_use_case_has_no_policy():
    with pytest.raises(UnknownUseCase):
        policy_for("nothing")


def test_a_database_that_is_gone_keeps_the_policy_and_is_reported_once(caplog):
    save(diversity=1)
    assert decide("books").diversity == 1
    with connection.execute_wrapper(library.refuse):
        assert [decide("books").diversity for _ in range(3)] == [1, 1, 1]
    assert len([record for record in caplog.records if "cannot be read" in record.getMessage()]) == 1
    ServingPolicy.objects.update(diversity=0.5)
    assert decide("books").diversity == 0.5


def test_a_missing_table_means_no_stored_policy_and_leaves_the_transaction_usable():
    def without_table(execute, sql, params, many, context):
        return execute(sql.replace(ServingPolicy._meta.db_table, "no_such_table"), params, many, context)

    with connection.execute_wrapper(without_table):
        assert decide("books").name == "default"
    assert ServingPolicy.objects.count() == 0


@pytest.mark.parametrize(
    "damage", [{"routes": "als"}, {"routes": [[0, {}]]}, {"weights": [1]}, {"disabled": 7}, {"caps": {"genre": "x"}}]
)
def test_a_row_that_somebody_broke_by_hand_is_reported_and_ignored(damage, caplog):
    save(diversity=1)
    decide("books")
    ServingPolicy.objects.update(**damage)
    assert decide("books").diversity == 1
    assert "makes no sense" in caplog.text


def test_the_tables_say_who_decided(settings):
    save(name="spring", weights={"als": 1}, disabled=["two_tower"])
    set_environment(settings, ENABLE_ALS="on")
    told = policy_as_json(decide("books"))
    assert told["fields"]["weights"] == {"value": {"als": 1.0}, "origin": "admin"}
    assert told["fields"]["fusion"] == {"value": "as trained", "origin": "default"}
    assert told["switches"] == {
        "als": {"is_on": True, "origin": "environment"},
        "two_tower": {"is_on": False, "origin": "admin"},
    }
    rows = policy_rows(decide("books"))
    assert ("routes", "content_based from 0, als from 5, ensemble from 20", "default") in rows
    assert ("two_tower", "switched off", "admin") in rows


def test_while_one_thread_reads_others_use_the_policy_before(monkeypatch):
    save(diversity=1)
    before, seen = decide("books"), []

    def slow_read(use_case_key):
        thread = threading.Thread(target=lambda: seen.append(decide("books")))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    monkeypatch.setattr(policies, "active_policy", slow_read)
    decide("books")
    assert seen == [before]


FIELDS = {"diversity": st.floats(0, 1), "fatigue_after": st.integers(0, 9), "exploration": st.floats(0, 0.5)}
ANY_LAYER = st.tuples(
    st.fixed_dictionaries({}, optional=FIELDS), st.dictionaries(st.sampled_from(["als", "popular"]), st.booleans())
)


@given(said=st.lists(ANY_LAYER, min_size=len(LEVELS), max_size=len(LEVELS)))
def test_the_highest_level_that_says_something_decides(said):
    layers = [Layer(level, values, switches) for level, (values, switches) in zip(LEVELS, said, strict=True)]
    policy = merged([Layer(DEFAULT, {"routes": ((0, "als"),)}), *layers])
    for field in FIELDS:
        spoken = [(layer.level, layer.values[field]) for layer in layers if field in layer.values]
        origin, value = spoken[-1] if spoken else (None, 0)
        assert (policy.origins.get(field), getattr(policy, field)) == (origin, value)
    for engine in ("als", "popular"):
        spoken = [layer.switches[engine] for layer in layers if engine in layer.switches]
        assert (engine in policy.disabled) is (spoken[-1:] == [False])
