"""The admin page of policies: who may, what it refuses, what it changes, and the trail."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from recommender_app.engines.fusion import FUSIONS
from recommender_app.models import PolicyChange, ServingPolicy
from recommender_app.registry.policies import save_policy
from recommender_app.serving.policies import decide
from recommender_app.serving.service import recommend
from tests.app import library

pytestmark = pytest.mark.django_db
EVERYTHING = ("add_servingpolicy", "change_servingpolicy", "delete_servingpolicy", "view_policychange")


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


def login(client, *codenames) -> User:
    user = User.objects.create_user("cleo", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def url(page="changelist", *args, model="servingpolicy"):
    return reverse(f"admin:recommender_app_{model}_{page}", args=args)


def form(**fields) -> dict:
    blank = {
        "use_case": "books",
        "name": "spring",
        "is_active": "on",
        "routes": "[]",
        "weights": "{}",
        "caps": "{}",
        "fusion": "",
    }
    return blank | fields


def saved() -> ServingPolicy:
    return save_policy(ServingPolicy(use_case="books", name="spring", diversity=0.25), by="ann")


def errors_of(response) -> str:
    return str(response.context["adminform"].form.errors)


@pytest.mark.parametrize("codenames", [(), ("view_servingpolicy",), ("change_release",)])
def test_only_who_may_change_policies_can(client, codenames):
    login(client, *codenames)
    policy = saved()
    assert client.post(url("change", policy.pk), form(diversity="0.9")).status_code == 403
    assert client.post(url("add"), form(name="other", is_active="")).status_code == 403
    assert client.post(url("delete", policy.pk), {"post": "yes"}).status_code == 403
    assert ServingPolicy.objects.get().diversity == 0.25


def test_a_policy_saved_in_the_admin_changes_the_next_answer(client):
    login(client, *EVERYTHING)
    books = library.add_shelves(3)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "popular_v1")
    reader = library.add_reader()
    assert recommend(reader, "books", 2).engine == "popular"
    response = client.post(url("add"), form(disabled=["popular"]), follow=True)
    assert response.redirect_chain
    answer = recommend(reader, "books", 2)
    assert (answer.engine, answer.policy) == ("newest", "spring")
    client.post(url("change", ServingPolicy.objects.get().pk), form(disabled=[]), follow=True)
    assert recommend(reader, "books", 2).engine == "popular"


def test_an_environment_switch_beats_what_the_admin_saves(client, settings):
    login(client, *EVERYTHING)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ENABLE_ALS": True, "ENSEMBLE_ALS_WEIGHT": 0.9}
    client.post(url("add"), form(disabled=["als", "popular"], weights='{"two_tower": 1}'))
    policy = decide("books")
    assert policy.disabled == {"popular"}
    assert policy.weights["als"] == 0.9
    page = client.get(url("change", ServingPolicy.objects.get().pk)).content.decode()
    assert "environment" in page


def test_the_page_shows_what_is_in_force_and_who_decided(client):
    login(client, *EVERYTHING)
    policy = saved()
    page = client.get(url("change", policy.pk)).content.decode()
    assert "content_based from 0, als from 5, ensemble from 20" in page
    assert "<td>diversity</td><td>0.25</td><td>admin</td>" in page
    assert client.get(url("add")).status_code == 200
    assert client.get(url()).status_code == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"use_case": "films"}, "not one of the available choices"),
        ({"use_case": ""}, "required"),
        ({"routes": '[[0, "alz"]]'}, "There is no engine"),
        ({"routes": "[[0,"}, "valid JSON"),
        ({"cold_start_threshold": "-1"}, "greater than or equal to 0"),
        ({"cold_start_threshold": "9", "warm_user_threshold": "3"}, "below the cold start threshold"),
        ({"cold_start_threshold": "30"}, "warm user threshold in force is 20"),
        ({"cold_start_threshold": "9", "routes": '[[0, "als"]]'}, "not both"),
        ({"disabled": ["alz"]}, "not one of the available choices"),
        ({"weights": '{"als": -1}'}, "from 0"),
        ({"weights": "[1]"}, "Write {&quot;als&quot;"),
        ({"fusion": "sum"}, "not one of the available choices"),
        ({"diversity": "1.5"}, "between 0 and 1"),
        ({"diversity": "nan"}, "Enter a number"),
        ({"exploration": "0.7"}, "between 0 and 0.5"),
        ({"caps": '{"colour": 2}'}, "There is no attribute"),
        ({"caps": '{"genre": 0}'}, "whole number from 1"),
        ({"caps": "7"}, "whole number from 1"),
        ({"fatigue_after": "-2"}, "greater than or equal to 0"),
        ({"name": "<b>"}, "valid"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(client, fields, message):
    login(client, *EVERYTHING)
    response = client.post(url("add"), form(**fields))
    assert response.status_code == 200
    assert message in errors_of(response)
    assert not ServingPolicy.objects.exists()
    assert not PolicyChange.objects.exists()


def test_a_second_active_policy_is_refused(client):
    login(client, *EVERYTHING)
    saved()
    response = client.post(url("add"), form(name="autumn"))
    assert "deactivate it first" in errors_of(response)
    assert client.post(url("add"), form(name="autumn", is_active="")).status_code == 302
    assert ServingPolicy.objects.count() == 2


def test_what_only_the_database_finds_out_is_said_and_nothing_is_stored(client, monkeypatch):
    login(client, *EVERYTHING)
    saved()
    monkeypatch.setattr(ServingPolicy, "validate_constraints", lambda self, exclude=None: None)  # the other was faster
    response = client.post(url("add"), form(name="autumn"), follow=True)
    assert "activated meanwhile" in str(*response.context["messages"])
    assert ServingPolicy.objects.get().name == "spring"
    assert PolicyChange.objects.count() == 1


def test_every_change_is_in_the_trail_and_the_trail_cannot_be_changed(client):
    login(client, *EVERYTHING)
    client.post(url("add"), form(diversity="0.5"))
    policy = ServingPolicy.objects.get()
    client.post(url("change", policy.pk), form(diversity="0.75"))
    client.post(url("delete", policy.pk), {"post": "yes"})
    trail = PolicyChange.objects.order_by("pk")
    assert [change.changed_by for change in trail] == ["cleo"] * 3
    assert [change.after and change.after["diversity"] for change in trail] == [0.5, 0.75, None]
    assert LogEntry.objects.count() == 3
    page = client.get(url(model="policychange")).content.decode()
    assert "created" in page
    assert "deleted" in page
    change = trail[1]
    assert "diversity" in client.get(url("change", change.pk, model="policychange")).content.decode()
    assert client.post(url("change", change.pk, model="policychange"), {}).status_code == 403
    assert client.post(url("delete", change.pk, model="policychange"), {"post": "yes"}).status_code == 403


def test_deleting_many_leaves_a_trail_of_each(client):
    login(client, *EVERYTHING)
    saved()
    save_policy(ServingPolicy(use_case="books", name="draft", is_active=False), by="ann")
    selected = list(ServingPolicy.objects.values_list("pk", flat=True))
    data = {"action": "delete_selected", "_selected_action": selected, "post": "yes"}
    client.post(url(), data)
    assert not ServingPolicy.objects.exists()
    assert PolicyChange.objects.filter(after__isnull=True, changed_by="cleo").count() == 2


def test_the_choices_of_fusion_are_those_that_can_be_served():
    assert tuple(ServingPolicy.Fusion.values) == FUSIONS


def test_before_there_is_a_policy_the_page_does_not_speak_of_one(client):
    login(client, *EVERYTHING)
    assert "in force now" not in client.get(url("add")).content.decode().lower()
    assert "in force now" in client.get(url("change", saved().pk)).content.decode().lower()
