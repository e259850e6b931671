"""Who may look sees experiments, phases, assignments, snapshots and the trail, and changes nothing."""

from __future__ import annotations

import pytest
from django.utils import timezone

from recommender_app.experiments import lifecycle
from recommender_app.measurement.readouts.printed import table_rows
from recommender_app.measurement.readouts.snapshots import take_snapshot
from recommender_app.models import Experiment, ExperimentChange, Phase, Snapshot
from tests.app.measured import DAY
from tests.experiments.admin_pages import ALL, login, phase_form, planned, url
from tests.experiments.phases import assign, two_arms
from tests.experiments.populated import populate

pytestmark = pytest.mark.django_db


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


def test_the_page_of_a_snapshot_says_what_the_command_prints(client):
    login(client, *ALL)
    phase = two_arms(guardrails={"dislike_rate": 0.2})
    populate(phase)
    snapshot = take_snapshot(phase, DAY)
    page = client.get(url("change", snapshot.pk, model="snapshot")).content.decode()
    assert all(f"<td>{cell}</td>" in page for row in table_rows(snapshot) for cell in row)
    assert "dislikes per impression of b: undecided (the users do not tell yet)" in page


def test_the_page_of_an_experiment_leads_to_what_came_of_its_phases(client):
    login(client, *ALL)
    fill(1)
    experiment = Experiment.objects.get()
    pk = experiment.phases.get().pk
    page = client.get(url("change", experiment.pk)).content.decode()
    links = [f"{url(model=model)}?phase={pk}" for model in ("snapshot", "assignment")]
    assert all(f'href="{link}"' in page for link in links)
    assert "1 snapshot" in client.get(links[0]).content.decode()
    assert "3 assignments" in client.get(links[1]).content.decode()
    draft = client.get(url("change", planned(key="draft").pk)).content.decode()
    assert "?phase=" not in draft
