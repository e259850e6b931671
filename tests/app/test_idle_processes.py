"""What a process knew when it was last asked, hours ago, answers nobody: not those either who come all at once."""

import threading
from uuid import UUID

import pytest
from django.db import connection

from recommender_app.models import BusinessRule, Release
from recommender_app.registry import rereading
from recommender_app.serving import live, rule_book
from recommender_app.serving.rule_book import all_rules
from recommender_app.usecases.site import get_use_case
from tests.app import library

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def idle(settings, tmp_path, monkeypatch):
    """Keep what was read for an hour; a machine that is busy may take its time."""
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 3600}
    monkeypatch.setattr(rereading, "LONGEST_WAIT", 60)


def told_at_once(table, ask):
    """Return what two threads are told: one reads a table, the other asks meanwhile."""
    told = []
    beside = threading.Thread(target=lambda: told.append(ask()))

    def meanwhile(execute, sql, params, many, context):
        if table in sql and beside.ident is None:
            beside.start()
            beside.join(0.05)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        told.append(ask())
    beside.join(60)
    return told


def names():
    return [rule.name for rule in all_rules(get_use_case("books"))]


def test_a_rule_that_was_withdrawn_moves_nothing_any_more():
    about = {"use_case": "books", "item_ids": [str(UUID(int=1))], "is_active": True}
    rule = BusinessRule.objects.create(name="old", kind="boost", factor=2.0, **about)
    assert names() == ["old"]
    rule.delete()
    rule_book._books["books"]._rereading._read_at -= 7200
    assert told_at_once(BusinessRule._meta.db_table, names) == [[], []]


def test_a_release_that_was_rolled_back_answers_nobody():
    books = library.add_shelves(3)
    for number in (1, 2):
        library.publish(f"popular_v{number}", library.popular_engine(books), books)
        library.put_live(number, f"popular_v{number}")
    assert live.current("books").number == 2
    Release.objects.filter(number=2).update(status="retired")
    Release.objects.filter(number=1).update(status="live")
    live._live["books"]._verified_at -= 7200
    numbers = told_at_once(Release._meta.db_table, lambda: live.current("books").number)
    assert numbers == [1, 1]
