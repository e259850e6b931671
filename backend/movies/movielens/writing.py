"""The records into the tables; what is there already stays."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction

from backend.movies.models import Genre, Movie, Rating, Viewer
from backend.movies.movielens.records import MovieLens, MovieRecord, RatingRecord, ViewerRecord

BATCH = 2_000
Advance = Callable[[int], Any]  # called with the number of rows just written


@dataclass(frozen=True)
class Written:
    """How many rows are new."""

    viewers: int
    movies: int
    ratings: int


@transaction.atomic
def write_movielens(data: MovieLens, advance: Advance = lambda n: None) -> Written:
    """Write everything in one transaction; a second time adds nothing.

    Titles, years and genres follow the source; a rating that is there already is kept, since
    the viewer may have changed it on the site. ``advance`` counts ratings.
    """
    before = _counts()
    write_viewers(data.viewers)
    write_movies(data.movies)
    known = set(Rating.objects.values_list("viewer_id", "movie_id"))
    for batch in _batches(data.ratings):
        new = [Rating(**record._asdict()) for record in batch if (record.viewer_id, record.movie_id) not in known]
        Rating.objects.bulk_create(new, ignore_conflicts=True)
        advance(len(batch))
    after = _counts()
    return Written(*(new - old for new, old in zip(after, before, strict=True)))


def account_name(viewer_id: int) -> str:
    """Return the login name of a viewer."""
    return f"viewer-{viewer_id}"


def write_viewers(records: Sequence[ViewerRecord]) -> None:
    """Create missing viewers, each with a login nobody can enter by password."""
    known = set(Viewer.objects.values_list("pk", flat=True))
    new = [record for record in records if record.id not in known]
    names = [account_name(record.id) for record in new]
    accounts = get_user_model()._default_manager
    accounts.bulk_create(
        [accounts.model(username=name, password=make_password(None)) for name in names],
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    ids = dict(accounts.filter(username__startswith="viewer-").values_list("username", "pk"))
    Viewer.objects.bulk_create(
        [Viewer(**record._asdict(), account_id=ids[name]) for record, name in zip(new, names, strict=True)],
        batch_size=BATCH,
    )


def write_movies(records: Sequence[MovieRecord]) -> None:
    """Create missing movies, correct titles and years that differ, link genres."""
    known = {pk: (title, year) for pk, title, year in Movie.objects.values_list("pk", "title", "release_year")}
    changed = [record for record in records if known.get(record.id) != (record.title, record.release_year)]
    Movie.objects.bulk_create(
        [Movie(id=record.id, title=record.title, release_year=record.release_year) for record in changed],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["title", "release_year", "updated_at"],
    )
    _link_genres(records)


def _link_genres(records: Sequence[MovieRecord]) -> None:
    names = sorted({name for record in records for name in record.genres})
    Genre.objects.bulk_create([Genre(name=name) for name in names], ignore_conflicts=True)
    ids = dict(Genre.objects.values_list("name", "pk"))
    link = Movie.genres.through
    link._default_manager.bulk_create(
        [link(movie_id=record.id, genre_id=ids[name]) for record in records for name in record.genres],
        batch_size=BATCH,
        ignore_conflicts=True,
    )


def _batches(records: Iterable[RatingRecord]) -> Iterable[list[RatingRecord]]:
    rows = iter(records)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _counts() -> tuple[int, int, int]:
    return Viewer.objects.count(), Movie.objects.count(), Rating.objects.count()
