"""Lists of everybody: what each would be answered online, in files that are whole or not there."""

import csv
import json
import re
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from recommender_app import Interactions
from recommender_app.exceptions import ConfigurationError, RegistryError, UserNotFound
from recommender_app.management.batch_lists import ListOptions, write_lists
from recommender_app.management.batch_queue import as_message, from_message
from recommender_app.models import RequestLog
from recommender_app.serving.batch import begin_batch, lists_of
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.hidden import hidden_ids
from recommender_app.usecases.histories import hidden_ids_of, load_histories
from recommender_app.usecases.history import load_history
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.users import Shard, read_users
from tests.app import library, readings
from tests.faults.engines import FaultyEngine, serving
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path / "models"),
        "COLD_START_THRESHOLD": 1,
    }
    return tmp_path


@pytest.fixture
def books():
    books = readings.fill()
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    library.add_reader("new")
    library.read(library.add_reader("fussy"), books[0], "dislike")
    library.read(library.add_reader("done"), books[1], "finish")
    Book.objects.filter(pk=books[3].pk).update(is_published=False)
    return books


def compared(answer):
    facts = (answer.engine, answer.model_version, answer.release, answer.fallback_reason, answer.interaction_count)
    return facts, [(place.rank, place.id, place.source, round(place.score, 4)) for place in answer.results]


@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 11])
def test_the_lists_are_those_of_single_requests(books, monkeypatch, is_shared, limit):
    monkeypatch.setattr(BooksForReaders, "items_are_shared", is_shared)
    use_case = get_use_case("books")
    answers = dict(lists_of(begin_batch(use_case, limit), list(Reader.objects.all())))
    assert len(answers) == 15
    for reader, answer in answers.items():
        assert compared(answer) == compared(recommend(reader, "books", limit, log=False)), reader.name


def test_nothing_is_logged_as_shown(books):
    list(lists_of(begin_batch(get_use_case("books"), 3), list(Reader.objects.all())))
    assert not RequestLog.objects.exists()


def test_same_seed_same_explored_places_whatever_the_chunk(books, root):
    Book.objects.bulk_create(Book(title=f"new-{place}") for place in range(20))
    with forced_policy("books", Policy("explores", ((0, "popular"),), exploration=0.5)):
        for name, chunk, seed in (("a", 3, 1), ("b", 500, 1), ("c", 500, 2)):
            write_lists(ListOptions("books", root / f"{name}.csv", limit=6, chunk=chunk, seed=seed))
    first, again, other = ((root / f"{name}.csv").read_text() for name in "abc")
    assert first == again
    assert "exploration" in first
    assert first != other


def test_lists_wait_where_what_is_live_cannot_be_read(books):
    with connection.execute_wrapper(library.refuse), pytest.raises(DatabaseError):
        begin_batch(get_use_case("books"), 2)
    with pytest.raises(RegistryError, match="try again"):  # the database answers again, the release is not loaded yet
        begin_batch(get_use_case("books"), 2)


def test_an_engine_that_fails_is_replaced_as_online(books):
    with override_engine("books", FixedEngine([book.pk for book in books], fails=True)):
        batch = begin_batch(get_use_case("books"), 2)
        ((_, answer),) = lists_of(batch, [Reader.objects.get(name="new")])
    assert (answer.engine, answer.fallback_reason) == ("newest", "engine_failed")


def test_where_everybody_sees_the_same_items_one_query_judges_a_chunk(
    books, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(BooksForReaders, "items_are_shared", True)
    readers, batch = list(Reader.objects.exclude(name="fussy")), begin_batch(get_use_case("books"), 2)
    recommend(readers[0], "books", log=False)  # reads the business rules
    with django_assert_max_num_queries(4):  # histories, hidden, profiles, items
        answers = list(lists_of(batch, readers))
    assert all(len(answer.results) == 2 for _, answer in answers)


def two_sources():
    likes = Interactions(Reading, user="reader", item="book", event="kind", at="at")
    return type("Two", (BooksForReaders,), {"interactions": [likes, likes], "half_life_days": 30.0})()


@pytest.mark.parametrize("make", [lambda: get_use_case("books"), two_sources])
@pytest.mark.parametrize("limit", [1, 2, 4, 100])
def test_histories_read_together_are_those_read_alone(make, limit):
    books = library.add_shelves(3)
    generator = np.random.default_rng(7)
    for name in ("ann", "bob", "cid", "nobody"):
        reader = library.add_reader(name)
        for _ in range(0 if name == "nobody" else 6):
            kind = ("view", "like", "dislike", "finish", "unknown")[generator.integers(5)]
            at = timezone.now() - timedelta(minutes=int(generator.integers(4)))
            Reading.objects.create(reader=reader, book=books[generator.integers(6)], kind=kind, at=at)
    now, use_case, readers = timezone.now(), make(), list(Reader.objects.all())
    together = load_histories(use_case, [reader.pk for reader in readers], limit, now=now)
    for reader in readers:
        alone = load_history(use_case, reader, limit, now=now)
        assert together[reader.pk].item_ids == alone.item_ids
        np.testing.assert_array_equal(together[reader.pk].weights, alone.weights)
        np.testing.assert_array_equal(together[reader.pk].ages_days, alone.ages_days)
        assert together[reader.pk].interaction_count == alone.interaction_count


def test_histories_of_a_thousand_cost_as_many_queries_as_of_one(django_assert_num_queries):
    library.add_shelves(1)
    keys = [library.Reader.objects.create(name="x").pk for _ in range(20)]
    for n in (1, 20):
        with django_assert_num_queries(1):
            load_histories(get_use_case("books"), keys[:n], 10)


def test_hidden_items_are_read_together(books):
    use_case, readers = get_use_case("books"), list(Reader.objects.all())
    together = hidden_ids_of(use_case, [reader.pk for reader in readers])
    assert {reader.pk: hidden_ids(use_case, reader) for reader in readers} == together


def test_shards_part_the_users_whatever_the_chunk():
    keys = {Reader.objects.create(name="x").pk for _ in range(23)}
    found = [
        user.pk
        for number in (1, 2, 3)
        for _, users in read_users(get_use_case("books"), Shard(number, 3), chunk_size=4)
        for user in users
    ]
    assert len(found) == 23
    assert set(found) == keys


@pytest.mark.parametrize("text", ["0/2", "3/2", "x", "1", "1/", "-1/2", "1/2/3"])
def test_a_shard_that_is_none_is_named(text):
    with pytest.raises(ConfigurationError, match="2/8"):
        Shard.parse(text)


def rows_in(path):
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path).to_pylist()
    if path.suffix == ".csv":
        return list(csv.DictReader(path.open()))
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_the_command_writes_a_row_per_user_and_place(books, root, ending):
    path = root / f"lists.{ending}"
    call_command("recommender_batch", "books", "--out", str(path), "--limit", "2", "--chunk", "4", verbosity=0)
    rows = rows_in(path)
    new = [row for row in rows if int(row["user"]) == Reader.objects.get(name="new").pk]
    assert len(rows) == 2 * Reader.objects.count()
    assert [(int(row["rank"]), row["item"], row["source"], int(row["release"])) for row in new] == [
        (1, str(books[0].pk), "popular", 1),
        (2, str(books[1].pk), "popular", 1),
    ]
    assert [entry.name for entry in root.iterdir() if entry.suffix == ".part"] == []
    assert path.stat().st_mode & 0o777 == 0o640


def test_integer_keys_stay_integers_in_parquet(books, root):
    import pyarrow.parquet

    write_lists(ListOptions("books", root / "lists.parquet", limit=1))
    schema = pyarrow.parquet.read_schema(root / "lists.parquet")
    assert [str(schema.field(name).type) for name in ("user", "item", "score")] == ["int64", "string", "float"]


def test_named_users_only(books, root):
    keys = [str(reader.pk) for reader in Reader.objects.filter(name__in=["new", "done"])]
    written = write_lists(ListOptions("books", root / "lists.jsonl", limit=3, users=tuple(keys)))
    assert (written.n_users, written.n_rows) == (2, 6)
    with pytest.raises(UserNotFound, match=re.escape("x, 99999.")):
        write_lists(ListOptions("books", root / "lists.jsonl", users=("x", keys[0], "99999")))


def test_a_failure_half_way_leaves_the_file_that_was_there(books, root, monkeypatch):
    path = root / "lists.jsonl"
    path.write_text("before")
    monkeypatch.setattr(BooksForReaders, "get_items", lambda self, user: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_lists(ListOptions("books", path))
    assert path.read_text() == "before"
    assert [entry.name for entry in root.iterdir() if entry.name != "models"] == ["lists.jsonl"]


def test_nobody_to_write_for_is_an_empty_file_with_its_columns(root):
    write_lists(ListOptions("books", root / "lists.csv"))
    assert (root / "lists.csv").read_text() == "user,rank,item,score,source,release\n"
    write_lists(ListOptions("books", root / "lists.parquet"))
    assert rows_in(root / "lists.parquet") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("books", "--out", "lists.txt"), "--format"),
        (("films", "--out", "lists.csv"), "films"),
        (("books", "--out", "/nowhere/at/all/lists.csv"), "Cannot write"),
        (("books", "--out", "lists.csv", "--shard", "9"), "2/8"),
        (("books", "--out", "lists.csv", "--limit", "0"), "from 1 to 100"),
        (("books", "--out", "lists.csv", "--users", "1", "--celery", "2"), "leave --users"),
        (("books", "--out", "lists.csv", "--celery", "2"), "CELERY_BROKER_URL"),
        (("books", "--out", "lists.csv", "--celery", "2", "--celery-app", "nowhere.celery"), "nowhere.celery"),
    ],
)
def test_a_mistake_is_one_line(root, monkeypatch, arguments, words):
    monkeypatch.chdir(root)
    with pytest.raises(CommandError) as caught:
        call_command("recommender_batch", *arguments)
    assert words in str(caught.value)
    assert not list(root.glob("*lists*"))


def test_text_that_a_spreadsheet_would_run_is_quoted(root):
    from recommender_app.management.list_files import list_file

    with list_file(root / "x.csv", "csv", get_use_case("books")) as writer:
        writer.write([("=cmd()", 1, "-1+2", 0.5, "als", None)])
    assert (root / "x.csv").read_text().splitlines()[1] == "'=cmd(),1,'-1+2,0.5,als,"


def test_the_message_in_a_queue_says_all_options(root):
    options = ListOptions("books", root / "lists-1-of-2.csv", 5, (), "1/2", 100, "csv")
    assert from_message(json.loads(json.dumps(as_message(options)))) == options


@pytest.mark.django_db
@pytest.mark.parametrize(
    "answer", [None, (np.array([[0]]),), (np.zeros((5, 3), int), np.ones((5, 3))), ([["a"]], [[1.0]])]
)
def test_an_engine_that_answers_in_a_strange_shape_stops_no_batch(answer):
    books = library.add_shelves(5)
    readers = [library.add_reader(name, likes=(books[0],)) for name in ("ann", "bob")]
    with serving({"als": FaultyEngine(books, answer), "popular": FixedEngine([book.pk for book in books])}):
        lists = list(lists_of(begin_batch(get_use_case("books"), 3), readers))
    assert [len(found.results) for _, found in lists] == [3, 3]


def test_what_a_user_turns_down_while_a_batch_runs_is_not_sent():
    books, readers = library.add_shelves(3), [library.add_reader(name) for name in "ab"]
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "popular_v1")
    lists = lists_of(begin_batch(get_use_case("books"), 3), readers)
    next(lists)
    library.read(readers[1], books[0], "dislike")
    assert books[0].pk not in [result.id for result in next(lists)[1].results]
