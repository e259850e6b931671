"""What the app writes into the site's logs: ids, never who they are."""

import logging

import pytest
from django.db import connection
from django.test import Client

from recommender_app.privacy import forget_user, forgetting, revoke_forgetting
from recommender_app.serving.spool.draining import drain
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library
from tests.app.posting import event, post
from tests.app.test_request_log import table_is_missing
from tests.toyhost.models import Reader

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"
SECRETS = ("zeppelina", "quixote", "zq@example.org", "hidden-title", "a-blurb-of-hers")


@pytest.fixture(autouse=True)
def _own_root(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(forgetting, "ANSWER_SECONDS", 0.0)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "RELOAD_SECONDS": 0.0}


@pytest.fixture
def person():
    """Somebody with much that could leak."""
    reader = library.add_reader("zeppelina", bio="a-blurb-of-hers")
    Reader.objects.filter(pk=reader.pk).update(name="quixote")
    reader.account.email = "zq@example.org"
    reader.account.save()
    reader.refresh_from_db()
    return reader


def test_logs_carry_ids_only_whatever_happens(person, caplog):
    caplog.set_level(logging.DEBUG)
    books = library.add_books("hidden-title-1", "hidden-title-2", "hidden-title-3")
    client = Client()
    client.force_login(person.account)
    client.get(URL)
    client.get(URL, {"for": "999999"})  # the security log
    client.get(URL, {"limit": "x"})
    with override_engine("books", FixedEngine([books[0].pk], fails=True)):
        client.get(URL)  # an engine that fails
    with connection.execute_wrapper(table_is_missing):
        client.get(URL)
    post(client, [event(books[0]), event(books[1], "sneeze")])
    post(client, event(books[0]))
    drain()
    forget_user("books", person.pk)
    post(client, event(books[1]))
    revoke_forgetting("books", person.pk)
    text = caplog.text.lower()
    said = ("was refused the user", "was told to fail", "request log refuses rows", "is taken back")
    assert [each for each in said if each not in text] == []
    assert [secret for secret in SECRETS if secret in text] == []
