"""MovieLens-100k as plain records, whatever files it came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class MovieLensError(Exception):
    """The data cannot be found or read; the message is one line that says what to do."""


class ViewerRecord(NamedTuple):
    """A person: MovieLens number, age in years, F or M, occupation."""

    id: int
    age: int
    gender: str
    occupation: str


class MovieRecord(NamedTuple):
    """A movie: MovieLens number, readable title, year of release if known, genres."""

    id: int
    title: str
    release_year: int | None
    genres: tuple[str, ...]


class RatingRecord(NamedTuple):
    """One to five stars, with the time they were given."""

    viewer_id: int
    movie_id: int
    stars: int
    rated_at: datetime


@dataclass(frozen=True)
class MovieLens:
    """The whole data set."""

    viewers: list[ViewerRecord]
    movies: list[MovieRecord]
    ratings: list[RatingRecord]
