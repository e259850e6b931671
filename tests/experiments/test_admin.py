"""The admin of experiments: who may do what, what is refused, and that pages cost few queries."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from recommender_app.experiments import lifecycle
from recommender_app.experiments.templates import create_from_template
from recommender_app.models import Arm, Experiment, ExperimentChange, Phase, RampStep, ServingPolicy, Snapshot
from tests.experiments.phases import assign

pytestmark = pytest.mark.django_db

EDIT = ("add_experiment", "change_experiment", "delete_experiment", "view_experiment")
ALL = (*EDIT, "run_experiments", "view_experiment_results", "view_assignment", "view_experimentchange")


def login(client, *codenames) -> User:
    user = User.objects.create_user("cleo", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def url(page="changelist", *args, model="experiment") -> str:
    return reverse(f"admin:recommender_app_{model}_{page}", args=args)


def planned(template="als_warm", key="test") -> Experiment:
    return create_from_template(template, "books", key, "ann")


def said(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def do(client, experiment: Experiment, move: str, **fields):
    """Confirm a move."""
    data = {"confirmed": "yes", "reason": "because", **fields}
    return client.post(url("do", experiment.pk, move), data, follow=True)


def now(experiment: Experiment) -> Experiment:
    return Experiment.objects.get(pk=experiment.pk)


def plan_form(experiment: Experiment, **fields) -> dict:
    names = ("key", "name", "hypothesis", "use_case", "unit_type", "primary_metric", "secondary_metrics", "min_days")
    names = (*names, "alpha", "power", "least_effect", "layer_from", "layer_to")
    return {name: getattr(experiment, name) for name in names} | {"guardrails": "{}", "layer": ""} | fields


def phase_form(phase: Phase, **fields) -> dict:
    """What the page of a phase posts; names as ``arms-0-policy``."""
    data = {"eligibility": "{}", "planned_units": phase.planned_units}
    arms, steps = list(phase.arms.order_by("pk")), list(phase.ramp_steps.order_by("after_days"))
    for prefix, rows in (("arms", arms), ("ramp_steps", steps)):
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": len(rows)}
    for place, arm in enumerate(arms):
        values = {"id": arm.pk, "key": arm.key, "weight_bp": arm.weight_bp, "policy": "{}"}
        data |= {f"arms-{place}-{name}": value for name, value in values.items()}
        data |= {f"arms-{place}-is_control": "on"} if arm.is_control else {}
    for place, step in enumerate(steps):
        values = {"id": step.pk, "after_days": step.after_days, "enrol_bp": step.enrol_bp}
        data |= {f"ramp_steps-{place}-{name}": value for name, value in values.items()}
    return {name: value for name, value in (data | fields).items() if value is not None}


def test_a_life_in_the_admin_from_a_template_to_the_full_rollout(client):
    login(client, *ALL)
    response = client.post(url("add"), {"template": "als_warm", "use_case": "books", "key": "warm"}, follow=True)
    experiment = Experiment.objects.get()
    assert (experiment.status, experiment.created_by, experiment.phases.get().arms.count()) == ("draft", "cleo", 2)
    assert response.status_code == 200
    assert "warm/1 runs." in said(do(client, experiment, "start"))
    assert "warm/1 enrols 12.5 %." in said(do(client, experiment, "ramp", per_cent="12.5"))
    assert "warm/1 is paused." in said(do(client, experiment, "pause"))
    assert "warm/1 enrols again." in said(do(client, experiment, "resume"))
    assert "warm/1 is stopped." in said(do(client, experiment, "stop"))
    assert "warm/2 is planned." in said(do(client, experiment, "new-phase"))
    do(client, experiment, "start")
    response = do(client, experiment, "conclude", winner="als", write_policy="on")
    assert "warm is concluded: als won and is in the serving policy." in said(response)
    assert ServingPolicy.objects.get().routes == [[0, "content_based"], [5, "als"]]
    rows = ExperimentChange.objects.order_by("pk")
    assert [row.action for row in rows][:4] == ["create", "start", "ramp", "pause"]
    assert {row.changed_by for row in rows} == {"cleo"}
    assert rows[1].reason == "because"
    assert LogEntry.objects.count() == 9


@pytest.mark.parametrize("move", ["start", "ramp", "pause", "resume", "stop", "new-phase", "conclude"])
def test_moves_need_their_permission_and_a_confirmation(client, move):
    user = login(client, *EDIT)
    experiment = planned()
    if move != "start":
        lifecycle.start(experiment, "ann")
    before = list(Experiment.objects.values()), list(Phase.objects.values())
    assert client.get(url("do", experiment.pk, move)).status_code == 403
    assert do(client, experiment, move, per_cent="50", winner="als").status_code == 403
    page = client.get(url("change", experiment.pk)).content.decode()
    assert f"/do/{move}/" not in page
    user.user_permissions.add(Permission.objects.get(codename="run_experiments"))
    response = client.get(url("do", experiment.pk, move))
    assert response.status_code == 200
    assert "Arm als, 50 %" in response.content.decode()
    assert (list(Experiment.objects.values()), list(Phase.objects.values())) == before


def test_who_may_run_but_not_look_may_nothing(client):
    login(client, "run_experiments")
    experiment = planned()
    assert do(client, experiment, "start").status_code == 403
    assert client.get(url()).status_code == 403
    assert client.get(url("change", experiment.phases.get().pk, model="phase")).status_code == 403


def test_only_the_moves_that_make_sense_have_buttons(client):
    login(client, *ALL)
    experiment = planned()

    def buttons() -> set[str]:
        page = client.get(url("change", experiment.pk)).content.decode()
        names = ("start", "ramp", "pause", "resume", "stop", "new-phase", "conclude")
        return {name for name in names if url("do", experiment.pk, name) in page}

    assert buttons() == {"start"}
    phase = lifecycle.start(experiment, "ann")
    assert buttons() == {"ramp", "pause", "stop", "conclude"}
    lifecycle.pause(phase, "ann")
    assert buttons() == {"ramp", "resume", "stop", "conclude"}
    lifecycle.stop(experiment, "", "ann")
    assert buttons() == {"new-phase", "conclude"}
    lifecycle.conclude(experiment, "als", "ann")
    assert buttons() == set()


def test_who_may_read_results_sees_the_verdict_before_ending_an_experiment(client):
    user = login(client, *ALL)
    experiment = planned()
    phase = lifecycle.start(experiment, "ann")

    def page(move: str) -> str:
        return client.get(url("do", experiment.pk, move)).content.decode()

    assert "No snapshot has been taken yet" in page("conclude")
    values = {"verdict": "winner", "sentence": "als wins.", "method_version": 1, "code_version": "1", "data_hash": "x"}
    Snapshot.objects.create(phase=phase, as_of="2026-03-02", sums={}, results={}, health=[], **values)
    assert "As of 2026-03-02: als wins." in page("conclude")
    assert "als wins." in page("stop")
    assert "als wins." not in page("pause")
    user.user_permissions.remove(Permission.objects.get(codename="view_experiment_results"))
    assert "als wins." not in page("conclude")


def test_what_may_not_start_says_why_before_and_after(client):
    login(client, *ALL)
    experiment = planned()
    Arm.objects.filter(key="als").update(weight_bp=1)
    page = client.get(url("do", experiment.pk, "start")).content.decode()
    assert "It cannot start: The arms&#x27; weights make 5001: they must make 10000." in page
    assert "was not started: The arms' weights make 5001" in said(do(client, experiment, "start"))
    assert now(experiment).status == "draft"


@pytest.mark.parametrize(
    ("move", "fields", "message"),
    [
        ("stop", {"reason": " "}, "Say why."),
        ("ramp", {"per_cent": "101"}, "less than or equal to 100"),
        ("ramp", {"per_cent": "nan"}, "Enter a number"),
        ("ramp", {"per_cent": "0.001"}, "no more than 2 decimal places"),
        ("ramp", {}, "This field is required"),
        ("conclude", {"winner": "zorro"}, "not one of the available choices"),
        ("conclude", {}, "This field is required"),
    ],
)
def test_a_move_that_is_filled_in_wrongly_is_asked_again(client, move, fields, message):
    login(client, *ALL)
    experiment = planned()
    lifecycle.start(experiment, "ann")
    response = do(client, experiment, move, **fields)
    assert message in response.content.decode()
    assert ("Say why." in response.content.decode()) == (move == "stop")
    assert now(experiment).status == "running"
    assert ExperimentChange.objects.count() == 2


def test_moves_and_experiments_that_are_none_are_not_found(client):
    login(client, *ALL)
    experiment = planned()
    assert client.get(url("do", experiment.pk, "explode")).status_code == 404
    assert client.get(url("do", 12345, "start")).status_code == 404
    assert client.get(url("do", "x", "start")).status_code == 404


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
        "arms-0-weight_bp": 4_000,
        "arms-1-policy": '{"diversity": 0.5}',
        "ramp_steps-1-enrol_bp": 6_000,
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
    assert "It cannot start yet: The arms' weights make 9000" in said(response)
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
        ({"arms-0-weight_bp": "0"}, "weight is from 1 to 10000"),
        ({"arms-0-weight_bp": "10001"}, "weight is from 1 to 10000"),
        ({"arms-0-key": "als"}, "duplicate"),
        ({"eligibility": '{"min_interactions": "many"}'}, "is a whole number from 0"),
        ({"ramp_steps-0-enrol_bp": "10001"}, "less than or equal to 10000"),
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


def test_who_may_only_look_sees_and_changes_nothing(client):
    login(client, "view_experiment")
    experiment = planned()
    phase = experiment.phases.get()
    assert client.get(url()).status_code == 200
    assert 'name="_save"' not in client.get(url("change", experiment.pk)).content.decode()
    page = client.get(url("change", phase.pk, model="phase")).content.decode()
    assert "two_tower" in page
    assert 'name="_save"' not in page
    assert client.post(url("change", phase.pk, model="phase"), phase_form(phase)).status_code == 403
    assert client.get(url("add")).status_code == 403
    assert client.get(url("a_a")).status_code == 403
    assert client.get(url(model="snapshot")).status_code == 403
    assert client.get(url(model="assignment")).status_code == 403


def test_an_a_a_test_is_planned_and_started_in_one_go(client):
    login(client, *ALL)
    assert url("a_a") in client.get(url()).content.decode()
    assert client.get(url("a_a")).status_code == 200
    response = client.post(url("a_a"), {"use_case": "books", "key": "same"}, follow=True)
    assert "same runs." in said(response)
    assert Phase.objects.get().enrol_bp == 10_000
    response = client.post(url("a_a"), {"use_case": "books", "key": "again"})
    assert "same runs for books and could want the same units" in response.content.decode()
    assert Experiment.objects.count() == 1


def fill(n: int) -> None:
    for _ in range(n):
        number = Experiment.objects.count()
        experiment = planned("four_groups", f"e{number}")
        phase = lifecycle.start(experiment, "ann")
        assign(phase, "control", "1", "2")
        assign(phase, "a", "3", first_exposed_at=timezone.now(), excluded_reason="bot")
        values = {"code_version": "1", "data_hash": "f00d", "verdict": "wait", "sentence": "Wait <b>on</b>."}
        health = [{"check": "srm", "severity": "green", "sentence": "As planned."}]
        Snapshot.objects.create(phase=phase, as_of="2026-03-02", sums={"a": 1}, results={}, health=health, **values)
        lifecycle.stop(experiment, "", "ann")


@pytest.mark.parametrize("model", ["experiment", "phase", "assignment", "snapshot", "experimentchange"])
def test_lists_take_as_many_queries_for_many_rows_as_for_few(client, model, django_assert_max_num_queries):
    login(client, *ALL)
    fill(1)
    with django_assert_max_num_queries(12) as few:
        assert client.get(url(model=model)).status_code == 200
    fill(4)
    with django_assert_max_num_queries(len(few)) as many:
        assert client.get(url(model=model)).status_code == 200
    assert len(many) == len(few)


@pytest.mark.parametrize("model", ["experiment", "phase", "assignment", "snapshot", "experimentchange"])
def test_each_row_has_a_page_of_few_queries_and_nobody_changes_it(client, model, django_assert_max_num_queries):
    login(client, *ALL)
    fill(2)
    pk = {"experiment": Experiment, "phase": Phase, "snapshot": Snapshot, "experimentchange": ExperimentChange}.get(
        model, Phase.assignments.rel.related_model
    ).objects.first().pk  # fmt: skip
    with django_assert_max_num_queries(12):
        response = client.get(url("change", pk, model=model))
    assert response.status_code == 200
    assert b'name="_save"' not in response.content
    assert client.post(url("change", pk, model=model), {}).status_code == 403


def test_the_page_of_a_phase_counts_its_units(client):
    login(client, *ALL)
    fill(1)
    page = client.get(url("change", Phase.objects.get().pk, model="phase")).content.decode()
    assert "<tr><td>control</td><td>2</td><td>0</td><td>0</td></tr>" in page
    assert "<tr><td>a</td><td>1</td><td>1</td><td>1</td></tr>" in page


def test_rows_are_filtered_by_phase_and_unit(client):
    login(client, *ALL)
    fill(2)
    pk = Phase.objects.earliest("pk").pk
    page = client.get(url(model="assignment"), {"phase": pk, "q": "3"}).content.decode()
    assert "1 assignment" in page
    assert client.get(url(model="assignment"), {"phase": "x"}).status_code == 200


def test_what_people_wrote_is_shown_as_text(client):
    login(client, *ALL)
    fill(1)
    page = client.get(url("change", Snapshot.objects.get().pk, model="snapshot")).content.decode()
    assert "<b>on</b>" not in page
    Experiment.objects.filter(status="draft").delete()
    draft = planned(key="draft")
    Experiment.objects.filter(pk=draft.pk).update(name="<b>bold</b>")
    assert "<b>bold</b>" not in client.get(url("do", draft.pk, "start")).content.decode()


def test_a_layer_in_use_is_not_changed(client):
    login(client, *ALL, "change_exclusionlayer", "add_exclusionlayer", "view_exclusionlayer")
    client.post(url("add", model="exclusionlayer"), {"key": "line", "salt": "s"})
    experiment = planned()
    layer = experiment._meta.get_field("layer").related_model.objects.get()
    Experiment.objects.update(layer=layer)
    lifecycle.start(experiment, "ann")
    page = url("change", layer.pk, model="exclusionlayer")
    response = client.post(page, {"key": "line", "salt": "t"}, follow=True)
    assert "salt cannot be changed; use another layer, or stop its experiments first." in said(response)
