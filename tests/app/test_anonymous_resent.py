"""What a stranger sends again was answered before, whatever has become of the items since."""

import pytest
from django.test import Client

from recommender_app.models import AnonymousEvent
from recommender_app.usecases.site import get_use_case
from tests.app.posting import event, post
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db


def test_an_event_that_is_known_is_a_duplicate_though_its_item_is_gone(books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous", True)
    client, first, second = Client(), event(books[0], "click"), event(books[1], "click")
    assert post(client, first).status_code == 201
    Book.objects.filter(pk=books[0].pk).update(is_published=False)
    answer = post(client, [first, second, second])
    assert answer.status_code == 201, answer.content
    assert [each["status"] for each in answer.json()["results"]] == ["duplicate", "recorded", "duplicate"]
    assert post(client, event(books[0], "click")).status_code == 400
    assert AnonymousEvent.objects.count() == 2
