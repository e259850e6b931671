"""What the movies' declaration means."""

import pytest
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from django.utils import timezone

from backend.movies.filters import MovieFilter
from backend.movies.models import Genre, Movie, Rating, Viewer
from recommender_app.exceptions import UserNotFound
from recommender_app.usecases.eligibility import eligible_items, newest_eligible
from recommender_app.usecases.history import load_history
from recommender_app.usecases.site import get_use_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def movies():
    return get_use_case("movies")


@pytest.fixture
def viewer():
    return Viewer.objects.create(id=7, age=30, account=get_user_model().objects.create(username="seven"))


def films(n):
    return [
        Movie.objects.create(id=number, title=f"film {number}", release_year=1990 + number)
        for number in range(1, n + 1)
    ]


@pytest.mark.parametrize(("stars", "weight"), [(5, 3.0), (4, 2.0), (3, 1.0), (2, -1.0), (1, -3.0)])
def test_stars_become_graded_weights(movies, viewer, stars, weight):
    Rating.objects.create(viewer=viewer, movie=films(1)[0], stars=stars)
    assert load_history(movies, viewer, 10).weights.tolist() == [weight]


@pytest.mark.parametrize("stars", [1, 3, 5])
def test_a_rated_movie_is_never_offered_again(movies, viewer, stars):
    seen, unseen = films(2)
    Rating.objects.create(viewer=viewer, movie=seen, stars=stars)
    assert set(eligible_items(movies, viewer, [seen.pk, unseen.pk])) == {unseen.pk}
    assert newest_eligible(movies, viewer, 10) == [unseen]


def test_the_newest_release_comes_first(movies, viewer):
    films(3)
    assert [movie.pk for movie in newest_eligible(movies, viewer, 2)] == [3, 2]
    assert [movie.pk for movie in newest_eligible(movies, viewer, 2, exclude_ids=[3])] == [2, 1]


@pytest.mark.parametrize(("event", "weight"), [("like", 2.0), ("click", 1.0), ("dislike", -1.0)])
def test_a_recorded_event_is_read_back_as_that_event(movies, viewer, event, weight):
    movies.record(viewer, films(1)[0], event, timezone.now())
    assert load_history(movies, viewer, 10).weights.tolist() == [weight]


def test_an_opinion_replaces_a_rating_and_a_click_does_not(movies, viewer):
    film = films(1)[0]
    Rating.objects.create(viewer=viewer, movie=film, stars=5)
    movies.record(viewer, film, "click", timezone.now())
    assert Rating.objects.get().stars == 5
    movies.record(viewer, film, "dislike", timezone.now())
    assert Rating.objects.get().stars == 2


def test_a_login_is_its_viewer_and_a_login_without_one_is_nobody(movies, viewer):
    request = RequestFactory().get("/")
    request.user = viewer.account
    assert movies.get_user(request) == viewer
    request.user = get_user_model().objects.create(username="other")
    with pytest.raises(UserNotFound):
        movies.get_user(request)


@pytest.mark.parametrize(
    ("asked", "found"), [({"genre": "drama"}, [1, 2]), ({"year_from": 1992}, [2, 3]), ({"year_to": 1991}, [1])]
)
def test_filters_select_movies_each_once(asked, found):
    one, two, _three = films(3)
    one.genres.add(Genre.objects.create(name="Drama"), Genre.objects.create(name="War"))
    two.genres.add(Genre.objects.get(name="Drama"))
    chosen = MovieFilter(asked, Movie.objects.order_by("pk"))
    assert chosen.is_valid()
    assert [movie.pk for movie in chosen.qs] == found
