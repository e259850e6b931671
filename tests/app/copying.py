"""On PostgreSQL an export that copies columns equals one that reads rows; run by test_export_on_postgres.py."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Case, F, Func, Q, Value, When

from recommender_app import Interactions
from recommender_app.exceptions import DatasetError
from recommender_app.training import export_rows
from recommender_app.training.export import export_dataset
from recommender_app.training.export_options import ExportOptions
from recommender_app.usecases.columns import column_queries, copied
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
DAY = datetime(2024, 1, 10, 12, 30, 15, 123_456, tzinfo=UTC)
KINDS = ("view", "like", "dislike", "finish", "sneeze", "View")
NOTHING_DESCRIBED = dict.fromkeys(("item_text", "item_categories", "item_numbers", "user_text"), ())


def source(**changes):
    return Interactions(**{"model": Reading, "user": "reader", "item": "book", "event": "kind", "at": "at"} | changes)


def use_case_with(**attributes):
    return type("Changed", (BooksForReaders,), attributes)()


TURNED = {"users": Book, "items": Reader, "interactions": source(user="book", item="reader"), **NOTHING_DESCRIBED}
LIKED = Case(When(Q(kind="finish") | Q(kind="like"), then=Value("it's 100% liked")), default=None)
HUGE = Case(When(kind="finish", then=Value(1e6)), default=Value(1.0))
CASES = {
    "integers and UUIDs": ({}, {}),
    "UUIDs and integers": (TURNED, {}),
    "decay and sums": ({"half_life_days": 2, "pair_weighting": "sum"}, {}),
    "a window": ({"half_life_days": 2}, {"since": DAY - timedelta(days=5), "until": DAY - timedelta(days=1)}),
    "active users": (TURNED, {"min_interactions": 3}),
    "strengths": ({"interactions": source(strength=F("book__pages") * 0.1)}, {}),
    "relations": ({**TURNED, "items": User, "interactions": source(user="book", item="reader__account")}, {}),
    "expressions": (
        {
            "weights": {"apply": 4.0, "it's 100% liked": 2.0},
            "interactions": [source(event=Value("apply"), strength=Value(0.5)), source(event=LIKED)],
        },
        {},
    ),
}


@pytest.fixture(autouse=True)
def library():
    """Thirty readings, some twice, some at the same time, of events known and unknown."""
    accounts = [User.objects.create(username=name) for name in "ab"] + [None]
    readers = [Reader.objects.create(name=f"reader {place}", account=account) for place, account in enumerate(accounts)]
    books = [Book.objects.create(pk=uuid.UUID(int=n << 90 | n), title=f"book {n}", pages=n) for n in range(1, 6)]
    for n in range(30):
        at = DAY - timedelta(days=n % 7, microseconds=n % 3)
        Reading.objects.create(reader=readers[n % 3], book=books[n * n % 4], kind=KINDS[n % 5], at=at)
    Reading.objects.create(reader=readers[0], book=books[0], kind="View", at=DAY)


@pytest.fixture
def export(settings, tmp_path):
    """Return a function that exports into a folder of its own and returns {file: bytes}."""

    def into(name, use_case, **options):
        settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path / name}
        path = export_dataset(use_case, ExportOptions(**options), chunk_size=4).path
        files = {file.name: file.read_bytes() for file in path.iterdir()}
        manifest = json.loads(files.pop("manifest.json"))
        return {name: value for name, value in manifest.items() if name not in ("created_at", "as_of")}, files

    return into


def both(export, monkeypatch, attributes, options):
    use_case = use_case_with(**attributes)
    assert column_queries(use_case, (None, None)) is not None
    copied_files = export("columns", use_case, **options)
    monkeypatch.setattr(export_rows, "column_queries", lambda *_: None)
    rows = export("rows", use_case, **options)
    assert copied_files == rows
    return copied_files[0]["counts"]


@pytest.mark.parametrize("name", CASES)
def test_columns_and_rows_are_the_same_bytes(export, monkeypatch, name):
    assert both(export, monkeypatch, *CASES[name])["interactions"] > 4


def test_a_collation_that_ignores_case_does_not_bring_in_other_events(export, monkeypatch):
    before = both(export, monkeypatch, {}, {})
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE COLLATION any_case (provider=icu, locale='und-u-ks-level2', deterministic=false)")
        cursor.execute("ALTER TABLE toyhost_reading ALTER kind TYPE varchar(20) COLLATE any_case")
    assert Reading.objects.filter(kind="view").count() == Reading.objects.filter(kind__in=["View", "VIEW"]).count() > 1
    monkeypatch.undo()
    assert both(export, monkeypatch, {}, {}) == before


def test_text_keys_are_read_as_rows(export):
    use_case = use_case_with(interactions=source(user="reader__name"), **NOTHING_DESCRIBED)
    assert column_queries(use_case, (None, None)) is None
    manifest, _ = export("text", use_case)
    assert manifest["id_kinds"] == {"users": "str", "items": "uuid"}


def test_a_field_that_reads_other_values_than_its_column_holds_is_not_copied(monkeypatch):
    assert column_queries(use_case_with(), (None, None)) is not None
    monkeypatch.setattr(Book._meta.pk, "from_db_value", lambda value, *_: f"no. {value}", raising=False)
    assert column_queries(use_case_with(), (None, None)) is None


def test_keys_of_several_kinds_are_refused_as_ever(export):
    use_case = use_case_with(interactions=[source(), source(user="book")], **NOTHING_DESCRIBED)
    assert column_queries(use_case, (None, None)) is None
    with pytest.raises(DatasetError, match="several kinds"):
        export("mixed", use_case)


@pytest.mark.parametrize("strength", [Value(None), Value(float("nan")), Value(1e300), HUGE])
def test_row_67_a_bad_weight_is_one_clear_message_on_both_ways(export, monkeypatch, strength):
    use_case = use_case_with(interactions=source(strength=strength))
    messages = []
    for way in ("columns", "rows"):
        with pytest.raises(DatasetError, match="Use case 'books': an interaction") as raised:
            export(way, use_case)
        messages.append(str(raised.value))
        assert Reading.objects.count() == 31  # the connection still works
        monkeypatch.setattr(export_rows, "column_queries", lambda *_: None)
    assert messages[0] == messages[1]


def test_an_infinite_time_is_refused(export):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE toyhost_reading SET at = 'infinity' WHERE kind = 'finish'")
    with pytest.raises(DatasetError, match="infinite or not between the years 1 and 9999"):
        export("infinite", use_case_with())


def test_no_events_and_no_rows_are_said(export):
    for use_case in (use_case_with(weights={}), use_case_with(weights={"wave": 1.0})):
        with pytest.raises(DatasetError, match="has no interactions to export"):
            export("nothing", use_case)


def test_a_timeout_for_web_requests_ends_no_copy():
    slow = Book.objects.annotate(wait=Func(Value(0.1), function="pg_sleep")).values_list("pk", "wait")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '250ms'")
        with copied(slow) as messages:
            assert sum(1 for _ in messages) >= 5
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("250ms",)
