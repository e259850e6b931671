"""Events that are posted to the host project's use cases, as its clients do."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from backend.marketplace.models import Developer, Industry, Startup, StartupInteraction
from backend.movies.models import Movie, Rating, Viewer
from recommender_app.models import FeedbackEvent
from recommender_app.usecases.history import load_history
from recommender_app.usecases.site import get_use_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return get_user_model().objects.create(username="ada")


@pytest.fixture
def client(account):
    client = Client()
    client.force_login(account)
    return client


def post(client, key, *events):
    named = [{"event_id": f"{key}-{FeedbackEvent.objects.count()}-{n}", **event} for n, event in enumerate(events)]
    return client.post(f"/api/recommendations/{key}/events/", named, content_type="application/json")


@pytest.fixture
def startup():
    owner, industry = get_user_model().objects.create(username="sam"), Industry.objects.create(name="robots")
    return Startup.objects.create(owner=owner, name="Robo", industry=industry, is_published=True)


def test_a_like_is_learned_from_at_the_next_request_and_can_be_taken_back(client, account, startup):
    ada, use_case = Developer.objects.create(account=account, name="Ada"), get_use_case("developer_startup")
    like, unlike = ({"item": str(startup.pk), "event": event} for event in ("like", "unlike"))
    assert post(client, "developer_startup", like).status_code == 201
    assert load_history(use_case, ada, 10).weights.tolist() == [2.0]
    assert post(client, "developer_startup", unlike).status_code == 201
    assert load_history(use_case, ada, 10).weights.tolist() == []
    assert not StartupInteraction.objects.exists()


def test_what_the_host_refuses_is_a_400_and_nothing_of_the_post_stays(client, account, startup):
    Developer.objects.create(account=account, name="Ada")
    like, apply = ({"item": str(startup.pk), "event": event} for event in ("like", "apply"))
    answer = post(client, "developer_startup", like, apply)
    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        {"1.event": ["Robo has no open position to apply for."]},
    )
    assert not StartupInteraction.objects.exists()
    assert not FeedbackEvent.objects.exists()


def test_stars_become_a_rating_and_only_what_they_say_can_be_taken_back(client, account):
    Viewer.objects.create(pk=1, account=account)
    Movie.objects.create(pk=7, title="Heat")
    assert post(client, "movies", {"item": 7, "event": "rating", "rating": 5}).status_code == 201
    assert Rating.objects.get().stars == 5
    post(client, "movies", {"item": 7, "event": "undislike"})
    assert Rating.objects.get().stars == 5
    post(client, "movies", {"item": 7, "event": "unlike"})
    assert not Rating.objects.exists()
