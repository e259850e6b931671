"""Admin pages of the lifecycle: the gate's table, forcing, asking for trainings, the trail."""

import pytest

from recommender_app.models import ReleaseChange, TrainingRun
from recommender_app.registry.releases import promote
from recommender_app.registry.verdicts import record_verdict
from tests.app.registered import candidate, live_names, start, status_of
from tests.app.test_admin import act, login, messages_of, url

pytestmark = pytest.mark.django_db
NUMBERS = {"baseline": 0.25, "against": "<b>popular</b>"}
VERDICT = {
    "passed": False,
    "outcome": "rejected",
    "reason": "Worse than popular.",
    "compared_with": "popular_v1",
    "checks": [{"name": "quality", "outcome": "rejected", "sentence": "Worse than popular.", "numbers": NUMBERS}],
}


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}


def rejected():
    version = candidate()
    record_verdict(version, VERDICT, by="command")
    return version


def test_a_rejected_version_shows_every_check_with_its_numbers_escaped(client):
    login(client, superuser=True)
    page = client.get(url("modelversion", "change", rejected().pk)).content.decode()
    assert "<td>quality</td><td>rejected</td><td>Worse than popular.</td>" in page
    assert "baseline 0.2500, against &lt;b&gt;popular&lt;/b&gt;" in page
    assert "Compared with popular_v1." in page


def test_promoting_a_rejected_version_needs_a_permission_of_its_own(client):
    login(client, "view_modelversion", "promote_version")
    version = rejected()
    assert b"force_selected" not in client.get(url("modelversion")).content
    act(client, "modelversion", "force_selected", version, confirmed="yes", reason="I know")
    act(client, "modelversion", "promote_selected", version)
    assert status_of(version) == "rejected"


def test_whoever_may_force_says_why_and_leaves_a_trail(client):
    login(client, "view_modelversion", "force_version")
    version = rejected()
    page = act(client, "modelversion", "force_selected", version).content.decode()
    assert "books popular_v1 (rejected): Worse than popular." in page
    assert "Say why." in act(client, "modelversion", "force_selected", version, confirmed="yes").content.decode()
    assert status_of(version) == "rejected"
    response = act(client, "modelversion", "force_selected", version, confirmed="yes", reason="I know")
    assert messages_of(response) == ["books popular_v1 is live in release 1."]
    assert live_names() == ["popular_v1"]
    change = ReleaseChange.objects.first()
    assert (change.action, change.by, change.reason) == ("force", "staff", "I know")
    assert change.details["gate"] == "Worse than popular."


def test_versions_that_are_chosen_together_go_live_in_one_release(client):
    login(client, "view_modelversion", "promote_version")
    response = act(client, "modelversion", "promote_selected", candidate(), candidate("trending"))
    assert messages_of(response) == ["books popular_v1, trending_v1 are live in release 1."]


def test_a_training_is_asked_for_once_however_often_the_button_is_pressed(client):
    user = login(client, "view_trainingrun", "add_trainingrun")
    assert url("trainingrun", "request") in client.get(url("trainingrun")).content.decode()
    form = {"use_case": "books", "engines": ["als", "popular"]}
    for _ in range(2):
        response = client.post(url("trainingrun", "request"), form, follow=True)
        assert "books als (run " in messages_of(response)[0]
    runs = TrainingRun.objects.order_by("engine")
    assert [(run.engine, run.status, run.requested_by) for run in runs] == [
        ("als", "requested", user.username),
        ("popular", "requested", user.username),
    ]


def test_a_run_is_repeated_by_an_action_on_its_row(client):
    login(client, "view_trainingrun", "add_trainingrun")
    TrainingRun.objects.create(use_case="books", engine="als", status="failed")
    (message,) = messages_of(act(client, "trainingrun", "train_again", TrainingRun.objects.get()))
    assert message.startswith("Asked for: books als (run ")
    assert TrainingRun.objects.filter(status="requested").count() == 1


@pytest.mark.parametrize("form", [{}, {"use_case": "nonsense", "engines": ["als"]}, {"use_case": "books"}])
def test_a_form_that_says_nothing_asks_for_nothing(client, form):
    login(client, "view_trainingrun", "add_trainingrun")
    assert client.post(url("trainingrun", "request"), form).status_code == 200
    assert not TrainingRun.objects.exists()


def test_staff_without_the_permission_asks_for_nothing(client):
    login(client, "view_trainingrun")
    run = start()
    assert url("trainingrun", "request") not in client.get(url("trainingrun")).content.decode()
    assert client.get(url("trainingrun", "request")).status_code == 403
    assert client.post(url("trainingrun", "request"), {"use_case": "books", "engines": ["als"]}).status_code == 403
    act(client, "trainingrun", "train_again", run)
    assert TrainingRun.objects.count() == 1


def test_the_trail_is_read_only_and_says_what_was_live(client):
    login(client, superuser=True)
    promote(candidate(), by="ann")
    page = client.get(url("releasechange", "change", ReleaseChange.objects.get().pk)).content.decode()
    assert "popular_v1" in page
    assert client.post(url("releasechange", "delete", ReleaseChange.objects.get().pk)).status_code == 403
