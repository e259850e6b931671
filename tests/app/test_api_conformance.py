"""Strange requests, made up from our own schema with a fixed seed: every answer keeps every promise of the schema.

Schemathesis calls the site's real WSGI application with all its checks on: no 500, only described statuses,
types, headers and bodies, nothing wrong accepted and nothing right refused, no endpoint open without a login.
"""

from collections import Counter
from functools import cache

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.app import library
from tests.toyhost.models import Book

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
BOOKS = "/api/recommendations/{use_case}/"
OPERATIONS = [
    (BOOKS, "GET", {200, 404}),
    (BOOKS + "similar/{item}/", "GET", {200, 404}),
    (BOOKS + "events/", "POST", {400, 404}),
    ("/api/health/", "GET", {200}),
    ("/api/recommender/metrics/", "GET", {200}),
    ("/api/recommender/experiments/{experiment}/", "GET", {404}),
]
STAFF_ONLY = ("/api/health/", "/api/recommender/metrics/", "/api/recommender/experiments/{experiment}/")
# Which filter belongs to which use case, which items exist and how long a period may be, no schema says: some that
# it allows are refused. Health reads nothing.
UNKNOWABLE = {path: [positive_data_acceptance] for path, *_ in OPERATIONS if path != "/api/health/"}
GENERATED = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def described(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {}}
    return schema_of_the_site()


@cache
def schema_of_the_site():
    """Read once what no test changes, with the strategies that are built from it."""
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())


@pytest.fixture
def user():
    """A reader of a small library."""
    library.add_shelves(3)
    return with_token(library.add_reader().account)


@pytest.fixture
def staff():
    """Somebody who may see everything and has no reader."""
    library.add_shelves(3)
    return with_token(User.objects.create_superuser("staff"))


def with_token(account):
    return {"Authorization": f"Token {Token.objects.create(user=account).key}"}


def test_the_operations_below_are_all_that_are_described(described):
    found = [result.ok() for result in described.get_all_operations()]
    assert {(operation.path, operation.method.upper()) for operation in found} == {each[:2] for each in OPERATIONS}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("login", ["user", "staff"])
@pytest.mark.parametrize(("path", "method", "statuses"), OPERATIONS, ids=[path for path, *_ in OPERATIONS])
def test_every_answer_keeps_every_promise(described, request, path, method, statuses, login, mode):
    reaches_it = (login == "staff") == (path in STAFF_ONLY)
    if mode is GenerationMode.NEGATIVE and (path == "/api/health/" or not reaches_it):
        return  # it reads nothing that could be wrong, or is refused before, or says the same to both
    who, seen = request.getfixturevalue(login), Counter()
    item = str(Book.objects.first().pk)

    @given(case=described[path][method].as_strategy(generation_mode=mode), is_known=st.booleans())
    @GENERATED
    def ask(case, is_known):
        if is_known:
            case.path_parameters |= {
                name: value for name, value in (("use_case", "books"), ("item", item)) if name in case.path_parameters
            }
        response = case.call(headers=who)
        case.validate_response(response, headers=who, excluded_checks=UNKNOWABLE.get(path))
        seen[response.status_code] += 1

    ask()
    if mode is GenerationMode.POSITIVE and login == "user":
        assert ({403} if path in STAFF_ONLY else statuses) <= seen.keys()
