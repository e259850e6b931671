"""Experiments in the admin are moved by buttons that ask first, by whoever may."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from recommender_app.experiments import lifecycle
from recommender_app.models import Arm, Experiment, ExperimentChange, Phase, ServingPolicy, Snapshot
from tests.app import library
from tests.experiments.admin_pages import ALL, EDIT, do, login, now, planned, said, url
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


def test_a_life_in_the_admin_from_a_template_to_the_full_rollout(client):
    login(client, *ALL)
    response = client.post(url("add"), {"template": "als_warm", "use_case": "books", "key": "warm"}, follow=True)
    experiment = Experiment.objects.get()
    assert (experiment.status, experiment.created_by, experiment.phases.get().arms.count()) == ("draft", "cleo", 2)
    assert response.status_code == 200
    assert "Started: warm/1 runs." in said(do(client, experiment, "start"))
    assert "warm/1 enrols 12.5 %." in said(do(client, experiment, "ramp", share="12.5"))
    assert "warm/1 enrols nobody more." in said(do(client, experiment, "pause"))
    assert "warm/1 enrols again." in said(do(client, experiment, "resume"))
    assert "warm/1 serves nobody any more." in said(do(client, experiment, "stop"))
    assert "Planned: warm/2," in said(do(client, experiment, "new-phase"))
    do(client, experiment, "start")
    response = do(client, experiment, "conclude", winner="als", write_policy="on")
    assert "Concluded: als won warm and is in the serving policy." in said(response)
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
    assert do(client, experiment, move, share="50", winner="als").status_code == 403
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
    assert "It cannot be done yet. The arms&#x27; weights make 50.01 %: they must make 100 %" in page
    assert 'type="submit" value="Start' not in page
    assert "Not done: test was not started: The arms' weights make 50.01 %" in said(do(client, experiment, "start"))
    assert now(experiment).status == "draft"


@pytest.mark.parametrize(
    ("move", "fields", "message"),
    [
        ("stop", {"reason": " "}, "Say why."),
        ("ramp", {"share": "101"}, "less than or equal to 100"),
        ("ramp", {"share": "nan"}, "Enter a number"),
        ("ramp", {"share": "0.001"}, "no more than 2 decimal places"),
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


def test_the_page_of_the_start_says_which_engines_are_missing(client):
    login(client, *ALL)
    page = client.get(url("do", planned("four_groups").pk, "start")).content.decode()
    assert "Arm b promises content_based, two_tower, of which no version is live" in page
    page = client.get(url("do", planned("a_a", "equal").pk, "start")).content.decode()
    assert "promises" not in page  # what is in force, whatever that is


def test_the_page_of_the_start_looks_into_the_release_that_an_arm_pins(client):
    login(client, *ALL)
    library.put_live(1, "content_based_v1", "als_v1")
    library.put_live(2, "content_based_v1")
    experiment = planned("als_warm")
    als = Arm.objects.get(key="als")
    page = url("do", experiment.pk, "start")
    assert "Arm als promises als, of which no version is live" in client.get(page).content.decode()
    als.policy |= {"release": 1}
    als.save()
    assert "promises" not in client.get(page).content.decode()


def test_the_page_of_the_start_says_that_a_use_case_has_no_visitors(client, monkeypatch):
    login(client, *ALL)
    experiment = planned("a_a")
    page = url("do", experiment.pk, "start")
    assert "no session is enrolled" not in client.get(page).content.decode()
    Experiment.objects.filter(pk=experiment.pk).update(unit_type="session")
    assert "books answers nobody without a login: no session is enrolled" in client.get(page).content.decode()
    monkeypatch.setattr(BooksForReaders, "allow_anonymous_lists", True)
    assert "no session is enrolled" not in client.get(page).content.decode()
