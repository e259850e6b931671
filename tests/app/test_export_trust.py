"""Whose interactions teach: crowds of fresh accounts and busy ones move nothing; what older ones do is noticed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.contrib.auth.models import User

from recommender_app.dataset.folder import read_dataset
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.engines.batch import batch_of_users
from recommender_app.exceptions import DatasetError
from recommender_app.training.export import export_dataset
from recommender_app.training.export_collected import Collected
from recommender_app.training.export_options import ExportOptions
from recommender_app.training.export_trust import with_daily_cap
from recommender_app.training.gate_data import POPULAR, DataProfile, check_data
from recommender_app.training.gate_limits import GateLimits
from recommender_app.training.gate_pushed import find_pushed
from recommender_app.training.trainers import load_trainer
from tests.app import library
from tests.toyhost.models import Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


class Guarded(BooksForReaders):
    """Books for readers, whose accounts say since when they are there."""

    joined_at = "account__date_joined"


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "N_THREADS": 1}


def limits(settings, **values):
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}


def add_readers(n, name, age):
    accounts = User.objects.bulk_create([User(username=f"{name}{place}", date_joined=NOW - age) for place in range(n)])
    return Reader.objects.bulk_create([Reader(name=account.username, account=account) for account in accounts])


def like(readers, *books, at=NOW):
    Reading.objects.bulk_create(
        [Reading(reader=reader, book=book, kind="like", at=at) for reader in readers for book in books]
    )


@pytest.fixture
def books():
    """Twelve books; of a year-old crowd of ten, some like the first eight."""
    books = library.add_shelves(6)
    for place, reader in enumerate(add_readers(10, "honest", timedelta(days=365))):
        like([reader], *books[: 2 + place % 7], at=NOW - timedelta(days=30))
    return books


def export(use_case=Guarded, **options):
    exported = export_dataset(use_case(), ExportOptions(**options))
    return exported, read_dataset(exported.path)


def ranks(dataset, book, engine_key):
    """Return the book's rank for each honest reader, from an engine trained now."""
    engine = load_trainer(engine_key).train(dataset, seed=1)
    honest = dataset.users.rows(list(Reader.objects.filter(name__startswith="honest").values_list("pk", flat=True)))
    scores = engine.score(batch_of_users(dataset, honest))
    row = dataset.items.rows([book.pk])[0]
    return [int((scores[place] > scores[place][row]).sum()) + 1 for place in range(len(honest))]


def book_ranks(engine_key, book):
    return ranks(export()[1], book, engine_key)


@pytest.mark.parametrize("engine_key", ["popular", "als"])
def test_row_70_fifty_fresh_accounts_move_an_item_by_no_rank(books, engine_key):
    target = books[9]
    before, (clean, _) = book_ranks(engine_key, target), export()
    like(add_readers(50, "bot", timedelta(hours=23)), target, books[0])
    assert book_ranks(engine_key, target) == before
    assert export()[0].manifest["fingerprint"] == clean.manifest["fingerprint"]


def test_the_same_accounts_would_take_the_top_if_they_were_old(books):
    target = books[9]
    assert min(book_ranks("popular", target)) > 1
    like(add_readers(50, "bot", timedelta(hours=25)), target, books[0])
    assert max(book_ranks("popular", target)) <= 2


def test_row_70_what_older_accounts_take_over_raises_the_gates_alarm(books):
    _, clean = export()
    before = DataProfile.of(clean)
    like(add_readers(50, "bot", timedelta(days=90)), *books[4:])
    _, pushed = export()
    alarms = {
        check.name: str(check.outcome)
        for check in check_data(pushed, DataProfile.of(pushed), before, GateLimits.of("books"))
    }
    assert alarms[POPULAR] == "rejected"


def test_row_70_one_item_that_older_accounts_push_raises_it_too(books):
    assert find_pushed(export()[1], 20) == []
    like(add_readers(50, "bot", timedelta(days=90)), books[9])
    (found,) = find_pushed(export()[1], 20)
    assert (found.item, found.crowd) == (str(books[9].pk), 50)


def test_age_is_counted_at_the_end_of_the_window(books, settings):
    like(add_readers(3, "late", timedelta(days=10)), books[10], at=NOW - timedelta(days=9))
    limits(settings, MIN_ACCOUNT_AGE_DAYS=5)
    assert export()[1].n_users == 13
    assert export(until=NOW - timedelta(days=6))[1].n_users == 10


def test_who_has_no_date_is_trusted_and_without_joined_at_or_limit_everybody_is(books, settings):
    like([Reader.objects.create(name="no account")], books[0])
    like(add_readers(2, "fresh", timedelta(0)), books[0])
    assert export()[1].n_users == 11
    assert export(BooksForReaders)[1].n_users == 13
    limits(settings, MIN_ACCOUNT_AGE_DAYS=0)
    assert export()[1].n_users == 13


def test_where_all_are_young_the_export_says_so(settings):
    like(add_readers(2, "fresh", timedelta(0)), *library.add_shelves(1))
    with pytest.raises(DatasetError, match="MIN_ACCOUNT_AGE_DAYS"):
        export()


def test_users_of_too_few_different_items_do_not_teach(books, settings):
    (bot,) = add_readers(1, "bot", timedelta(days=90))
    for minute in range(30):
        like([bot], books[9], at=NOW - timedelta(minutes=minute))
    assert export()[1].n_users == 11
    limits(settings, MIN_DISTINCT_ITEMS=2)
    assert export()[1].n_users == 10
    like([bot], books[8])
    assert export()[1].n_users == 11


def test_the_first_interactions_of_a_day_count_up_to_the_cap(books, settings):
    (busy,) = add_readers(1, "busy", timedelta(days=90))
    noon = (NOW - timedelta(days=3)).replace(hour=12)
    for place, book in enumerate(books):
        like([busy], book, at=noon + timedelta(minutes=place))
        like([busy], book, at=noon + timedelta(days=1, minutes=len(books) - place))
    limits(settings, MAX_EVENTS_PER_USER_DAY=4)
    _, dataset = export()
    table = dataset.interactions.select(dataset.interactions.user_rows == dataset.users.rows([busy.pk])[0])
    assert len(table) == 8
    met = set(dataset.items.ids(table.item_rows))
    assert met == {book.pk for book in (*books[:4], *books[-4:])}


def test_a_use_case_has_a_cap_of_its_own(books, settings):
    limits(settings, MAX_EVENTS_PER_USER_DAY=1)
    assert len(export()[1].interactions) == 10
    uncapped = type("Uncapped", (Guarded,), {"max_events_per_user_day": 0})
    strict = type("Strict", (Guarded,), {"max_events_per_user_day": 2})
    everything = Reading.objects.count()
    assert [len(export(use_case)[1].interactions) for use_case in (uncapped, strict)] == [everything, 20]


@pytest.mark.parametrize("seed", range(5))
def test_busy_users_are_capped_alike_whatever_the_parts(monkeypatch, seed):
    rng, n = np.random.default_rng(seed), 400
    users, days = rng.integers(0, 12, n), rng.integers(0, 4, n)
    times = days * MICROSECONDS_PER_DAY + rng.permutation(n)  # no two at once
    columns = (users.astype(np.int32), np.zeros(n, np.int32), np.zeros(n, np.uint8), np.ones(n, np.float32), times)
    everything = Collected(
        IdMap("int", np.arange(12)), IdMap("int", np.arange(1)), InteractionTable(*columns, ("like",))
    )
    kept = []
    for user in range(12):
        for day in range(4):
            kept += sorted(times[(users == user) & (days == day)])[:6]
    whole = with_daily_cap(everything, 6).interactions
    assert sorted(whole.times) == sorted(kept)
    monkeypatch.setattr("recommender_app.training.export_trust.ROWS_PER_BLOCK", 7)
    assert with_daily_cap(everything, 6).interactions.times.tolist() == whole.times.tolist()


def test_items_that_only_bots_met_are_still_there(books):
    like(add_readers(5, "bot", timedelta(0)), books[11])
    assert export()[1].items.rows([books[11].pk])[0] >= 0
