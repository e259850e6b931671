"""Movies, the viewers who rate them, and the ratings."""

from backend.movies.models.movie import Genre, Movie
from backend.movies.models.rating import Rating
from backend.movies.models.viewer import Viewer

__all__ = ["Genre", "Movie", "Rating", "Viewer"]
