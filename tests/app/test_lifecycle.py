"""The one pipeline: export once, train, judge, re-fit the ensemble, promote together."""

import pytest

from recommender_app.dataset.folder import read_dataset
from recommender_app.engines.ensemble import MEMBER_VERSIONS
from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, Release, ReleaseChange, TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.releases import promote, promote_all, roll_back
from recommender_app.registry.runs import claim_run, request_run
from recommender_app.training.lifecycle import Options, retrain
from recommender_app.training.smoke import smoke
from recommender_app.training.summary import Ending
from recommender_app.usecases.site import get_use_case
from tests.app import odd_trainers, readings
from tests.app.registered import candidate, live_names, start
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db
QUICK = ("popular", "trending", "als", "ensemble")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": readings.only(*QUICK)}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path / "root"


def put(settings, **trainers):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": {**settings.RECOMMENDER["TRAINERS"], **trainers}}


def train(*engines, **options):
    return retrain(get_use_case("books"), engines or QUICK, by="ann", **options)


def endings(summary):
    return {result.engine: str(result.ending) for result in summary.results}


def test_everything_goes_live_in_one_release_with_the_ensemble_fitted_beside_it(root):
    readings.fill()
    summary = train()
    assert endings(summary) == dict.fromkeys(QUICK, "promoted")
    assert (summary.release.number, Release.objects.count()) == (1, 1)
    assert live_names() == ["als_v1", "ensemble_v1", "popular_v1", "trending_v1"]
    fitted = ModelVersion.objects.get(engine="ensemble").config[MEMBER_VERSIONS]
    assert fitted
    assert set(fitted.values()) <= set(live_names())
    assert len(list((root / "datasets" / "books").iterdir())) == 1
    assert [run.status for run in TrainingRun.objects.all()] == ["succeeded"] * 4
    assert set(ReleaseChange.objects.values_list("action", "by", "release")) == {("promote", "ann", 1)}


def test_a_version_that_the_gate_rejects_stays_out_and_the_others_go_live(settings):
    readings.fill()
    train("popular", "trending", "als")
    put(settings, als=f"{odd_trainers.MODULE}.UpsideDown")
    summary = train("popular", "als")
    assert endings(summary) == {"popular": "promoted", "als": "rejected"}
    assert live_names() == ["als_v1", "popular_v2", "trending_v1"]
    rejected = ModelVersion.objects.get(engine="als", number=2)
    assert rejected.status == "rejected"
    assert rejected.reason == summary.results[1].reason
    assert not rejected.gate["passed"]
    assert ReleaseChange.objects.filter(action="reject", version="als_v2", by="ann").count() == 1
    with pytest.raises(RegistryError, match="als_v2 is rejected"):
        promote(rejected, by="ann")


def test_force_makes_it_live_and_the_trail_says_so(settings):
    readings.fill()
    train("popular", "trending", "als")
    put(settings, als=f"{odd_trainers.MODULE}.UpsideDown")
    summary = train("als", force=True)
    assert endings(summary) == {"als": str(Ending.FORCED)}
    assert live_names() == ["als_v2", "popular_v1", "trending_v1"]
    change = ReleaseChange.objects.get(action="force")
    assert (change.version, change.release, change.by) == ("als_v2", 2, "ann")
    assert change.details["before"] == 1
    assert roll_back("books", by="bob").number == 1
    assert live_names() == ["als_v1", "popular_v1", "trending_v1"]
    assert Release.objects.get(number=1).promoted_by == "ann"
    assert ReleaseChange.objects.first().by == "bob"


def test_an_ensemble_learns_only_with_members_that_will_serve(settings):
    readings.fill()
    put(settings, als=f"{odd_trainers.MODULE}.UpsideDown")
    summary = train()
    assert endings(summary)["als"] == "rejected"
    assert ModelVersion.objects.get(engine="ensemble").config["members"] == "popular,trending"


def test_a_live_ensemble_is_fitted_again_beside_a_new_member():
    readings.fill()
    train()
    summary = train("als")
    assert endings(summary) == {"als": "promoted", "ensemble": "promoted"}
    assert live_names() == ["als_v2", "ensemble_v2", "popular_v1", "trending_v1"]
    fitted = ModelVersion.objects.get(engine="ensemble", number=2).config[MEMBER_VERSIONS]
    assert fitted.get("als", "als_v2") == "als_v2"
    assert endings(train("als", options=Options(refit=False))) == {"als": "promoted"}


def test_an_ensemble_of_planned_weights_is_left_as_it_is():
    readings.fill()
    train("popular", "als", "ensemble")
    version = ModelVersion.objects.get(engine="ensemble")
    del version.config[MEMBER_VERSIONS]
    version.config["weights"] = "planned"
    version.save()
    assert endings(train("als")) == {"als": "promoted"}
    assert live_names() == ["als_v2", "ensemble_v1", "popular_v1"]


def test_an_ensemble_that_was_fitted_beside_nobody_is_asked_with_the_members_of_its_data():
    readings.fill()
    dataset = read_dataset(train("popular", "als", "ensemble").dataset_path)
    version = ModelVersion.objects.get(engine="ensemble")
    del version.config[MEMBER_VERSIONS]
    assert smoke(version, dataset) > 0
    ModelVersion.objects.exclude(pk=version.pk).update(status="rejected")
    Release.objects.update(status="retired")
    assert smoke(version, dataset) == 0


def test_an_engine_that_fails_stops_neither_the_others_nor_what_is_live(settings):
    readings.fill()
    put(settings, popular=f"{odd_trainers.MODULE}.Mistaken")
    summary = train("popular", "trending", "als")
    assert endings(summary) == {"popular": "failed", "trending": "promoted", "als": "promoted"}
    assert summary.reasons(Ending.FAILED) == ["books popular: ZeroDivisionError: division by zero"]
    assert TrainingRun.objects.get(engine="popular").reason == "ZeroDivisionError: division by zero"
    assert live_names() == ["als_v1", "trending_v1"]


def test_an_engine_that_is_being_trained_elsewhere_is_told_and_the_others_go_on():
    readings.fill()
    start("als")
    summary = train("popular", "als")
    assert endings(summary) == {"popular": "promoted", "als": "failed"}
    assert "is being trained already" in summary.results[1].reason


def test_what_cannot_be_exported_is_said_once():
    summary = train()
    assert endings(summary) == {"popular": "failed"}
    assert "has no interactions" in summary.results[0].reason
    assert summary.dataset_path is None


def test_a_dry_run_judges_and_publishes_nothing(root):
    readings.fill()
    summary = train(dry_run=True)
    assert endings(summary) == dict.fromkeys(QUICK, "passed")
    assert all(result.verdict.passed and result.seconds > 0 for result in summary.results)
    assert not TrainingRun.objects.exists()
    assert not ModelVersion.objects.exists()
    assert not list(root.glob("models/**/manifest.json"))
    assert summary.dataset_path.exists()


def test_a_requested_run_is_the_run_that_is_carried_out():
    readings.fill()
    run = request_run("books", "als", requested_by="ann")
    assert claim_run(run)
    summary = train("als", runs=[run])
    assert endings(summary) == {"als": "promoted"}
    run.refresh_from_db()
    assert (run.status, run.seed) == ("succeeded", 42)
    assert run.config["factors"] == ModelVersion.objects.get().config["factors"]
    assert TrainingRun.objects.count() == 1


def test_a_requested_run_of_an_unknown_engine_fails_with_its_reason():
    readings.fill()
    run = request_run("books", "nonsense", requested_by="ann")
    assert claim_run(run)
    assert endings(train("nonsense", runs=[run])) == {"nonsense": "failed"}
    run.refresh_from_db()
    assert (run.status, run.reason.split(":")[0]) == ("failed", "There is no trainer for 'nonsense'")


def test_a_version_that_answers_nobody_is_rejected_before_it_is_live(settings):
    readings.fill()
    put(settings, trending=f"{odd_trainers.MODULE}.Speechless")
    summary = train("trending")
    assert endings(summary) == {"trending": "failed"}
    assert "recommends nothing to 5 sample users" in summary.results[0].reason
    assert ModelVersion.objects.get().status == "rejected"
    assert not Release.objects.exists()


def test_what_cannot_be_promoted_stays_a_candidate(monkeypatch):
    readings.fill()

    def refuse(*_args, **_options):
        raise RegistryError("The database refused.")

    monkeypatch.setattr(releases, "promote_all", refuse)
    summary = train("popular")
    assert summary.results[0].reason == "It stays a candidate: The database refused."
    assert ModelVersion.objects.get().status == "candidate"


def test_too_little_data_beside_something_live_stays_a_candidate():
    readings.fill()
    train("popular")
    Reading.objects.update(at=Reading.objects.first().at)
    summary = train("popular")
    assert endings(summary) == {"popular": "undecided"}
    assert live_names() == ["popular_v1"]
    assert ModelVersion.objects.get(number=2).status == "candidate"


def test_row_22_a_training_that_was_frozen_before_its_promotion_does_not_undo_a_newer_one():
    frozen, newer = candidate(), candidate()
    promote(newer, by="beat")
    with pytest.raises(RegistryError, match="popular_v1 was overtaken: popular_v2 is live already"):
        promote_all([frozen], by="beat", only_newer=True)
    assert live_names() == ["popular_v2"]
    promote(frozen, by="ann")  # a person may
    assert live_names() == ["popular_v1"]


def test_force_decides_where_the_gate_could_not():
    readings.fill()
    train("popular")
    Reading.objects.update(at=Reading.objects.first().at)
    assert endings(train("popular", force=True)) == {"popular": str(Ending.FORCED)}
    assert live_names() == ["popular_v2"]


def test_one_release_takes_one_version_per_engine_of_one_use_case():
    first, second = candidate(), candidate()
    with pytest.raises(RegistryError, match="Choose one version of popular"):
        promote_all([first, second], by="ann")
    with pytest.raises(RegistryError, match="at least one version"):
        promote_all([], by="ann")
