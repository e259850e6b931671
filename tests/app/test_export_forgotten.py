"""Whoever is forgotten is in no export, neither as a user nor as an item."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from recommender_app.dataset.folder import read_dataset
from recommender_app.exceptions import ConfigurationError
from recommender_app.registry.tombstones import bury
from recommender_app.training.export import export_dataset
from recommender_app.training.export_options import ExportOptions
from recommender_app.usecases.site import get_use_case
from tests.toyhost.models import Book, Reader, Reading

pytestmark = pytest.mark.django_db
DAY = datetime(2024, 1, 10, tzinfo=UTC)


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


def test_a_forgotten_reader_is_in_no_export(library):
    ann, bob, a, b, c = library
    bury(Reader, ann.pk, by="test")
    exported, dataset = export()
    assert dataset.users.ids([0]) == [bob.pk]
    assert dataset.n_users == 1
    assert dataset.items.ids(range(3)) == [a.pk, b.pk, c.pk]
    assert dataset.matrix.toarray().tolist() == [[-1.0, 3.0, 0.0]]
    assert dataset.user_features.texts == ["I am Bob."]
    assert b"Ann" not in b"".join(path.read_bytes() for path in exported.path.iterdir())


def test_what_is_recommended_can_be_forgotten_too_with_whoever_met_nothing_else(library):
    ann, bob, a, b, c = library
    Reading.objects.filter(reader=bob, book=b).delete()
    bury(Book, a.pk, by="test")
    _, dataset = export()
    assert dataset.items.ids(range(2)) == [b.pk, c.pk]
    assert (dataset.n_users, dataset.users.ids([0])) == (1, [ann.pk])
    assert dataset.matrix.toarray().tolist() == [[0.5, 0.0]]


@pytest.mark.usefixtures("library")
def test_an_export_refuses_while_it_cannot_tell_who_is_forgotten(settings):
    bury(Reader, 7, by="test")
    settings.SECRET_KEY = "another" * 10
    with pytest.raises(ConfigurationError, match="SECRET_KEY_FALLBACKS"):
        export()
