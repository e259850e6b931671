"""Large catalogues get an index with their version; whatever stands in the way, the version appears."""

import logging
import sys
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import DEFAULTS
from recommender_app.conf import settings as app_settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.folder import write_dataset
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.engines.index import MIN_ITEMS, ItemIndex
from recommender_app.engines.pool_fusion import POOL_MIN_ITEMS
from recommender_app.registry import releases
from recommender_app.serving.service import recommend
from recommender_app.training.run import train_model
from recommender_app.usecases.site import get_use_case
from tests.app import library, readings
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db
N_USERS, N_ITEMS, N_LIKES = 150, 2000, 20


def dataset() -> Dataset:
    """Return random likes of 2,000 books in ten genres; every user likes one genre."""
    rng = np.random.default_rng(1)
    users = np.repeat(np.arange(N_USERS, dtype=np.int32), N_LIKES)
    places = np.concatenate([rng.choice(N_ITEMS // 10, N_LIKES, replace=False) for _ in range(N_USERS)])
    items = (users % 10 + 10 * places).astype(np.int32)
    n = len(users)
    times = rng.permutation(n) * (MICROSECONDS_PER_DAY // 24)
    table = InteractionTable(
        users, items, np.zeros(n, dtype=np.uint8), np.ones(n, dtype=np.float32), times.astype(np.int64), ("like",)
    )
    ids = IdMap.from_values([UUID(int=number) for number in range(N_ITEMS)])
    readers = IdMap("int", np.arange(N_USERS))
    return Dataset(readers, ids, table, Features.empty(N_ITEMS), Features.empty(N_USERS), relevant_events=("like",))


@pytest.fixture
def train(settings, tmp_path):
    folder = tmp_path / "dataset"
    write_dataset(dataset(), folder)

    def trained(**values):
        defaults = {"ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": readings.only("popular", "als")}
        settings.RECOMMENDER = {**settings.RECOMMENDER, **defaults, **values}
        version = train_model(get_use_case("books"), "als", dataset_path=folder, overrides={"factors": 8}).version
        return version, ArtifactStore(app_settings.artifact_root).open("books", "als", version.name)

    return trained


def test_a_catalogue_from_the_threshold_on_is_published_with_its_index(train):
    version, opened = train(INDEX_MIN_ITEMS=N_ITEMS, INDEX_RECALL=0.9)
    index = opened.manifest.files["index"]
    assert opened.engine.has_index
    assert index.details["recall"] >= 0.9
    assert index.details["n_queries"] == N_USERS
    assert version.size_bytes == opened.manifest.size_bytes > index.size > 0


def test_a_request_is_answered_through_the_index(train, monkeypatch):
    version, opened = train(INDEX_MIN_ITEMS=N_ITEMS, INDEX_RECALL=0.9, COLD_START_THRESHOLD=1)
    releases.promote(version, by="test")
    books = [Book(pk=UUID(int=number), title=f"book {number}", created_at=library.START) for number in range(N_ITEMS)]
    Book.objects.bulk_create(books)
    searched = []
    search = ItemIndex.search
    monkeypatch.setattr(ItemIndex, "search", lambda *asked: searched.append(asked[2]) or search(*asked))

    answer = recommend(library.add_reader(likes=(books[3], books[13])), "books", 10)

    exact = opened.engine.with_index(None)
    expected = replace(opened, engine=exact).recommend([books[3].pk, books[13].pk], 10)
    assert (answer.engine, len(answer.results)) == ("als", 10)
    assert len(searched) == 1
    assert len({result.id for result in answer.results} & {item.id for item in expected}) >= 9


def test_a_smaller_catalogue_has_none(train):
    _, opened = train(INDEX_MIN_ITEMS=N_ITEMS + 1)
    assert not opened.engine.has_index
    assert opened.manifest.files == {}


def test_exact_lists_can_be_asked_for(train):
    _, opened = train(INDEX_MIN_ITEMS=1, INDEX_RECALL=1)
    details = opened.manifest.files["index"].details
    assert details["nprobe"] == details["nlist"]


@pytest.mark.parametrize("reason", ["no faiss", "too few users"])
def test_without_an_index_the_version_appears_all_the_same_with_a_warning(train, monkeypatch, caplog, reason):
    if reason == "no faiss":
        monkeypatch.setitem(sys.modules, "faiss", None)
    else:
        monkeypatch.setattr("recommender_app.trainers.index._MIN_QUERIES", N_USERS + 1)
    with caplog.at_level(logging.WARNING):
        version, opened = train(INDEX_MIN_ITEMS=1)
    assert version.status == "candidate"
    assert not opened.engine.has_index
    assert [record.getMessage().split(":")[0] for record in caplog.records if "index" in record.getMessage()] == [
        "als is published without an index, its 2000 items need one"
        if reason == "no faiss"
        else "als is published without an index"
    ]


def test_the_setting_and_the_core_agree_on_what_is_large():
    assert DEFAULTS["INDEX_MIN_ITEMS"] == MIN_ITEMS == POOL_MIN_ITEMS
