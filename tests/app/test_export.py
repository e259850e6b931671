"""The dataset that an export writes: exact numbers a child can check."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db.models import Case, Value, When

from recommender_app import Interactions
from recommender_app.dataset.folder import read_dataset
from recommender_app.exceptions import DatasetError
from recommender_app.training.export import export_dataset
from recommender_app.training.export_options import ExportOptions
from recommender_app.usecases.site import get_use_case
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
DAY = datetime(2024, 1, 10, tzinfo=UTC)


def use_case_with(**attributes):
    return type("Changed", (BooksForReaders,), attributes)()


def source(**changes):
    return Interactions(**{"model": Reading, "user": "reader", "item": "book", "event": "kind", "at": "at"} | changes)


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path / "artifacts"}
    return tmp_path / "artifacts"


@pytest.fixture
def library():
    """Ann (1) and Bob (2); Ann likes a and views b, Bob dislikes a and finishes b; nobody met c."""
    ann, bob = (Reader.objects.create(name=name, bio=f"I am {name}.") for name in ("Ann", "Bob"))
    a, b, c = (
        Book.objects.create(pk=uuid.UUID(int=n), title=title, genre="crime", pages=n * 100)
        for n, title in enumerate("abc", start=1)
    )
    for days_ago, reader, book, kind in (
        (4, ann, a, "like"),
        (3, ann, b, "view"),
        (2, bob, a, "dislike"),
        (0, bob, b, "finish"),
    ):
        Reading.objects.create(reader=reader, book=book, kind=kind, at=DAY - timedelta(days=days_ago))
    return ann, bob, a, b, c


def export(use_case=None, *, chunk_size=10_000, **options):
    exported = export_dataset(use_case or get_use_case("books"), ExportOptions(**options), chunk_size=chunk_size)
    return exported, read_dataset(exported.path)


def test_users_have_interactions_and_every_book_has_a_row(library):
    ann, bob, a, b, c = library
    Reader.objects.create(name="silent")
    _, dataset = export()
    assert dataset.users.ids([0, 1]) == [ann.pk, bob.pk]
    assert dataset.items.ids([0, 1, 2]) == [a.pk, b.pk, c.pk]
    assert dataset.matrix.toarray().tolist() == [[2.0, 0.5, 0.0], [-1.0, 3.0, 0.0]]
    assert dataset.relevant_events == ("view", "like", "finish")
    assert (dataset.users.kind, dataset.items.kind) == ("int", "uuid")


def test_features_stand_in_the_rows_of_their_ids(library):
    _, dataset = export(chunk_size=2)
    assert dataset.item_features.texts == ["a", "b", "c"]
    assert dataset.item_features.terms == [("genre=crime",)] * 3
    assert dataset.item_features.numbers.tolist() == [[100.0], [200.0], [300.0]]
    assert dataset.user_features.texts == ["I am Ann.", "I am Bob."]


def test_the_manifest_says_what_was_exported(library, root):
    exported, _ = export(since=date(2024, 1, 1))
    manifest = exported.manifest
    assert exported.path == root / "datasets" / "books" / manifest["fingerprint"]
    assert manifest["use_case"] == "books"
    assert manifest["counts"] == {
        "users": 2,
        "items": 3,
        "interactions": 4,
        "pairs": 4,
        "events": {"view": 1, "like": 1, "finish": 1, "dislike": 1},
    }
    assert manifest["time_range"] == ["2024-01-06T00:00:00+00:00", "2024-01-10T00:00:00+00:00"]
    assert manifest["event_weights"] == BooksForReaders.weights
    assert manifest["options"] == {"since": "2024-01-01T00:00:00+00:00", "until": None, "min_interactions": 0}


def test_equal_content_is_reused_not_rewritten(library):
    first, _ = export()
    before = (first.path / "manifest.json").stat().st_mtime_ns
    second, _ = export()
    assert (first.is_reused, second.is_reused) == (False, True)
    assert second.path == first.path
    assert second.manifest == first.manifest
    assert (first.path / "manifest.json").stat().st_mtime_ns == before
    assert [path.name for path in first.path.parent.iterdir()] == [first.path.name]


def test_a_damaged_folder_is_replaced(library):
    first, _ = export()
    (first.path / "user_ids.npy").unlink()
    again, dataset = export()
    assert (again.path, again.is_reused, dataset.n_users) == (first.path, False, 2)


def test_the_order_and_keys_of_the_rows_do_not_change_the_fingerprint(library):
    first, _ = export()
    rows = list(Reading.objects.order_by("-pk").values("reader_id", "book_id", "kind", "at"))
    Reading.objects.all().delete()
    Reading.objects.bulk_create(Reading(**row) for row in rows)
    assert export()[0].is_reused
    assert export(chunk_size=1)[0].path == first.path


def test_new_interactions_make_a_new_folder_and_keep_the_old(library):
    ann, _, _, _, c = library
    first, _ = export()
    Reading.objects.create(reader=ann, book=c, kind="view", at=DAY)
    second, _ = export()
    assert second.path != first.path
    assert len(read_dataset(first.path).interactions) == 4


def test_a_changed_text_makes_a_new_folder(library):
    first, _ = export()
    Book.objects.filter(title="c").update(blurb="now with words")
    assert export()[0].path != first.path


def test_since_is_included_and_until_is_not(library):
    _, dataset = export(since=DAY - timedelta(days=3), until=DAY)
    assert dataset.matrix.toarray().tolist() == [[0.0, 0.5, 0.0], [-1.0, 0.0, 0.0]]


def test_a_date_means_its_midnight(library):
    assert len(export(until=date(2024, 1, 8))[1].interactions) == 2
    assert len(export(since=date(2024, 1, 8))[1].interactions) == 2


def test_nothing_lies_between_a_late_since_and_an_early_until(library):
    with pytest.raises(DatasetError, match="Nothing lies between"):
        export(since=date(2024, 1, 8), until=date(2024, 1, 8))


def test_age_halves_weights_before_the_newest_interaction(library):
    _, dataset = export(use_case_with(half_life_days=2))
    assert np.allclose(dataset.matrix.toarray(), [[0.5, 0.5 * 2**-1.5, 0.0], [-0.5, 3.0, 0.0]])


def test_age_is_counted_from_until_where_it_is_given(library):
    _, dataset = export(use_case_with(half_life_days=2), until=DAY + timedelta(days=2))
    assert np.allclose(dataset.matrix.toarray(), [[0.25, 0.5 * 2**-2.5, 0.0], [-0.25, 1.5, 0.0]])


def test_users_with_too_few_interactions_are_left_out(library):
    ann, _, _, _, c = library
    for _ in range(2):  # the same event twice is one interaction
        Reading.objects.create(reader=ann, book=c, kind="view", at=DAY)
    _, dataset = export(min_interactions=3)
    assert dataset.users.ids([0]) == [ann.pk]
    assert dataset.matrix.toarray().tolist() == [[2.0, 0.5, 0.5]]
    assert dataset.user_features.texts == ["I am Ann."]


def test_unknown_events_and_rows_without_an_item_are_left_out(library):
    ann, _, a, b, _ = library
    Reading.objects.create(reader=ann, book=a, kind="sneeze", at=DAY)
    assert len(export()[1].interactions) == 4
    ann.account = User.objects.create(username="ann")
    ann.save()
    accounts = use_case_with(
        users=Book,
        items=User,
        interactions=source(user="book", item="reader__account"),
        **dict.fromkeys(("item_text", "item_categories", "item_numbers", "user_text"), ()),
    )
    _, dataset = export(accounts)
    assert dataset.users.ids([0, 1]) == [a.pk, b.pk]
    assert dataset.items.ids([0]) == [ann.account_id]
    assert dataset.matrix.toarray().tolist() == [[2.0], [0.5]]


def test_several_sources_constant_and_computed_events(library):
    kind = Case(When(kind="finish", then=Value("like")), default=None)
    use_case = use_case_with(
        weights={"apply": 4.0, "like": 2.0},
        interactions=[source(event=Value("apply"), strength=Value(0.5)), source(event=kind)],
    )
    exported, dataset = export(use_case, chunk_size=1)
    assert exported.manifest["counts"]["events"] == {"apply": 4, "like": 1}
    assert sorted(dataset.interactions.weights.tolist()) == [2.0] * 5


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"interactions": source(strength=Value(None))}, "'like' has weight 2 x strength nan"),
        ({"interactions": source(strength=Value(float("inf")))}, "'like' has weight 2 x strength inf"),
        ({"interactions": source(strength=Value(1e6))}, "'like' has weight 2 x strength 1e"),
        ({"weights": {"like": float("nan")}}, "'like' has weight nan"),
        ({"weights": {"like": float("inf")}}, "'like' has weight inf"),
    ],
)
def test_a_weight_that_is_no_number_is_refused_by_name(library, root, changes, shown):
    with pytest.raises(DatasetError, match="Use case 'books'") as raised:
        export(use_case_with(**changes))
    assert shown in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not root.exists()


@pytest.mark.parametrize("options", [{}, {"min_interactions": 5}])
def test_an_empty_table_is_refused_and_leaves_nothing(root, options):
    Book.objects.create(title="alone")
    with pytest.raises(DatasetError, match="has no interactions to export"):
        export(**options)
    assert not root.exists()


def test_an_unwritable_root_is_named(library, root):
    root.write_text("a file where the folder should be")
    with pytest.raises(DatasetError, match="ARTIFACT_ROOT"):
        export()
    assert root.read_text() == "a file where the folder should be"


def test_json_mappings_come_on_demand_even_into_a_folder_that_exists(library):
    ann, bob, a, b, c = library
    without, _ = export()
    assert not (without.path / "user_mapping.json").exists()
    exported, _ = export(json_mappings=True)
    assert (exported.path, exported.is_reused) == (without.path, True)
    assert json.loads((exported.path / "user_mapping.json").read_text()) == {str(ann.pk): 0, str(bob.pk): 1}
    assert json.loads((exported.path / "item_mapping.json").read_text()) == {str(a.pk): 0, str(b.pk): 1, str(c.pk): 2}


def test_the_number_of_queries_does_not_grow_with_the_rows(library, django_assert_num_queries):
    ann, _, _, _, c = library
    with django_assert_num_queries(8):  # tombstones, count, rows, keys of items, users, items, and a savepoint
        export()
    Reading.objects.bulk_create(Reading(reader=ann, book=c, kind="view") for _ in range(50))
    with django_assert_num_queries(8):
        export()


def test_progress_reaches_the_total(library):
    told = []
    export_dataset(get_use_case("books"), ExportOptions(), lambda *step: told.append(step), chunk_size=3)
    assert told == [
        (3, 4, "interactions"),
        (4, 4, "interactions"),
        (2, 2, "users"),
        (3, 3, "items"),
    ]


@pytest.mark.usefixtures("library")
def test_only_the_owner_and_the_group_may_look_into_a_dataset():
    exported, _ = export()
    assert exported.path.stat().st_mode & 0o777 == 0o750
