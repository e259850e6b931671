"""Founders and people of the marketplace: each reads the lists of their own."""

import itertools

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.authtoken.models import Token

from backend.marketplace.models import Developer, Industry, Startup
from recommender_app.models import RequestLog

pytestmark = pytest.mark.django_db
KEYS = ("startup_developer", "startup_investor")


@pytest.fixture
def founders():
    """Ada and Ben, each with two start-ups: {name: (client, start-ups)}."""
    industry = Industry.objects.create(name="Health")
    found = {}
    for name in ("ada", "ben"):
        account = get_user_model().objects.create(username=name)
        client = Client(headers={"authorization": f"Token {Token.objects.create(user=account).key}"})
        found[name] = (
            client,
            [Startup.objects.create(owner=account, industry=industry, name=f"{name} {n}") for n in (1, 2)],
        )
    return found


@pytest.mark.parametrize("key", KEYS)
def test_founders_read_the_lists_of_their_own_startups_and_no_others(founders, key):
    for (name, (client, _)), (owner, (_, startups)) in itertools.product(founders.items(), founders.items()):
        for startup in startups:
            response = client.get(f"/api/recommendations/{key}/", {"for": startup.pk})
            assert response.status_code == (200 if name == owner else 404)
    logged = set(RequestLog.objects.values_list("user_id", flat=True))
    assert logged == {str(startup.pk) for _, startups in founders.values() for startup in startups}


def test_without_a_name_the_oldest_startup_is_meant(founders):
    client, (first, _) = founders["ada"]
    client.get("/api/recommendations/startup_developer/")
    assert RequestLog.objects.get().user_id == str(first.pk)


def test_a_key_of_any_spelling_is_the_same_startup(founders):
    client, (first, _) = founders["ada"]
    for spelling in (first.pk.hex, str(first.pk).upper()):
        assert client.get("/api/recommendations/startup_developer/", {"for": spelling}).status_code == 200


def test_developers_read_their_own_list_and_not_another_ones(founders):
    client, _ = founders["ada"]
    ada, ben = (
        Developer.objects.create(account=get_user_model().objects.get(username=name), name=name)
        for name in ("ada", "ben")
    )
    statuses = [
        client.get("/api/recommendations/developer_startup/", asked).status_code
        for asked in ({}, {"for": ada.pk}, {"for": ben.pk})
    ]
    assert statuses == [200, 200, 404]
