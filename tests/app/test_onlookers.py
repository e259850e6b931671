"""Whoever only looked on is counted from columns of text: to the same rows as everybody else. PostgreSQL."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender_app.measurement import answer_texts
from recommender_app.measurement import roll_up as rolling
from recommender_app.models import FeedbackEvent, RequestLog, RolledUpDay, RollUp, RollUpShape
from tests.app.measured import answer, at, event, read, roll_up
from tests.toyhost.models import Book, Reader

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="run on PostgreSQL by test_on_postgres.py"),
]

PLAIN_ITEMS = ["tea", "sea", "ink", "", "ä", "a, b", "[", "]"]
ITEMS = [*PLAIN_ITEMS, 'odd "item"', "tab\tand\\slash", '", "', "\\"]
USERS = ["ann", "bob", "tab\there", "1", "", "line\nand\rline", "\\N", "\x1f"]
STRANGE = [{"item": 7}, {"item": "sea"}, {"item": ["x"]}, None]
HOURS = st.integers(-12 * 60 - 40, 15 * 60).map(lambda minutes: minutes / 60 + 1e-7 * minutes)
ANSWERS = st.fixed_dictionaries(
    {
        "user": st.sampled_from(USERS),
        "items": st.lists(st.sampled_from(PLAIN_ITEMS), max_size=5),
        "hours": HOURS,
        "engine": st.sampled_from(["als", "popular"]),
        "experiment": st.sampled_from([None, "", "e"]),
        "arm": st.sampled_from([None, "b"]),
        "phase": st.sampled_from([None, 2]),
        "fallback_reason": st.sampled_from(["", "deadline"]),
        "latency_ms": st.one_of(st.none(), st.sampled_from([float("nan"), float("inf"), -1.0]), st.floats(0, 1e5)),
        "diversity": st.one_of(st.none(), st.floats(0, 1)),
    }
)
ODD_ANSWERS = ANSWERS.flatmap(
    lambda each: st.lists(st.sampled_from(ITEMS), max_size=5).map(lambda items: {**each, "items": items})
)
DEEDS = st.tuples(
    st.sampled_from(USERS[:2]), st.sampled_from(ITEMS), st.sampled_from(["click", "like", "impression"]), HOURS
)


def stored() -> list[dict]:
    rows = [*RollUp.objects.order_by("user_id", "pk").values(), *RollUpShape.objects.order_by("pk").values()]
    cleaned = [{name: bytes(v) if name == "items" else v for name, v in row.items() if name != "id"} for row in rows]
    return sorted(
        cleaned, key=lambda row: [str(row.get(name)) for name in ("user_id", "engine", "experiment", "phase", "arm")]
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.one_of(st.lists(ANSWERS, max_size=12), st.lists(ODD_ANSWERS, max_size=12)),
    deeds=st.lists(DEEDS, max_size=4),
    strange=st.booleans(),
    answers_per_block=st.sampled_from([1, 3, 100]),
)
def test_a_day_of_many_answers_has_the_rows_of_a_day_of_few(monkeypatch, answers, deeds, strange, answers_per_block):
    monkeypatch.setattr(answer_texts, "BLOCK_ANSWERS", answers_per_block)
    for model in (RequestLog, FeedbackEvent, RollUp, RollUpShape, RolledUpDay):
        model.objects.all().delete()
    for each in answers:
        values = dict(each)
        answer(values.pop("user"), *values.pop("items"), **values)
    if strange:
        RequestLog.objects.filter(engine="popular").update(
            results=[{"item": 7}, {"item": "sea"}, {"item": ["x"]}, None]
        )
    for user, item, name, hours in deeds:
        event(user, item, name, hours=hours)
    monkeypatch.setattr(rolling, "MANY", 10**9)
    few = roll_up()
    expected = stored()
    monkeypatch.setattr(rolling, "MANY", 0)
    many = roll_up()
    assert stored() == expected
    assert (many.requests, many.first_request_at) == (few.requests, few.first_request_at)


def test_who_used_the_hosts_own_views_is_no_onlooker(monkeypatch):
    monkeypatch.setattr(rolling, "MANY", 0)
    reader = Reader.objects.create(name="Rea")
    book = Book.objects.create(title="Tea")
    answer(reader, book)
    answer("ann", book)
    read(reader, book, "like", hours=1)
    roll_up()
    assert dict(RollUp.objects.values_list("user_id", "likes")) == {str(reader.pk): 1, "ann": 0}


def test_without_pyarrow_there_is_nothing_to_copy(monkeypatch):
    answer("ann", "tea")
    assert answer_texts.n_to_copy("books", at(-1), at(1)) == 1
    monkeypatch.setattr(answer_texts, "find_spec", lambda _: None)
    assert answer_texts.n_to_copy("books", at(-1), at(1)) == 0
