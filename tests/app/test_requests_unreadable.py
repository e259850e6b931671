"""Requests that Django itself refuses to read: our JSON, also in a host that names none of our handlers."""

import pytest
from django.test import Client, override_settings
from django.urls import include, path

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"
PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
urlpatterns = [path("api/", include("recommender_app.urls"))]  # and Django's own handlers


@pytest.fixture
def client(reader, books):
    """A browser that is logged in, and whose session looks for its token in forms."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(reader.account)
    client.cookies["csrftoken"] = "a" * 32
    return client


def assert_refused(answer, statuses=(400,)):
    assert answer.status_code in statuses, answer.content[:200]
    assert answer["Content-Type"] == "application/json", answer.content[:200]
    assert answer.json().keys() <= {"detail", "errors"}


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(
    "address", [URL, f"{URL}similar/1/", "/api/recommender/metrics/", "/api/recommender/experiments/e/"]
)
def test_more_parameters_than_django_reads(client, reader, address):
    reader.account.is_staff = reader.account.is_superuser = True
    reader.account.save()
    answer = client.get(f"{address}?{'a&' * 1001}")
    assert_refused(answer)
    assert answer.json()["detail"] == "The request has more parameters than are read."


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("body", [b"a=1&" * 1001, PART * 1001 + b"--x--", b"--x\r\n\r\n", b"%ff%00"])
def test_forms_in_which_django_looks_for_a_token(client, kind, body):
    assert_refused(client.generic("POST", f"{URL}events/", body, content_type=kind), (400, 403, 415))
