"""A client that is generated from our schema, and nothing else, works against a real server."""

import importlib
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from recommender_app.models import FeedbackEvent
from tests.app import library
from tests.toyhost.models import Reading

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.xdist_group("generated client")]
NAME = "generated_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The modules of the client."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "schema.json").write_bytes(Client().get("/api/schema/", {"format": "json"}).content)
    (folder / "config.yml").write_text("post_hooks: []\n")  # its code need not be pretty
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    options = ["--path", "schema.json", "--config", "config.yml", "--output-path", NAME]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield _modules()
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]


def _modules():
    return SimpleNamespace(
        client=importlib.import_module(NAME),
        models=importlib.import_module(f"{NAME}.models"),
        lists=importlib.import_module(f"{NAME}.api.recommendations.recommendations_list"),
        similar=importlib.import_module(f"{NAME}.api.recommendations.similar_items_list"),
        events=importlib.import_module(f"{NAME}.api.events.events_create"),
    )


def test_a_generated_client_reads_lists_and_posts_what_came_of_them(generated, live_server):
    books = library.add_shelves(2)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "popular_v1")
    token = Token.objects.create(user=library.add_reader().account).key
    models, client = generated.models, generated.client.AuthenticatedClient(live_server.url, token, prefix="Token")

    answer = generated.lists.sync("books", client=client, limit=2)
    assert isinstance(answer, models.Answer)
    assert [result.id for result in answer.results] == [str(book.pk) for book in books[:2]]
    first = answer.results[0]
    assert (first.rank, first.source, first.item["label"]) == (1, "popular", "tea-0")
    assert first.reason.text == "popular in tea"

    similar = generated.similar.sync("books", str(books[0].pk), client=client, limit=3)
    assert isinstance(similar, models.Answer)
    assert str(books[0].pk) not in [result.id for result in similar.results]
    assert len(similar.results) == 3

    like = models.Event(str(uuid.uuid4()), first.id, "like", datetime.now(UTC), answer.request_id, first.rank)
    for status in (201, 200):  # the second time, it is there
        response = generated.events.sync_detailed("books", client=client, body=[like])
        assert response.status_code == status
        assert [result.event_id for result in response.parsed.results] == [like.event_id]
    assert Reading.objects.get().book == books[0]
    assert FeedbackEvent.objects.get().request_id == answer.request_id


def test_a_generated_client_understands_what_is_refused(generated, live_server):
    token = Token.objects.create(user=library.add_reader().account).key
    client = generated.client.AuthenticatedClient(live_server.url, token, prefix="Token")
    stranger = generated.client.Client(live_server.url)

    unknown = generated.lists.sync_detailed("boks", client=client)
    wrong = generated.lists.sync_detailed("books", client=client, limit=0)
    nobody = generated.lists.sync_detailed("books", client=stranger)
    nothing = generated.similar.sync_detailed("books", str(uuid.uuid4()), client=client)
    bad = generated.events.sync_detailed("books", client=client, body=generated.models.Event("one", "two", "jump"))

    refused = [unknown, wrong, nobody, nothing, bad]
    assert [reply.status_code for reply in refused] == [404, 400, 401, 404, 400]
    assert all(isinstance(reply.parsed, generated.models.Error) for reply in refused)
    assert list(wrong.parsed.errors.to_dict()) == ["limit"]
    assert set(bad.parsed.errors.to_dict()) == {"event", "item"}
