"""Runs of one slot are one training, and one that has gone wrong takes no others along."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.engines.ensemble import MEMBER_VERSIONS
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry.runs import begin_requested_run, claim_run, companions, request_run
from recommender_app.training.lifecycle import Options, retrain
from recommender_app.training.requested import perform_run
from recommender_app.usecases.site import get_use_case
from tests.app import odd_trainers, readings
from tests.app.registered import live_names

pytestmark = pytest.mark.django_db
SLOT = "2026-11-25"


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    trainers = readings.only("popular", "trending", "als", "ensemble")
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": trainers}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path / "root"


def ask(engine, slot=SLOT):
    return request_run("books", engine, requested_by="schedule", slot=slot)


def statuses():
    return list(TrainingRun.objects.order_by("pk").values_list("engine", "status"))


def test_what_is_due_together_is_one_export_one_refit_and_one_release(root):
    readings.fill()
    retrain(get_use_case("books"), ["popular", "trending", "als", "ensemble"], by="ann")
    first, second, other = ask("popular"), ask("trending"), ask("als", slot="2026-W48")
    assert "popular promoted, trending promoted, ensemble promoted" in perform_run(first.pk)
    assert perform_run(second.pk) is None
    assert statuses()[4:] == [
        ("popular", "succeeded"),
        ("trending", "succeeded"),
        ("als", "requested"),
        ("ensemble", "succeeded"),
    ]
    assert Release.objects.count() == 2
    assert live_names() == ["als_v1", "ensemble_v2", "popular_v2", "trending_v2"]
    assert (
        ModelVersion.objects.get(engine="ensemble", number=2).config[MEMBER_VERSIONS].items()
        <= {
            "als": "als_v1",
            "popular": "popular_v2",
            "trending": "trending_v2",
        }.items()
    )
    other.refresh_from_db()
    assert other.attempts == 0


def test_one_that_fails_leaves_the_others_alone(settings):
    readings.fill()
    trainers = {**readings.only("trending"), "popular": f"{odd_trainers.MODULE}.Diverging"}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": trainers}
    run = ask("popular")
    ask("trending")
    with pytest.raises(Exception, match="It diverged"):
        perform_run(run.pk)
    assert statuses() == [("popular", "failed"), ("trending", "succeeded")]
    assert live_names() == ["trending_v1"]


def test_a_mistake_of_ours_in_one_gives_the_others_back(settings):
    readings.fill()
    trainers = {**readings.only("trending"), "popular": f"{odd_trainers.MODULE}.Interrupted"}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": trainers}
    run = ask("popular")
    ask("trending")
    with pytest.raises(KeyboardInterrupt):
        perform_run(run.pk)
    assert statuses() == [("popular", "requested"), ("trending", "requested")]


def test_a_run_that_was_tried_before_is_trained_alone_and_so_is_one_without_a_slot():
    first, second, clicked = ask("popular"), ask("trending"), ask("als", slot="")
    assert claim_run(first)
    assert list(companions(first)) == [second]
    TrainingRun.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    assert claim_run(second)
    assert claim_run(clicked)
    assert list(companions(clicked)) == []
    TrainingRun.objects.filter(pk=first.pk).update(status="requested")
    assert list(companions(second)) == []
    first.refresh_from_db()
    assert claim_run(first)
    assert first.attempts == 2
    assert list(companions(first)) == []


def test_a_run_that_begins_at_once_takes_up_the_one_that_waits():
    waiting = ask("ensemble", slot="")
    begun = begin_requested_run("books", "ensemble", requested_by="schedule")
    assert (begun.pk, begun.status, begun.requested_by) == (waiting.pk, "running", "schedule")


def test_weights_are_fitted_beside_members_that_are_trained_as_they_serve():
    readings.fill()
    use_case = get_use_case("books")
    options = Options(overrides={"factors": "4"}, force=True)
    retrain(use_case, ["als", "popular", "ensemble"], by="ann", options=options)
    retrain(use_case, ["popular"], by="ann")
    fitted = ModelVersion.objects.filter(engine="ensemble").order_by("number")
    assert [version.config["member_options"] for version in fitted] == ['{"als": {"factors": 4}}'] * 2
