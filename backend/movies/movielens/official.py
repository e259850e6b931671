"""The official files: u.data, u.item and u.user of ml-100k, in Latin-1."""

from collections.abc import Mapping
from datetime import UTC, datetime

from backend.movies.movielens.records import MovieLens, MovieRecord, RatingRecord, ViewerRecord
from backend.movies.movielens.titles import readable_title, split_year

FILES = ("u.data", "u.item", "u.user")

# The columns of u.item after the fifth; the first stands for "unknown".
GENRES = (
    "", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip


def read_official(files: Mapping[str, bytes]) -> MovieLens:
    """Return the records of the three files, given as {name: content}."""
    lines = {name: files[name].decode("latin-1").splitlines() for name in FILES}
    return MovieLens(
        viewers=[_viewer(line) for line in lines["u.user"] if line],
        movies=[_movie(line) for line in lines["u.item"] if line],
        ratings=[_rating(line) for line in lines["u.data"] if line],
    )


def _viewer(line: str) -> ViewerRecord:
    number, age, gender, occupation, _zip = line.split("|")
    return ViewerRecord(int(number), int(age), gender, occupation)


def _movie(line: str) -> MovieRecord:
    number, title, date, _video_date, _url, *flags = line.split("|")
    title, year = split_year(title)
    if year is None and date:
        year = int(date[-4:])
    genres = tuple(name for name, flag in zip(GENRES, flags, strict=True) if flag == "1" and name)
    return MovieRecord(int(number), readable_title(title), year, genres)


def _rating(line: str) -> RatingRecord:
    viewer, movie, stars, seconds = line.split("\t")
    return RatingRecord(int(viewer), int(movie), int(stars), datetime.fromtimestamp(int(seconds), UTC))
