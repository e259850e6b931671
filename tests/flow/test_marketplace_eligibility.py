"""The real declarations of the marketplace: owners, filters, and what an engine may not undo."""

import itertools

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from backend.marketplace.models import Developer, Industry, Investor, Position, Startup, Tag
from recommender_app import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.filters import parse_filters
from recommender_app.usecases.site import get_use_case

pytestmark = pytest.mark.django_db
PEOPLE = {"developer_startup": Developer, "investor_startup": Investor}
REVERSE = {"startup_developer": Developer, "startup_investor": Investor}


@pytest.fixture
def accounts():
    return [get_user_model().objects.create(username=name) for name in ("ada", "ben", "cleo")]


@pytest.fixture
def startups(accounts):
    """Each account owns two: one in health, hiring with two tags, and one in finance."""
    found = []
    for account, name in itertools.product(accounts, ("Health", "Finance")):
        industry, _ = Industry.objects.get_or_create(name=name)
        company = Startup.objects.create(
            owner=account, name=f"{account} {name}", industry=industry, is_published=True, location="Berlin"
        )
        if name == "Health":
            company.tags.set([Tag.objects.get_or_create(name=tag)[0] for tag in ("ai", "care")])
            Position.objects.bulk_create(Position(startup=company, title=title) for title in ("Dev", "Ops"))
        found.append(company)
    return found


def names(key, user, limit=100, **filters):
    parsed = parse_filters(get_use_case(key), {name: [value] for name, value in filters.items()})
    return [result.item.name for result in recommend(user, key, limit, filters=parsed).results]


@pytest.mark.parametrize(("key", "model"), PEOPLE.items())
@pytest.mark.parametrize("is_proposed", [True, False])
def test_owners_never_get_their_own_startup(accounts, startups, key, model, is_proposed):
    person = model.objects.create(account=accounts[0], name="Ada")
    engine = FixedEngine([company.pk for company in startups if is_proposed or company.owner != accounts[0]])
    with override_engine(key, engine):
        assert set(names(key, person)) == {"ben Health", "ben Finance", "cleo Health", "cleo Finance"}
        assert names(key, person, 1) == ["ben Health"]
        Startup.objects.filter(name="ben Health").update(owner=accounts[0])  # sold to Ada
        Startup.objects.filter(name="ada Finance").update(owner=accounts[1])
        shown = names(key, person)
    assert set(shown) == {"ada Finance", "ben Finance", "cleo Health", "cleo Finance"}


@pytest.mark.parametrize(("key", "model"), REVERSE.items())
def test_startups_never_get_their_own_owner(accounts, startups, key, model):
    people = [model.objects.create(account=account, name=account.username) for account in accounts]
    with override_engine(key, FixedEngine([person.pk for person in people])):
        for company in startups:
            assert set(names(key, company)) == {"ada", "ben", "cleo"} - {company.owner.username}


@pytest.mark.parametrize(("key", "model"), PEOPLE.items())
def test_startups_can_be_narrowed_down_and_each_comes_once(accounts, startups, key, model):
    person = model.objects.create(account=accounts[0], name="Ada")
    health = {"ben Health", "cleo Health"}
    with override_engine(key, FixedEngine([company.pk for company in startups])):
        for filters in (
            {"industry": "health"},
            {"tag": "AI"},
            {"is_hiring": "true"},
            {"industry": "Health", "tag": "ai"},
        ):
            shown = names(key, person, **filters)
            assert sorted(shown) == sorted(health)
        assert len(names(key, person, location="berlin", stage="idea")) == 4
        assert names(key, person, location="Paris") == []


@pytest.mark.parametrize("query", ["stage=huge", "is_hiring=perhaps", "owner=1", "name=Acme", "for=1&id=2"])
def test_what_is_no_filter_of_startups_is_refused(accounts, query):
    Developer.objects.create(account=accounts[0], name="Ada")
    client = Client()
    client.force_login(accounts[0])
    assert client.get(f"/api/recommendations/developer_startup/?{query}").status_code == 400


def test_tickets_that_no_database_can_hold_are_refused(accounts, startups):
    client = Client()
    client.force_login(accounts[0])
    url = f"/api/recommendations/startup_investor/?for={startups[0].pk}&ticket="
    assert client.get(url + "50000").status_code == 200
    assert client.get(url + "1" + "0" * 30).json()["errors"].keys() == {"ticket"}
