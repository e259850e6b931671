"""While a phase runs nothing about it can be changed but how many are enrolled; once it has ended, nothing at all."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from recommender_app.experiments import lifecycle
from recommender_app.models import Arm, ExclusionLayer, Experiment, Phase, RampStep
from tests.experiments.phases import two_arms

pytestmark = pytest.mark.django_db

LATER = timezone.now()
FROZEN = {
    Experiment: {
        "key": "other",
        "name": "other",
        "hypothesis": "other",
        "use_case": "movies",
        "unit_type": "session",
        "primary_metric": "rating",
        "secondary_metrics": ["rating"],
        "guardrails": {"diversity": 0.5},
        "alpha": 0.1,
        "power": 0.9,
        "least_effect": 0.5,
        "min_days": 1,
        "window_days": 7,
        "layer": None,
        "layer_from": 10,
        "layer_to": 20,
        "created_by": "other",
    },
    Phase: {
        "number": 7,
        "enrol_salt": "other",
        "arm_salt": "other",
        "eligibility": {"min_interactions": 1},
        "planned_units": 9,
        "config_hash": "other",
        "started_at": None,
    },
    Arm: {"key": "other", "name": "other", "is_control": False, "weight_bp": 1, "policy": {"diversity": 0.5}},
    RampStep: {"enrol_bp": 9_999, "after_days": 99, "is_manual": True},
    ExclusionLayer: {"key": "other", "salt": "other"},
}
WHILE_RUNNING = {
    Experiment: {"status": "stopped", "winner": "b"},
    Phase: {"enrol_bp": 9, "is_enrolling": False, "ended_at": LATER, "end_reason": "why"},
    RampStep: {"activated_at": LATER, "held_reason": "why"},
}
FIELDS = [(model, name) for model, values in FROZEN.items() for name in values]
FREE = [(model, name) for model, values in WHILE_RUNNING.items() for name in values]


@pytest.fixture
def phase() -> Phase:
    """A running phase with a ramp, in a layer."""
    layer = ExclusionLayer.objects.create(key="line", salt="line")
    experiment = Experiment.objects.create(key="e", name="e", use_case="books", layer=layer, layer_to=5_000)
    phase = Phase.objects.create(experiment=experiment, number=1)
    for key in ("control", "b"):
        Arm.objects.create(phase=phase, key=key, is_control=key == "control", weight_bp=5_000)
    RampStep.objects.create(phase=phase, enrol_bp=1_000)
    return lifecycle.start(experiment, "ann")


def row_of(phase: Phase, model):
    """The row of the phase's experiment, with its control for the arms."""
    return {
        Experiment: phase.experiment,
        Phase: phase,
        Arm: phase.arms.get(key="control"),
        RampStep: phase.ramp_steps.first(),
        ExclusionLayer: phase.experiment.layer,
    }[model]


def stored(row) -> dict:
    return type(row).objects.filter(pk=row.pk).values().get()


def by_save(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def by_save_of_the_fields(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def by_update(row, **values):
    type(row).objects.filter(pk=row.pk).update(**values)


def by_update_of_all(row, **values):
    type(row)._base_manager.update(**values)


def by_bulk_update(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    type(row).objects.bulk_update([row], list(values))


def by_upsert(row, **values):
    type(row).objects.update_or_create(pk=row.pk, defaults=values)


def by_fixture(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    type(row).save_base(row, raw=True)


WAYS = (by_save, by_save_of_the_fields, by_update, by_update_of_all, by_bulk_update, by_upsert, by_fixture)


def refused(way, row, **values) -> str:
    before = stored(row)
    with pytest.raises(ValidationError) as raised, transaction.atomic():
        way(type(row).objects.get(pk=row.pk), **values)
    assert stored(row) == before
    (sentence,) = raised.value.messages
    return sentence


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=lambda value: getattr(value, "__name__", value))
def test_what_is_frozen_is_refused_field_by_field_in_every_way(phase, model, name):
    for way in WAYS:
        sentence = refused(way, row_of(phase, model), **{name: FROZEN[model][name]})
        assert f"Phase 1 of e runs: {name} cannot be changed" in sentence


def test_every_field_is_spoken_of():
    for model, values in FROZEN.items():
        of_the_row = {"id", "created_at", "phase", "experiment", *values, *WHILE_RUNNING.get(model, ())}
        assert {field.name for field in model._meta.concrete_fields} <= of_the_row


@pytest.mark.parametrize(("model", "name"), FREE, ids=lambda value: getattr(value, "__name__", value))
def test_what_may_change_changes_while_it_runs_and_never_again_once_it_has_ended(phase, model, name):
    row, value = row_of(phase, model), WHILE_RUNNING[model][name]
    for way in (by_save, by_update, by_bulk_update):
        with transaction.atomic():
            way(model.objects.get(pk=row.pk), **{name: value})
            assert stored(row)[name] == value
            transaction.set_rollback(True)
    if model is Experiment:
        return  # who won is said later
    Phase.objects.update(ended_at=LATER)
    for way in (by_save, by_update, by_bulk_update):
        assert "has ended" in refused(way, row, **{name: None if name == "ended_at" else value})


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=lambda value: getattr(value, "__name__", value))
def test_ended_phases_stay_frozen_but_their_layer_is_free(phase, model, name):
    lifecycle.stop(phase.experiment, "done", "ann")
    row, values = row_of(phase, model), {name: FROZEN[model][name]}
    if model is ExclusionLayer:
        by_save(row, **values)
        by_update(row, **values)
        return
    for way in (by_save, by_update, by_bulk_update):
        assert "has ended" in refused(way, row, **values)


@pytest.mark.parametrize("model", [Arm, RampStep])
def test_nothing_is_added_to_what_runs_by_any_way(phase, model):
    def new(owner):
        is_arm = model is Arm
        return Arm(phase=owner, key="c", weight_bp=1) if is_arm else RampStep(phase=owner, enrol_bp=2, after_days=8)

    other = Phase.objects.create(experiment=Experiment.objects.create(key="f", name="f", use_case="books"), number=1)
    moved = new(other)
    moved.save()
    related = phase.arms if model is Arm else phase.ramp_steps
    moved_row = model.objects.get(pk=moved.pk)
    moved_row.phase = phase
    ways = [
        new(phase).save,
        lambda: new(phase).save_base(raw=True),
        lambda: model.objects.bulk_create([new(phase)]),
        lambda: related.add(new(phase), bulk=False),
        lambda: related.add(model.objects.get(pk=moved.pk)),
        lambda: model.objects.filter(pk=moved.pk).update(phase=phase),
        lambda: model.objects.filter(pk=moved.pk).update(phase_id=phase.pk),
        lambda: model.objects.bulk_update([moved_row], ["phase"]),
        moved_row.save,
    ]
    for way in ways:
        with pytest.raises(ValidationError, match=r"Phase 1 of e runs: no .* can be added"), transaction.atomic():
            way()
    assert model.objects.filter(phase=phase).count() == (2 if model is Arm else 1)
    assert model.objects.get(pk=moved.pk).phase == other


@pytest.mark.parametrize("model", [Experiment, Phase, Arm, RampStep, ExclusionLayer])
@pytest.mark.parametrize("has_ended", [False, True])
def test_nothing_is_deleted_of_what_was_started(phase, model, has_ended):
    if has_ended:
        lifecycle.stop(phase.experiment, "done", "ann")
    row = row_of(phase, model)
    for way in (row.delete, model.objects.filter(pk=row.pk).delete, model._base_manager.all().delete):
        with pytest.raises((ValidationError, ProtectedError)), transaction.atomic():
            way()
    assert model.objects.filter(pk=row.pk).exists()
    assert phase.arms.count() == 2


def test_upserts_in_bulk_are_refused(phase):
    other = Phase.objects.create(experiment=Experiment.objects.create(key="f", name="f", use_case="books"), number=1)
    rows = [Arm(phase=other, key="c", weight_bp=1)]
    with pytest.raises(ValidationError, match="not updated by bulk_create"):
        Arm.objects.bulk_create(rows, update_conflicts=True, update_fields=["key"], unique_fields=["phase", "key"])


def test_drafts_are_free_and_saving_what_has_not_changed_is_no_edit(phase):
    draft = Phase.objects.create(experiment=Experiment.objects.create(key="f", name="f", use_case="books"), number=1)
    arm = Arm.objects.create(phase=draft, key="a", weight_bp=1)
    by_save(arm, weight_bp=2)
    by_update(arm, weight_bp=3)
    by_bulk_update(arm, weight_bp=4)
    assert stored(arm)["weight_bp"] == 4
    draft.experiment.delete()
    assert not Arm.objects.filter(pk=arm.pk).exists()
    for model in FROZEN:
        row_of(phase, model).save()


def test_a_stale_copy_of_a_draft_does_not_undo_the_start():
    experiment = Experiment.objects.create(key="f", name="f", use_case="books")
    phase = Phase.objects.create(experiment=experiment, number=1)
    for key in ("control", "b"):
        Arm.objects.create(phase=phase, key=key, is_control=key == "control", weight_bp=5_000)
    stale = Phase.objects.get(pk=phase.pk)
    lifecycle.start(experiment, "ann")
    with pytest.raises(ValidationError, match="started_at"):
        stale.save()
    assert Phase.objects.get(pk=phase.pk).started_at is not None


def test_a_fixture_over_what_runs_changes_nothing(phase, tmp_path):
    file = tmp_path / "again.json"
    fields = {"phase": ["e", 1], "key": "control", "weight_bp": 1, "is_control": True}
    file.write_text(json.dumps([{"model": "recommender_app.arm", "fields": fields}]))
    with pytest.raises(ValidationError, match="weight_bp cannot be changed"):
        call_command("loaddata", str(file), verbosity=0)
    assert phase.arms.get(key="control").weight_bp == 5_000


def test_only_rows_of_what_was_started_are_refused(phase):
    draft = two_arms("f")
    Phase.objects.filter(pk=draft.pk).update(enrol_bp=5)
    with pytest.raises(ValidationError):
        Arm.objects.update(name="all")
    assert set(Arm.objects.values_list("name", flat=True)) == {""}
