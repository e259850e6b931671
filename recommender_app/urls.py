"""The app's URLs, to be included by the host: ``path("api/", include("recommender_app.urls"))``."""

from django.urls import path

from recommender_app.api.documentation import DocumentationView, SchemaView
from recommender_app.api.events import EventsView
from recommender_app.api.health import HealthView
from recommender_app.api.metrics import MetricsView
from recommender_app.api.similar import SimilarItemsView
from recommender_app.api.views import RecommendationView

app_name = "recommender"
urlpatterns = [
    path("recommendations/<str:use_case>/", RecommendationView.as_view(), name="recommendations"),
    path("recommendations/<str:use_case>/similar/<str:item>/", SimilarItemsView.as_view(), name="similar"),
    path("recommendations/<str:use_case>/events/", EventsView.as_view(), name="events"),
    path("recommender/metrics/", MetricsView.as_view(), name="metrics"),
    path("health/", HealthView.as_view(), name="health"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocumentationView.as_view(), name="docs"),
]
