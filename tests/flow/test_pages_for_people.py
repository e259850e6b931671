"""The pages of the host project that show recommendations."""

from html import escape

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.marketplace.models import Developer, Investor, Startup
from recommender_app.models import RequestLog

pytestmark = pytest.mark.django_db


@pytest.fixture
def marketplace():
    call_command(
        "load_marketplace", "--startups=20", "--developers=4", "--investors=2", "--days=9", "--password=x", verbosity=0
    )


@pytest.mark.parametrize(("model", "use_case"), [(Developer, "developer_startup"), (Investor, "investor_startup")])
def test_people_see_start_ups_in_order_with_reasons(marketplace, client, model, use_case):
    client.force_login(model.objects.first().account)
    page = client.get("/startups/").content.decode()
    shown = RequestLog.objects.get()
    names = [escape(Startup.objects.get(pk=result["item"]).name) for result in shown.results]
    assert len(names) == 8
    places = [page.index(f">{name}</a>") for name in names]
    assert places == sorted(places)
    assert page.count('<p class="reason">New here</p>') == 8
    assert f'data-recommender="{use_case}" data-request-id="{shown.request_id}"' in page


def test_whoever_is_neither_is_told_so(client):
    client.force_login(get_user_model().objects.create_user("somebody"))
    assert "nobody to recommend start-ups to" in client.get("/startups/").content.decode()
    assert not RequestLog.objects.exists()


def test_a_start_up_has_a_page_that_asks_for_similar_ones(marketplace, client):
    startup = Startup.objects.published().first()
    client.force_login(Developer.objects.first().account)
    page = client.get(f"/startups/{startup.pk}/").content.decode()
    assert f'data-recommender="developer_startup" data-similar="{startup.pk}"' in page
    assert 'data-href="/startups/{id}/"' in page


def test_a_start_up_that_is_not_published_has_no_page(marketplace, client):
    startup = Startup.objects.published().first()
    Startup.objects.filter(pk=startup.pk).update(is_published=False)
    client.force_login(Developer.objects.first().account)
    assert client.get(f"/startups/{startup.pk}/").status_code == 404


def test_the_queries_of_the_page_do_not_grow_with_the_list(marketplace, client):
    client.force_login(Developer.objects.first().account)
    client.get("/startups/")  # reads what is read once per process
    with CaptureQueriesContext(connection) as of_eight:
        client.get("/startups/")
    shown = [result["item"] for result in RequestLog.objects.first().results]
    Startup.objects.exclude(pk__in=shown[:2]).update(is_published=False)
    with CaptureQueriesContext(connection) as of_two:
        page = client.get("/startups/").content.decode()
    assert page.count("data-recommender-item") == 2
    assert len(of_eight) <= len(of_two)


def test_the_page_of_movies_asks_for_titles_and_reports_no_click(client):
    client.force_login(get_user_model().objects.create_user("somebody"))
    page = client.get("/movies/").content.decode()
    assert 'data-recommender="movies" data-limit="10" data-label="title" data-click=""' in page


@pytest.mark.parametrize("page", ["/startups/", "/movies/", "/startups/00000000-0000-0000-0000-000000000000/"])
def test_the_pages_ask_for_a_login(client, page):
    assert client.get(page).headers["Location"] == f"/api-auth/login/?next={page}"
