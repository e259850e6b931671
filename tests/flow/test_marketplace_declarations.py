"""What the four use cases of the marketplace mean."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from django.utils import timezone

from backend.marketplace.models import (
    Application,
    Developer,
    Industry,
    Investor,
    PersonInteraction,
    Position,
    Startup,
    StartupInteraction,
)
from recommender_app.exceptions import UserNotFound
from recommender_app.usecases.eligibility import eligible_items, newest_eligible
from recommender_app.usecases.history import load_history
from recommender_app.usecases.site import get_use_case

pytestmark = pytest.mark.django_db
FORWARD = {"developer_startup": "ada", "investor_startup": "ines"}
REVERSE = {"startup_developer": "ada", "startup_investor": "ines"}


@pytest.fixture
def people():
    """Ada develops, Ines invests, Sam founds."""
    accounts = {name: get_user_model().objects.create(username=name) for name in ("ada", "ines", "sam")}
    return {
        "ada": Developer.objects.create(account=accounts["ada"], name="Ada"),
        "ines": Investor.objects.create(account=accounts["ines"], name="Ines"),
        "sam": accounts["sam"],
    }


def startup(owner, name="Acme", **fields):
    industry, _ = Industry.objects.get_or_create(name="Health")
    return Startup.objects.create(owner=owner, name=name, industry=industry, **{"is_published": True, **fields})


def asking(account, **parameters):
    request = RequestFactory().get("/", parameters)
    request.user = account
    return request


@pytest.mark.parametrize(("key", "name"), FORWARD.items())
def test_nobody_is_shown_an_own_or_an_unpublished_startup(people, key, name):
    use_case, person = get_use_case(key), people[name]
    own, shown = startup(person.account, "own"), startup(people["sam"], "shown")
    hidden = startup(people["sam"], "hidden", is_published=False)
    assert set(eligible_items(use_case, person, [own.pk, shown.pk, hidden.pk])) == {shown.pk}
    assert newest_eligible(use_case, person, 10) == [shown]


@pytest.mark.parametrize(("key", "name"), REVERSE.items())
def test_a_startup_is_not_shown_its_owner_nor_people_who_hide(people, key, name):
    use_case, person = get_use_case(key), people[name]
    assert newest_eligible(use_case, startup(people["sam"]), 10) == [person]
    assert newest_eligible(use_case, startup(person.account), 10) == []
    type(person).objects.update(is_visible=False)
    assert newest_eligible(use_case, startup(people["sam"]), 10) == []


@pytest.mark.parametrize("key", REVERSE)
def test_a_login_asks_for_its_own_startups_only(people, key):
    use_case, sam = get_use_case(key), people["sam"]
    first, second, foreign = startup(sam), startup(sam, is_published=False), startup(people["ada"].account)
    assert use_case.get_user(asking(sam)) == first
    assert use_case.get_user(asking(sam, **{"for": str(second.pk)})) == second
    for wanted in (foreign.pk, uuid.uuid4(), "1", "", "x' OR 1=1", "\0"):
        with pytest.raises(UserNotFound):
            use_case.get_user(asking(sam, **{"for": str(wanted)}))
    with pytest.raises(UserNotFound):
        use_case.get_user(asking(people["ines"].account))


@pytest.mark.parametrize(("key", "name"), FORWARD.items())
def test_a_login_without_the_profile_is_nobody(people, key, name):
    use_case = get_use_case(key)
    assert use_case.get_user(asking(people[name].account)) == people[name]
    with pytest.raises(UserNotFound):
        use_case.get_user(asking(people["sam"]))


@pytest.mark.parametrize(("key", "name"), FORWARD.items())
def test_every_event_of_a_person_can_be_recorded_and_is_read_back(people, key, name):
    use_case, person = get_use_case(key), people[name]
    for number, (event, weight) in enumerate(use_case.weights.items()):
        company = startup(people["sam"], f"company {number}")
        Position.objects.create(startup=company, title="Engineer")
        use_case.record(person, company, event, timezone.now())
        history = load_history(use_case, person, 1)
        assert (history.item_ids, history.weights.tolist()) == ([company.pk], [weight])
    assert load_history(use_case, person, 100).interaction_count == len(use_case.weights)
    offered = {company.name for company in newest_eligible(use_case, person, 100)}
    hidden = {f"company {place}" for place, event in enumerate(use_case.weights) if event in use_case.hide_after}
    assert hidden
    assert not offered & hidden


def test_applying_needs_an_open_position_and_counts_once(people):
    use_case, ada, company = get_use_case("developer_startup"), people["ada"], startup(people["sam"])
    Position.objects.create(startup=company, title="Filled", is_open=False)
    with pytest.raises(ValidationError, match="no open position"):
        use_case.record(ada, company, "apply", timezone.now())
    Position.objects.create(startup=company, title="Engineer")
    for _ in range(2):
        use_case.record(ada, company, "apply", timezone.now())
    assert Application.objects.get().position.title == "Engineer"


def test_a_received_application_is_an_interaction_of_the_startup(people):
    company = startup(people["sam"])
    position = Position.objects.create(startup=company, title="Engineer")
    Application.objects.create(developer=people["ada"], position=position)
    history = load_history(get_use_case("startup_developer"), company, 10)
    assert (history.item_ids, history.weights.tolist()) == ([people["ada"].pk], [2.0])


def test_only_an_investors_interest_is_an_interaction_of_the_startup(people):
    company, use_case = startup(people["sam"]), get_use_case("startup_investor")
    StartupInteraction.objects.create(investor=people["ines"], startup=company, kind="view")
    assert load_history(use_case, company, 10).item_ids == []
    StartupInteraction.objects.create(investor=people["ines"], startup=company, kind="interest")
    assert load_history(use_case, company, 10).weights.tolist() == [2.0]


@pytest.mark.parametrize(("key", "name"), REVERSE.items())
def test_a_contacted_person_is_not_shown_again_and_the_other_sides_acts_cannot_be_posted(people, key, name):
    use_case, company = get_use_case(key), startup(people["sam"])
    use_case.record(company, people[name], "contact", timezone.now())
    assert PersonInteraction.objects.get().kind == "contact"
    assert newest_eligible(use_case, company, 10) == []
    with pytest.raises(ValidationError, match="cannot be recorded"):
        use_case.record(company, people[name], "apply_received", timezone.now())


@pytest.mark.parametrize(
    ("key", "asked", "found"),
    [
        ("developer_startup", {"industry": "health"}, True),
        ("developer_startup", {"stage": "growth"}, False),
        ("developer_startup", {"is_hiring": "true"}, False),
        ("startup_developer", {"experience": "3"}, True),
        ("startup_investor", {"ticket": "50000"}, True),
        ("startup_investor", {"ticket": "500000"}, False),
    ],
)
def test_filters_narrow_what_is_offered(people, key, asked, found):
    Developer.objects.update(years_of_experience=3)
    company, use_case = startup(people["sam"]), get_use_case(key)
    user = people["ada"] if key == "developer_startup" else company
    chosen = use_case.filterset_class(asked, use_case.get_items(user))
    assert chosen.is_valid()
    assert chosen.qs.exists() is found


@pytest.mark.parametrize("key", [*FORWARD, *REVERSE])
def test_a_page_of_items_is_written_with_a_fixed_number_of_queries(people, key, django_assert_max_num_queries):
    use_case, companies = get_use_case(key), [startup(people["sam"], f"company {n}") for n in range(5)]
    user = people[FORWARD[key]] if key in FORWARD else companies[0]
    with django_assert_max_num_queries(2):
        items = newest_eligible(use_case, user, 10)
        written = use_case.item_serializer(items, many=True).data
    assert len(written) == (5 if key in FORWARD else 1)
    assert all("name" in item for item in written)
