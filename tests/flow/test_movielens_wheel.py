"""The real 100,000 ratings, from the recbole wheel or the official files."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from backend.movies.models import Movie, Rating, Viewer
from backend.movies.movielens.records import MovieLensError
from backend.movies.movielens.source import fetch_wheel, read_movielens
from recommender_app.dataset.folder import read_dataset
from recommender_app.training.export import export_dataset
from recommender_app.training.gate_pushed import find_pushed
from recommender_app.usecases.history import load_history
from recommender_app.usecases.site import get_use_case


@pytest.fixture(scope="module")
def movielens_path():
    named = os.environ.get("MOVIELENS_SOURCE")
    if named:
        return Path(named)
    try:
        return fetch_wheel(settings.BASE_DIR / ".demo")
    except MovieLensError as error:
        pytest.skip(f"MovieLens-100k is not here: {error}")


@pytest.mark.realdata
def test_every_record_is_read_and_readable(movielens_path):
    data = read_movielens(movielens_path)
    assert (len(data.viewers), len(data.movies), len(data.ratings)) == (943, 1682, 100_000)
    titles = {movie.id: (movie.title, movie.release_year) for movie in data.movies}
    assert titles[12] == ("The Usual Suspects", 1995)
    assert titles[543] == ("Les Misérables", 1995)
    assert titles[1412] == ("Land Before Time III: The Time of the Great Giving", 1995)
    assert [number for number, (_, year) in titles.items() if year is None] == [267]
    assert len({genre for movie in data.movies for genre in movie.genres}) == 18
    assert {rating.stars for rating in data.ratings} == {1, 2, 3, 4, 5}


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.django_db
def test_the_whole_set_is_loaded_and_understood(movielens_path):
    call_command("load_movielens", source=movielens_path, verbosity=0)
    assert (Viewer.objects.count(), Movie.objects.count(), Rating.objects.count()) == (943, 1682, 100_000)
    assert find_pushed(read_dataset(export_dataset(get_use_case("movies")).path), 20) == []
    viewer = Viewer.objects.get(pk=1)
    history = load_history(get_use_case("movies"), viewer, limit=1_000)
    assert history.interaction_count == viewer.ratings.count() == 272
    assert set(history.weights.tolist()) == {3.0, 2.0, 1.0, -1.0, -3.0}
