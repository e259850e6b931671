"""The API describes itself: OpenAPI and a page, under whatever prefix."""

import json

import pytest
from django.test import Client, override_settings
from django.urls import include, path
from drf_spectacular.settings import spectacular_settings  # noqa: F401  follows changed settings once it is there

from recommender_app import __version__
from recommender_app.serving.router import FALLBACK_REASONS
from recommender_app.usecases.site import all_use_cases
from tests.app import library
from tests.app.processes import NO_DATABASE, run_python

pytestmark = pytest.mark.django_db
urlpatterns = [path("shop/v2/", include("recommender_app.urls"))]

ENDPOINTS = [
    "health/",
    "recommendations/{use_case}/",
    "recommendations/{use_case}/events/",
    "recommendations/{use_case}/similar/{item}/",
    "recommender/experiments/{experiment}/",
    "recommender/metrics/",
]


def described(prefix="/api/"):
    """The paths of all our endpoints."""
    return [prefix + endpoint for endpoint in ENDPOINTS]


def schema(prefix="/api/"):
    response = Client().get(f"{prefix}schema/", {"format": "json"})
    assert response.status_code == 200
    return json.loads(response.content)


def test_only_our_endpoints_are_described():
    assert sorted(schema()["paths"]) == described()


def test_a_host_that_never_heard_of_the_schema_generator_has_it_too(tmp_path):
    (tmp_path / "plain_settings.py").write_text("from site_settings import *\nREST_FRAMEWORK = {}\n")
    program = (
        "import json\n"
        "from django.test import Client\n"
        "print(sorted(json.loads(Client().get('/api/schema/?format=json').content)['paths']))"
    )
    printed = run_python(tmp_path, program, NO_DATABASE, tmp_path, "plain_settings")
    assert printed == f"{described()}\n"


def test_the_schema_has_a_name_and_a_version_where_the_host_gives_none(settings):
    del settings.SPECTACULAR_SETTINGS
    assert schema()["info"] == {"title": "Recommendations", "version": __version__}


def test_the_name_and_version_that_a_host_gives_stay(settings):
    info = schema()["info"]
    assert info["title"] == settings.SPECTACULAR_SETTINGS["TITLE"] == "Start-up matchmaking with recommendations"
    assert info["version"] == settings.SPECTACULAR_SETTINGS["VERSION"]


def test_a_host_without_filters_is_described_too(monkeypatch):
    for use_case in all_use_cases():
        monkeypatch.setattr(type(use_case), "filterset_class", None)
    operation = schema()["paths"]["/api/recommendations/{use_case}/"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] != "header"}
    assert names == {"use_case", "limit", "cursor", "exclude", "for"}


@override_settings(ROOT_URLCONF=__name__)
def test_the_prefix_is_the_hosts():
    assert sorted(schema("/shop/v2/")["paths"]) == described("/shop/v2/")
    assert "/shop/v2/schema/" in Client().get("/shop/v2/docs/").content.decode()


def test_the_operation_is_described_with_its_parameters_and_every_status():
    operation = schema()["paths"]["/api/recommendations/{use_case}/"]["get"]
    assert operation["operationId"] == "recommendations_list"
    parameters = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert {"use_case", "limit", "for"} <= parameters.keys()
    limit = parameters["limit"]["schema"]
    assert (limit["type"], limit["minimum"], limit["maximum"], limit["default"]) == ("integer", 1, 100, 10)
    assert all(parameter.get("description") for parameter in parameters.values())
    assert operation["responses"].keys() == {"200", "400", "401", "404", "429", "503"}


def test_the_described_answer_has_the_fields_of_a_real_one():
    library.add_books("tea-0")
    client = Client()
    client.force_login(library.add_reader().account)
    answer = client.get("/api/recommendations/books/").json()
    components = schema()["components"]["schemas"]
    assert components["Answer"]["properties"].keys() == set(components["Answer"]["required"]) == answer.keys()
    assert components["Result"]["properties"].keys() == answer["results"][0].keys()
    named = components["FallbackReasonEnum"]["enum"]
    assert set(named) == set(FALLBACK_REASONS)
    assert answer["fallback_reason"] in named


def test_yaml_is_the_default():
    response = Client().get("/api/schema/")
    assert response.status_code == 200
    assert response.content.startswith(b"openapi: 3")


def test_the_page_loads_the_schema_of_its_own_site():
    response = Client().get("/api/docs/", headers={"accept": "text/html"})
    assert response.status_code == 200
    assert "/api/schema/" in response.content.decode()
    assert "swagger-ui-bundle.js" in response.content.decode()


def test_the_schema_has_a_rate(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"schema": "1/min"}}
    assert [Client().get("/api/schema/").status_code for _ in range(2)] == [200, 429]
