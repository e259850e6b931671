"""How experiments live: planned, started, ramped, paused, stopped, planned anew, concluded; and what is refused."""

from __future__ import annotations

import pytest

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments import lifecycle
from recommender_app.experiments.templates import TEMPLATES, create_from_template
from recommender_app.models import Experiment, ExperimentChange, Phase

pytestmark = pytest.mark.django_db


def planned(template="a_a", key="test", **plan) -> Experiment:
    experiment = create_from_template(template, "books", key, "ann")
    Experiment.objects.filter(pk=experiment.pk).update(**plan)
    return Experiment.objects.get(pk=experiment.pk)


def trail() -> list[tuple]:
    return list(ExperimentChange.objects.order_by("pk").values_list("action", "phase", "changed_by", "reason"))


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call(*args, **kwargs)
    return str(raised.value)


def test_a_life_from_a_template_to_a_winner_is_told_by_the_trail():
    experiment = planned("als_warm")
    phase = lifecycle.start(experiment, "ann", "Monday")
    assert (phase.enrol_bp, phase.is_enrolling, phase.ended_at) == (1_000, True, None)
    assert lifecycle.ramp(phase, 2_000, "bob").enrol_bp == 2_000
    assert not lifecycle.pause(phase, "bob", "a holiday").is_enrolling
    assert lifecycle.resume(phase, "bob").is_enrolling
    assert lifecycle.stop(experiment, "too slow", "cleo").end_reason == "too slow"
    second = lifecycle.new_phase(experiment, "ann")
    assert lifecycle.start(experiment, "ann").number == second.number == 2
    assert lifecycle.conclude(experiment, "als", "ann", "clear").winner == "als"
    assert trail() == [
        ("create", 1, "ann", ""),
        ("start", 1, "ann", "Monday"),
        ("ramp", 1, "bob", ""),
        ("pause", 1, "bob", "a holiday"),
        ("resume", 1, "bob", ""),
        ("stop", 1, "cleo", "too slow"),
        ("new phase", 2, "ann", ""),
        ("start", 2, "ann", ""),
        ("conclude", 2, "ann", "clear"),
    ]
    experiment.refresh_from_db()
    assert experiment.status == "concluded"
    assert not Phase.objects.filter(ended_at__isnull=True).exists()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_can_be_started_as_it_is(name):
    phase = lifecycle.start(planned(name), "ann")
    assert sum(phase.arms.values_list("weight_bp", flat=True)) == 10_000
    assert phase.enrol_bp > 0
