"""Strange requests, made up from our own schema: never a 500, never an answer that is not described."""

from collections import Counter

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.app import library
from tests.toyhost.models import Book

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PROMISES = (checks.not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture
def described(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {}}
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())


@pytest.fixture
def session():
    """The cookie of a logged-in reader of a small library."""
    library.add_shelves(3)
    client = Client()
    client.force_login(library.add_reader().account)
    return {"sessionid": client.cookies["sessionid"].value}


def test_every_answer_is_as_described(described, session):
    seen = Counter()

    @given(case=described["/api/recommendations/{use_case}/"]["GET"].as_strategy(), is_known=st.booleans())
    @settings(
        max_examples=80,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case, is_known):
        if is_known:
            case.path_parameters["use_case"] = "books"
        response = case.call(cookies=session)
        case.validate_response(response, checks=PROMISES)
        seen[response.status_code] += 1

    ask()
    assert {200, 404} <= seen.keys()


def test_similar_items_are_as_described(described, session):
    seen, (book, *_) = Counter(), Book.objects.all()

    @given(
        case=described["/api/recommendations/{use_case}/similar/{item}/"]["GET"].as_strategy(), is_known=st.booleans()
    )
    @settings(
        max_examples=60,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case, is_known):
        case.path_parameters["use_case"] = "books"
        if is_known:
            case.path_parameters["item"] = str(book.pk)
        response = case.call(cookies=session)
        case.validate_response(response, checks=PROMISES)
        seen[response.status_code] += 1

    ask()
    assert {200, 404} <= seen.keys()


def test_what_is_outside_the_description_is_refused(described, session):
    operation = described["/api/recommendations/{use_case}/"]["GET"]

    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case):
        response = case.call(cookies=session)
        case.validate_response(response, checks=(checks.not_a_server_error, content_type_conformance))

    ask()


def test_the_health_of_a_site_is_as_described(described):
    staff = Client()
    staff.force_login(User.objects.create_user("staff", is_staff=True))
    books = library.add_shelves(3)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "popular_v1", "als_v1")
    session = {"sessionid": staff.cookies["sessionid"].value}
    case = described["/api/health/"]["GET"].Case()
    for cookies, status in ((session, 200), ({}, 401)):
        response = case.call(cookies=cookies)
        case.validate_response(response, checks=PROMISES)
        assert response.status_code == status
