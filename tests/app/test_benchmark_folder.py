"""Folders of files become splits, whatever the ids; mistakes are one line that names the file."""

import gzip
import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.exceptions import ConfigurationError, DatasetError, RecommenderError
from recommender_app.training.benchmark.columns import to_ids, to_rows
from recommender_app.training.benchmark.folder import WHOLE, FolderOptions, read_folder
from recommender_app.training.benchmark.side_information import read_side_information
from tests.app import benchmark_files
from tests.app.benchmark_files import write
from tests.core.toys import N_USERS, hidden_item

LETTERS = "abcdefghijklmnop"


def uuid_of(row: int) -> uuid.UUID:
    return uuid.UUID(int=row + 2**100)


@pytest.mark.parametrize(("name", "kind"), [(int, "int"), (LETTERS.__getitem__, "str"), (uuid_of, "uuid")])
def test_ids_of_every_kind_give_the_same_split(tmp_path, name, kind):
    split = read_folder(benchmark_files.published(tmp_path, name), FolderOptions()).split
    assert split.train.items.kind == split.train.users.kind == kind
    assert split.train.matrix.nnz == 5 * N_USERS
    assert split.train.items.ids(split.test.item_rows) == [name(hidden_item(user)) for user in range(N_USERS)]


def test_a_number_with_leading_zeros_is_no_integer():
    assert to_ids(["007", "7"]).kind == "str"
    assert to_ids(["-8845298781299428018", "7"]).kind == "int"
    assert to_ids([str(2**63), "7"]).kind == "str", "does not fit into 64 bits"


@given(st.lists(st.one_of(st.integers(-(10**20), 10**20).map(str), st.uuids().map(str), st.text("ab0-é", min_size=1))))
def test_every_id_finds_its_own_row(values):
    ids = to_ids(values)
    rows = to_rows(ids, values)
    assert (rows >= 0).all()
    assert len(set(zip(rows.tolist(), values, strict=True))) == len(set(values))
    assert len(set(rows.tolist())) == len(ids)


def test_a_published_split_ranks_all_items_for_all_test_users(tmp_path):
    data = read_folder(benchmark_files.published(tmp_path), FolderOptions())
    assert data.candidates == {WHOLE: None}
    assert (data.min_history, data.has_times) == (0, False)
    assert "test.csv.gz was read once" in data.test_use


def test_validation_does_not_even_open_the_test_part(tmp_path):
    folder = benchmark_files.published(tmp_path)
    (folder / "test.csv.gz").unlink()
    data = read_folder(folder, FolderOptions(is_validation=True, seed=3))
    assert len(data.split.test) == N_USERS, "15 % of five items is one"
    assert data.split.train.matrix.nnz == 4 * N_USERS
    assert "was not read" in data.test_use
    again, other = (read_folder(folder, FolderOptions(is_validation=True, seed=seed)) for seed in (3, 4))
    assert np.array_equal(again.split.test.item_rows, data.split.test.item_rows)
    assert not np.array_equal(other.split.test.item_rows, data.split.test.item_rows)


def test_test_items_never_seen_in_training_are_the_only_candidates(tmp_path):
    data = read_folder(benchmark_files.cold(tmp_path), FolderOptions())
    items = data.split.train.items
    named = {name: items.ids(rows) for name, rows in data.candidates.items()}
    assert named == {"cold items": [100, 101], "cold items with text or categories": [100]}


def test_whole_items_are_held_out_to_validate_cold_items(tmp_path):
    folder = benchmark_files.cold(tmp_path)
    data = read_folder(folder, FolderOptions(is_validation=True, is_cold=True))
    held_out = set(data.split.test.item_rows.tolist())
    assert len(held_out) == 2, "15 % of twelve items"
    assert held_out.isdisjoint(data.split.train.interactions.item_rows.tolist())
    assert set(data.candidates["cold items"].tolist()) == held_out


def test_interactions_with_times_are_cut_at_one_moment(tmp_path):
    data = read_folder(benchmark_files.with_times(tmp_path), FolderOptions())
    assert data.split.name == "temporal"
    assert data.split.test.times.min() > data.split.train.interactions.times.max()
    assert data.split.train.interactions.event_names == ("LIKE",)
    assert data.min_history == 1


@pytest.mark.parametrize("split", ["random", "last"])
def test_other_cuts_take_a_part_of_every_user(tmp_path, split):
    data = read_folder(benchmark_files.with_times(tmp_path), FolderOptions(split=split))
    assert sorted(data.split.test.user_rows.tolist()) == list(range(N_USERS))


def test_validation_of_an_own_cut_lies_inside_its_train_part(tmp_path):
    folder = benchmark_files.with_times(tmp_path)
    whole = read_folder(folder, FolderOptions())
    inside = read_folder(folder, FolderOptions(is_validation=True))
    assert inside.split.test.times.max() <= whole.split.train.interactions.times.max()
    assert inside.split.description.startswith("validation inside train: global time cut")


@pytest.mark.parametrize(
    "moment", [1_465_413_032, 1_465_413_032_000, "2016-06-08T19:10:32", "2016-06-08T21:10:32+02:00"]
)
def test_times_are_seconds_milliseconds_or_dates(tmp_path, moment):
    write(
        tmp_path / "interactions.csv.gz", "user_id,item_id,timestamp", [(1, 1, moment), (1, 2, moment), (2, 1, moment)]
    )
    table = read_folder(tmp_path, FolderOptions(split="random")).split.train.interactions
    assert datetime.fromtimestamp(table.times[0] / 1e6, UTC) == datetime(2016, 6, 8, 19, 10, 32, tzinfo=UTC)


def test_events_weigh_what_they_are_told_to_and_dislikes_are_no_hits(tmp_path):
    rows = [(user, item, event) for user in range(4) for item, event in enumerate(("VIEW", "LIKE", "HATE"))]
    write(tmp_path / "interactions.csv.gz", "user_id,item_id,event_or_rating", rows)
    split = read_folder(
        tmp_path, FolderOptions(weights={"LIKE": 2.0, "HATE": -1.0}, split="random", test_fraction=0.5)
    ).split
    assert set(split.train.interactions.weights.tolist()) | {1.0} == {-1.0, 1.0, 2.0}
    assert (split.test.weights > 0).all()


def test_amounts_are_not_events(tmp_path):
    rows = [(number % 20, number, 1000.5 * number) for number in range(300)]
    write(tmp_path / "interactions.csv.gz", "user_id,item_id,event_or_rating", rows)
    table = read_folder(tmp_path, FolderOptions()).split.train.interactions
    assert table.event_names == ("interaction",)
    assert set(table.weights.tolist()) == {1.0}


def test_side_information_is_text_category_or_number_by_its_cells(tmp_path):
    rows = [(1, "a new hope", "war|space", 1977, 55), (2, "heat", "crime", "", 56), (9, "unknown item", "x", 1, 57)]
    path = write(tmp_path / "items.csv.gz", "item_id,title,genre,year,imdb_id", rows)
    features = read_side_information(path, "item_id", to_ids(["1", "2", "3"]))
    assert list(features.texts) == ["a new hope", "heat", ""]
    assert list(features.terms) == [("genre=war", "genre=space"), ("genre=crime",), ()]
    assert features.number_names == ("year",)
    assert features.numbers[:, 0].tolist() == pytest.approx([1977, np.nan, np.nan], nan_ok=True)
    chosen = read_side_information(path, "item_id", to_ids(["1"]), ["genre"])
    assert (list(chosen.texts), list(chosen.terms)) == ([""], [("genre=war", "genre=space")])


def nothing(folder: Path) -> None:
    """Leave the folder empty."""


def no_test(folder: Path) -> None:
    (benchmark_files.published(folder) / "test.csv.gz").unlink()


def wrong_header(folder: Path) -> None:
    write(folder / "interactions.csv.gz", "user,item", [(1, 2)])


def short_row(folder: Path) -> None:
    write(folder / "interactions.csv.gz", "user_id,item_id", [(1, 2), (3,)])


def not_gzip(folder: Path) -> None:
    (folder / "interactions.csv.gz").write_text("user_id,item_id\n1,2\n")


def cut_short(folder: Path) -> None:
    whole = gzip.compress(b"user_id,item_id\n" + b"1,2\n" * 1000)
    (folder / "interactions.csv.gz").write_bytes(whole[:-12])


def latin(folder: Path) -> None:
    (folder / "interactions.csv.gz").write_bytes(gzip.compress("user_id,item_id\n1,é\n".encode("latin-1")))


def odd_time(folder: Path) -> None:
    write(folder / "interactions.csv.gz", "user_id,item_id,timestamp", [(1, 2, "yesterday")])


def only_header(folder: Path) -> None:
    write(folder / "interactions.csv.gz", "user_id,item_id", [])


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (nothing, {}, r"holds neither train\.csv\.gz and test\.csv\.gz nor interactions\.csv\.gz"),
        (no_test, {}, r"There is no file .*test\.csv\.gz"),
        (
            wrong_header,
            {},
            "has no column user_id, item_id: its first line must name the columns, and it says 'user,item'",
        ),
        (short_row, {}, "has 1 cells instead of 2 in row 3"),
        (not_gzip, {}, "is not compressed with gzip"),
        (cut_short, {}, "cannot be read"),
        (latin, {}, "is not UTF-8"),
        (odd_time, {}, "'yesterday': write seconds since 1970"),
        (only_header, {}, "the part to measure on is empty"),
        (benchmark_files.published, {"split": "random"}, "brings its own split"),
        (benchmark_files.published, {"weights": {"LIKE": 2.0}}, "no event 'LIKE' in the data: choose from interaction"),
        (benchmark_files.cold, {"item_columns": ("colour",)}, "no column 'colour': choose from title"),
        (benchmark_files.cold, {"items": Path("/nowhere.csv.gz")}, "There is no file /nowhere"),
    ],
)
def test_mistakes_are_one_line(tmp_path, make, options, message):
    make(tmp_path)
    with pytest.raises(RecommenderError, match=message) as raised:
        read_folder(tmp_path, FolderOptions(**options))
    assert "\n" not in str(raised.value)


def test_a_missing_folder_and_missing_times_are_said(tmp_path):
    with pytest.raises(DatasetError, match="There is no folder"):
        read_folder(tmp_path / "nowhere", FolderOptions())
    write(tmp_path / "interactions.csv.gz", "user_id,item_id", benchmark_files.likes())
    with pytest.raises(ConfigurationError, match="needs a column timestamp"):
        read_folder(tmp_path, FolderOptions(split="temporal"))
