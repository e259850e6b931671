"""The same data as the recbole wheel carries it: tab-separated ml-100k.inter, .item and .user."""

from collections.abc import Mapping
from datetime import UTC, datetime

from backend.movies.movielens.records import MovieLens, MovieRecord, RatingRecord, ViewerRecord
from backend.movies.movielens.titles import readable_title, split_year

FILES = ("ml-100k.inter", "ml-100k.item", "ml-100k.user")


def read_recbole(files: Mapping[str, bytes]) -> MovieLens:
    """Return the records of the three files, given as {name: content}."""
    ratings, movies, viewers = (_rows(files[name]) for name in FILES)
    return MovieLens(
        viewers=[ViewerRecord(int(row[0]), int(row[1]), row[2], row[3]) for row in viewers],
        movies=[_movie(row) for row in movies],
        ratings=[_rating(row) for row in ratings],
    )


def _rows(content: bytes) -> list[list[str]]:
    lines = content.decode("utf-8").splitlines()[1:]  # the first line names the columns
    return [line.split("\t") for line in lines if line]


def _movie(row: list[str]) -> MovieRecord:
    number, title, year, genres = row
    title, year_in_title = split_year(title)  # one movie has a "V" for video where the year belongs
    release_year = int(year) if year.isdecimal() else year_in_title
    title = readable_title(title).replace("unkonwn", "unknown")
    return MovieRecord(int(number), title, release_year, tuple(g for g in genres.split() if g != "unknown"))


def _rating(row: list[str]) -> RatingRecord:
    viewer, movie, stars, seconds = row
    return RatingRecord(int(viewer), int(movie), int(float(stars)), datetime.fromtimestamp(float(seconds), UTC))
