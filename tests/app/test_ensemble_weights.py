"""Weights of the ensemble: as trained, as a policy says, and by rank where a member has changed since."""

import pytest

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import environment_switches, settings
from recommender_app.engines.ensemble import MEMBER_VERSIONS, PLANNED, EnsembleEngine
from recommender_app.models import ServingPolicy
from recommender_app.registry.policies import save_policy
from recommender_app.serving import live, weighting
from recommender_app.serving.ensembles import recipe_for
from recommender_app.serving.policies import decide
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.serving.weighting import as_decided
from recommender_app.training.run import train_model
from recommender_app.usecases.site import get_use_case
from tests.app import library, readings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path),
        "RELOAD_SECONDS": 0.0,
        "COLD_START_THRESHOLD": 0,
        "WARM_USER_THRESHOLD": 0,
    }
    return tmp_path


@pytest.fixture
def books():
    """tea-0, tea-1, sea-0, sea-1."""
    return library.add_shelves(2)


def publish(books, weights, fitted=None, **recipe):
    """Write ALS (by taste), two popularity lists under other keys, and an ensemble of them; make them live."""
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("als_v2", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books[::-1]), books[::-1])
    config = {MEMBER_VERSIONS: fitted} if fitted else {}
    engine = EnsembleEngine(weights, len(books), **recipe)
    ArtifactStore(settings.artifact_root).publish("books", "ensemble_v1", engine, library.ids_of(books), config=config)


def ensemble_of(policy=None):
    return live.current("books", policy).artifacts["ensemble"].engine


def recipe_of(policy=None):
    engine = ensemble_of(policy)
    return engine.weights, engine.fusion, engine.members.keys()


def test_without_wishes_the_weights_are_those_that_were_trained(books):
    publish(books, {"als": 0.75, "popular": 0.25}, fusion="hybrid")
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    assert recipe_of(decide("books")) == ({"als": 0.75, "popular": 0.25}, "hybrid", {"als", "popular"})
    assert live.current("books", decide("books")) is live.current("books")


def test_the_weights_of_the_admin_change_who_comes_first(books):
    publish(books, {"als": 0.9, "popular": 0.1})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    reader = library.add_reader(likes=(books[0],))
    assert recommend(reader, "books", 1).results[0].item.genre == "tea"
    save_policy(ServingPolicy(use_case="books", weights={"als": 0.1, "popular": 0.9}), by="ann")
    answer = recommend(reader, "books", 1)
    assert (answer.engine, library.titles(answer.results)) == ("ensemble", ["sea-1"])


def test_the_weights_of_the_environment_beat_those_of_the_admin(books, settings):
    publish(books, {"als": 0.5, "popular": 0.5})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    save_policy(ServingPolicy(use_case="books", weights={"popular": 1}, fusion="rrf"), by="ann")
    settings.RECOMMENDER = {**settings.RECOMMENDER, **environment_switches({"ENSEMBLE_ALS_WEIGHT": "1"})}
    assert recipe_of(decide("books")) == ({"als": 1.0}, "rrf", {"als"})


def test_weights_may_name_an_engine_that_the_recipe_was_trained_without(books):
    publish(books, {"als": 1.0})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    assert recipe_of(Policy("p", (), weights={"popular": 1.0}))[2] == {"popular"}


def test_a_switched_off_engine_is_no_member_and_an_ensemble_of_none_does_not_answer(books, settings):
    publish(books, {"als": 0.9, "popular": 0.1})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    reader = library.add_reader(likes=(books[0],))
    assert recipe_of(Policy("p", (), disabled=frozenset({"als"})))[2] == {"popular"}
    both_off = Policy("p", (), disabled=frozenset({"als", "popular"}))
    assert "ensemble" not in live.current("books", both_off).artifacts
    save_policy(ServingPolicy(use_case="books", disabled=["als", "popular"]), by="ann")
    answer = recommend(reader, "books", 1)
    assert (answer.engine, answer.fallback_reason) == ("newest", "no_model")


def test_weights_of_engines_that_are_not_there_take_the_ensemble_out(books):
    publish(books, {"als": 1.0})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    assert "ensemble" not in live.current("books", Policy("p", (), weights={"two_tower": 1.0})).artifacts


def test_an_ensemble_is_bound_once_per_release_and_wish(books):
    publish(books, {"als": 0.5, "popular": 0.5})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    release = live.current("books")
    wishes = [Policy("one", (), weights={"als": share, "popular": 1 - share}) for share in (0.1, 0.2)]
    first, second = (as_decided(release, wish) for wish in wishes)
    assert first is not second
    assert as_decided(release, Policy("two", (), weights={"popular": 0.9, "als": 0.1})) is first
    assert as_decided(release, wishes[1]) is second
    assert (first.number, first.catalogue) == (release.number, release.catalogue)


def test_wishes_that_were_tried_out_do_not_pile_up(books):
    publish(books, {"als": 0.5, "popular": 0.5})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    release = live.current("books")
    for number in range(3 * weighting.MOST_VARIANTS):
        as_decided(release, Policy("p", (), weights={"als": 1.0, "popular": float(number)}))
    assert len(release.variants) <= weighting.MOST_VARIANTS


def test_a_release_without_an_ensemble_stays_itself(books):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    release = live.current("books")
    assert as_decided(release, Policy("p", (), weights={"als": 1.0})) is release


def test_another_version_of_a_member_means_rank_fusion(books, caplog):
    publish(books, {"als": 0.75, "popular": 0.25}, fitted={"als": "als_v1", "popular": "popular_v1"})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    assert recipe_of()[:2] == ({"als": 0.75, "popular": 0.25}, "weighted")
    library.put_live(2, "als_v2", "popular_v1", "ensemble_v1")
    assert recipe_of()[:2] == ({"als": 0.5, "popular": 0.5}, "rrf")
    assert "als_v1 (now als_v2)" in live.current("books").notes["ensemble"]
    assert len([record for record in caplog.records if "als_v1 (now als_v2)" in record.getMessage()]) == 1
    library.put_live(3, "als_v1", "popular_v1", "ensemble_v1")
    assert recipe_of()[:2] == ({"als": 0.75, "popular": 0.25}, "weighted")
    assert live.current("books").notes == {}


def test_a_pinned_member_counts_as_another_version(books, settings):
    publish(books, {"als": 0.9, "popular": 0.1}, fitted={"als": "als_v1"})
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ALS_MODEL_PATH": "models/books/als/als_v2"}
    assert recipe_of()[1] == "rrf"


def test_a_member_that_does_not_count_may_change(books):
    publish(books, {"als": 0.0, "popular": 1.0}, fitted={"als": "als_v1", "popular": "popular_v1"})
    library.put_live(1, "als_v2", "popular_v1", "ensemble_v1")
    assert recipe_of()[1] == "weighted"


def test_rank_fusion_takes_the_planned_weights_where_both_engines_are_there(books):
    publish(books, {"als": 0.1, "two_tower": 0.8, "popular": 0.1}, fitted={"popular": "popular_v9"})
    release = {"als": "als_v2", "two_tower": "two_tower_v1", "popular": "popular_v1"}
    artifact = ArtifactStore(settings.artifact_root).open("books", "ensemble", "ensemble_v1")
    recipe, note = recipe_for(artifact, release)
    assert (recipe.weights, recipe.fusion) == (dict(PLANNED), "rrf")
    assert "popular_v9 (now popular_v1)" in note


def test_weights_that_somebody_chose_are_fused_as_trained_whatever_the_versions(books):
    publish(books, {"als": 0.9, "popular": 0.1}, fitted={"als": "als_v1"})
    library.put_live(1, "als_v2", "popular_v1", "ensemble_v1")
    chosen = {"als": 0.6, "popular": 0.4}
    assert recipe_of(Policy("p", (), weights=chosen))[:2] == (chosen, "weighted")
    assert recipe_of(Policy("p", (), fusion="hybrid"))[:2] == ({"als": 0.5, "popular": 0.5}, "hybrid")


@pytest.mark.slow
def test_training_notes_what_the_weights_were_fitted_beside(settings):
    readings.fill()
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only("popular", "als", "ensemble")}
    use_case = get_use_case("books")
    for engine in ("popular", "als"):
        train_model(use_case, engine, promote=True)
    options = {"members": "popular,als", "fusion": "weighted"}
    trained = train_model(use_case, "ensemble", overrides=options, promote=True)
    weights = ensemble_of().weights
    counted = {key: f"{key}_v1" for key, weight in weights.items() if weight > 0}
    assert trained.version.config[MEMBER_VERSIONS] == counted
    assert live.current("books").notes == {}
    for engine in counted:
        train_model(use_case, engine, promote=True)
    assert ensemble_of().fusion == "rrf"
    planned = train_model(use_case, "ensemble", preset="planned")
    assert MEMBER_VERSIONS not in planned.version.config
