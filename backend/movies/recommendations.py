"""Which movies are recommended to whom, and learned from what."""

from datetime import datetime
from typing import Any

from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest

from backend.movies.filters import MovieFilter
from backend.movies.models import Movie, Rating, Viewer
from backend.movies.serializers import MovieSerializer
from recommender_app import Interactions, UseCase, register
from recommender_app.exceptions import UserNotFound

STARS_OF_EVENT = {"like": 4, "click": 3, "dislike": 2}  # how an event of the API becomes a rating
RANGE_OF_EVENT = {"like": (4, 5), "dislike": (1, 2)}  # what is taken back


@register
class MoviesForViewers(UseCase):
    """Movies for viewers, learned from their ratings."""

    key = "movies"
    users = Viewer
    items = Movie
    interactions = Interactions(
        Rating,
        user="viewer",
        item="movie",
        event=Case(
            When(stars__gte=4, then=Value("like")),
            When(stars=3, then=Value("click")),
            default=Value("dislike"),
        ),
        at="rated_at",
        # With the weights below: 5 stars 3.0, 4 stars 2.0, 3 stars 1.0, 2 stars -1.0, 1 star -3.0.
        strength=Case(
            When(stars=5, then=Value(1.5)),
            When(stars=1, then=Value(3.0)),
            default=Value(1.0),
        ),
    )
    weights = {"like": 2.0, "click": 1.0, "dislike": -1.0}
    conversions = ("like",)
    relevant_events = ("like",)
    hide_after = ("like", "click", "dislike")  # whoever rated a movie has seen it
    item_text = ("title",)
    item_categories = ("genres__name",)
    item_numbers = ("release_year",)
    user_categories = ("gender", "occupation", "age_group")
    user_numbers = ("age",)
    changed_at = "updated_at"
    newest_first = ("-release_year", "pk")
    filterset_class = MovieFilter
    item_serializer = MovieSerializer
    undo = {"unlike": "like", "undislike": "dislike"}
    max_events_per_user_day = 0  # MovieLens was rated in long sittings
    gate = {"POPULARITY_TOLERANCE": 0.1}  # on the newest days of so few viewers ALS is worse than trending

    def get_items(self, user: Viewer) -> QuerySet[Movie]:
        """Every movie; genres come along for the serializer."""
        return Movie.objects.prefetch_related("genres")

    def get_user(self, request: HttpRequest) -> Viewer:
        """The viewer of the login."""
        viewer = Viewer.objects.filter(account=request.user.pk).first()
        if viewer is None:
            raise UserNotFound("This login belongs to no viewer.")
        return viewer

    def record(self, user: Viewer, item: Movie, event: str, at: datetime) -> Any:
        """A rating; an opinion replaces the earlier rating, a mere click does not."""
        values = {"stars": STARS_OF_EVENT[event], "rated_at": at}
        if event == "click":
            rating, _ = Rating.objects.get_or_create(viewer=user, movie=item, defaults=values)
        else:
            rating, _ = Rating.objects.update_or_create(viewer=user, movie=item, defaults=values)
        return rating

    def record_rating(self, user: Viewer, item: Movie, rating: int, at: datetime) -> Any:
        """The stars; they replace the earlier rating."""
        values = {"stars": rating, "rated_at": at}
        return Rating.objects.update_or_create(viewer=user, movie=item, defaults=values)[0]

    def undo_event(self, user: Viewer, item: Movie, event: str) -> Any:
        """The rating goes, if it says what is taken back."""
        return Rating.objects.filter(viewer=user, movie=item, stars__range=RANGE_OF_EVENT[event]).delete()

    def forget(self, user_id: int) -> int:
        """The viewer's ratings go."""
        return Rating.objects.filter(viewer_id=user_id).delete()[0]
