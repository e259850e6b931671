"""Drafts are edited in the admin with a trail; what was started is not."""

from __future__ import annotations

import pytest

from recommender_app.admin.experiments_forms import ShareField
from recommender_app.experiments import lifecycle
from recommender_app.models import Arm, Experiment, ExperimentChange, Phase, RampStep
from tests.experiments.admin_pages import ALL, login, now, phase_form, plan_form, planned, said, url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": ""}, "required"),
        ({"key": "not a key"}, "valid"),
        ({"key": "taken"}, "already exists"),
        ({"template": "b_b"}, "not one of the available choices"),
        ({"use_case": "films"}, "not one of the available choices"),
    ],
)
def test_an_experiment_that_makes_no_sense_is_not_planned(client, fields, message):
    login(client, *ALL)
    planned(key="taken")
    response = client.post(url("add"), {"template": "a_a", "use_case": "books", "key": "new", **fields})
    assert message in str(response.context["adminform"].form.errors)
    assert Experiment.objects.count() == 1


def test_a_draft_is_edited_with_a_trail(client):
    login(client, *ALL)
    experiment = planned()
    form = plan_form(experiment, alpha="0.01", guardrails='{"latency": 0.5}', secondary_metrics=["rating"])
    response = client.post(url("change", experiment.pk), form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    stored = now(experiment)
    assert (stored.alpha, stored.guardrails, stored.secondary_metrics) == (0.01, {"latency": 0.5}, ["rating"])
    row = ExperimentChange.objects.latest("pk")
    assert (row.action, row.changed_by, row.before["alpha"], row.after["alpha"]) == ("edit", "cleo", 0.05, 0.01)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"use_case": "films"}, "not one of the available choices"),
        ({"primary_metric": "session_seconds"}, "not one of the available choices"),
        ({"secondary_metrics": ["speed"]}, "not one of the available choices"),
        ({"guardrails": '{"speed": 1}'}, "There is no metric"),
        ({"guardrails": '{"latency": -1}'}, "the margin is a number above 0"),
        ({"guardrails": "{"}, "valid JSON"),
        ({"alpha": "0.7"}, "Alpha is from 0 to 0.5"),
        ({"layer_from": "9", "layer_to": "5"}, "range of the layer"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_beside_its_field(client, fields, message):
    login(client, *ALL)
    experiment = planned()
    response = client.post(url("change", experiment.pk), plan_form(experiment, **fields))
    assert message in str(response.context["adminform"].form.errors)
    assert ExperimentChange.objects.count() == 1


def test_arms_and_ramp_of_a_draft_are_edited_with_a_trail(client):
    login(client, *ALL)
    phase = planned().phases.get()
    fields = {
        "eligibility": '{"min_interactions": 3}',
        "planned_units": 700,
        "arms-0-weight_bp": "40",
        "arms-1-policy": '{"diversity": 0.5}',
        "ramp_steps-1-enrol_bp": "60",
    }
    response = client.post(url("change", phase.pk, model="phase"), phase_form(phase, **fields), follow=True)
    assert response.redirect_chain
    phase.refresh_from_db()
    assert (phase.eligibility, phase.planned_units) == ({"min_interactions": 3}, 700)
    assert list(phase.arms.order_by("pk").values_list("weight_bp", "policy")) == [
        (4_000, {}),
        (5_000, {"diversity": 0.5}),
    ]
    assert phase.ramp_steps.get(after_days=7).enrol_bp == 6_000
    (message,) = response.context["messages"]
    assert str(message).startswith("It cannot start yet: The arms' weights make 90 %: they must make 100 %")
    assert message.level_tag == "warning"
    row = ExperimentChange.objects.latest("pk")
    assert (row.action, row.before["planned_units"], row.after["planned_units"]) == ("edit", 0, 700)


def test_another_arm_can_become_the_control_in_one_go(client):
    login(client, *ALL)
    phase = planned().phases.get()
    form = phase_form(phase, **{"arms-0-is_control": None, "arms-1-is_control": "on"})
    assert client.post(url("change", phase.pk, model="phase"), form).status_code == 302
    assert phase.arms.get(is_control=True).key == "als"
    form = phase_form(phase, **{"arms-0-is_control": "on"})
    page = client.post(url("change", phase.pk, model="phase"), form).content.decode()
    assert "Only one arm can be the control." in page
    assert phase.arms.get(is_control=True).key == "als"


def test_arms_and_steps_of_a_draft_are_added_and_deleted(client):
    login(client, *ALL)
    phase = planned().phases.get()
    new = {"arms-TOTAL_FORMS": 3, "arms-2-key": "c", "arms-2-weight_bp": 10, "arms-2-policy": ""}
    form = phase_form(phase, **new, **{"arms-1-DELETE": "on", "ramp_steps-1-DELETE": "on"})
    assert client.post(url("change", phase.pk, model="phase"), form).status_code == 302
    assert list(phase.arms.order_by("pk").values_list("key", "policy")) == [("control", {}), ("c", {})]
    assert phase.ramp_steps.count() == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arms-0-policy": '{"routes": [[0, "alz"]]}'}, "There is no engine"),
        ({"arms-0-policy": '{"rutes": 1}'}, "did you mean"),
        ({"arms-0-policy": '{"diversity": 2}'}, "Diversity must be between 0 and 1"),
        ({"arms-0-policy": "{"}, "valid JSON"),
        ({"arms-0-policy": "[" * 5_000}, "valid JSON"),
        ({"arms-0-policy": '{"release": 9}'}, "there is no release 9"),
        ({"arms-0-weight_bp": "0"}, "greater than or equal to 0.01"),
        ({"arms-0-weight_bp": "100.01"}, "less than or equal to 100"),
        ({"arms-0-key": "als"}, "duplicate"),
        ({"eligibility": '{"min_interactions": "many"}'}, "is a whole number from 0"),
        ({"ramp_steps-0-enrol_bp": "101"}, "less than or equal to 100"),
        ({"ramp_steps-1-after_days": "0"}, "duplicate"),
    ],
)
def test_arms_and_ramps_that_make_no_sense_are_refused(client, fields, message):
    login(client, *ALL)
    phase = planned().phases.get()
    response = client.post(url("change", phase.pk, model="phase"), phase_form(phase, **fields))
    assert response.status_code == 200
    assert message in response.content.decode()
    assert ExperimentChange.objects.count() == 1


def frozen_rows(experiment):
    models = (Experiment, Phase, Arm, RampStep)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("has_ended", [False, True])
def test_requirement_3_no_form_changes_what_was_started(client, has_ended):
    login(client, *ALL)
    experiment = planned()
    phase = lifecycle.start(experiment, "ann")
    if has_ended:
        lifecycle.stop(experiment, "", "ann")
    before = frozen_rows(experiment)
    plan = {"name": "x", "hypothesis": "x", "use_case": "movies", "unit_type": "session", "primary_metric": "rating"}
    plan |= {"secondary_metrics": ["rating"], "guardrails": "{}", "alpha": "0.1", "layer_to": "5", "min_days": "1"}
    for name, value in plan.items():
        response = client.post(url("change", experiment.pk), plan_form(experiment, **{name: value}))
        assert response.status_code == 403, name
    rows = {"arms-0-weight_bp": 1, "arms-0-key": "x", "arms-0-policy": '{"diversity": 0.5}', "arms-0-DELETE": "on"}
    rows |= {"ramp_steps-0-enrol_bp": 5, "eligibility": '{"min_interactions": 1}', "planned_units": 5}
    rows |= {"enrol_salt": "x", "arm_salt": "x", "enrol_bp": "5", "started_at": ""}
    for name, value in rows.items():
        response = client.post(url("change", phase.pk, model="phase"), phase_form(phase, **{name: value}))
        assert response.status_code == 403, name
    assert client.post(url("delete", experiment.pk), {"post": "yes"}).status_code == 403
    assert client.post(url("delete", phase.pk, model="phase"), {"post": "yes"}).status_code == 403
    client.post(url(), {"action": "delete_selected", "_selected_action": [experiment.pk], "post": "yes"})
    assert frozen_rows(experiment) == before
    for pk, model in ((experiment.pk, "experiment"), (phase.pk, "phase")):
        page = client.get(url("change", pk, model=model)).content.decode()
        assert 'name="_save"' not in page
        assert "arms-0-key" not in page


def test_a_start_between_the_page_and_the_post_is_said(client, monkeypatch):
    login(client, *ALL)
    experiment = planned()
    form = phase_form(experiment.phases.get(), **{"arms-0-weight_bp": 1})
    phase = lifecycle.start(experiment, "ann")
    monkeypatch.setattr("recommender_app.admin.experiments_phases._may_edit", lambda request, phase: True)
    response = client.post(url("change", phase.pk, model="phase"), form, follow=True)
    assert "Phase 1 of test runs: eligibility cannot be changed; stop it and begin a new phase." in said(response)
    assert phase.arms.get(key="control").weight_bp == 5_000


def test_drafts_are_deleted_with_a_trail(client):
    login(client, *ALL)
    one, two = planned(key="one"), planned(key="two")
    assert client.post(url("delete", one.pk), {"post": "yes"}).status_code == 302
    client.post(url(), {"action": "delete_selected", "_selected_action": [two.pk], "post": "yes"})
    assert not Experiment.objects.exists()
    rows = ExperimentChange.objects.filter(action="delete").order_by("pk")
    assert [(row.experiment, row.before["use_case"]) for row in rows] == [("one", "books"), ("two", "books")]


@pytest.mark.parametrize("is_from_list", [False, True])
def test_a_phase_that_is_planned_is_deleted_with_a_trail_and_one_that_was_started_is_not(client, is_from_list):
    login(client, *ALL)
    experiment = planned()
    started = lifecycle.start(experiment, "ann")
    lifecycle.stop(experiment, "", "ann")
    draft = lifecycle.new_phase(experiment, "ann")
    for phase in (draft, started):
        if is_from_list:
            chosen = {"action": "delete_selected", "_selected_action": [phase.pk], "post": "yes"}
            client.post(url(model="phase"), chosen)
        else:
            client.post(url("delete", phase.pk, model="phase"), {"post": "yes"})
    assert list(Phase.objects.all()) == [started]
    (row,) = ExperimentChange.objects.filter(action="delete")
    assert (row.phase, row.changed_by, len(row.before["arms"])) == (2, "cleo", 2)


def test_shares_are_shown_in_per_cent_and_unchanged_where_nothing_was_written():
    field = ShareField()
    assert (field.prepare_value(1_250), field.clean("12.5")) == ("12.5", 1_250)
    assert [field.has_changed(1_250, said) for said in ("12.5", "12.50", "13")] == [False, False, True]
