"""The app's URLs, to be included by the host: ``path("api/", include("recommender_app.urls"))``."""

from django.urls import path

from recommender_app.api.events import EventsView
from recommender_app.api.similar import SimilarItemsView
from recommender_app.api.views import RecommendationView
from recommender_app.api.when_asked import ViewWhenAsked

app_name = "recommender"
urlpatterns = [
    path("recommendations/<str:use_case>/", RecommendationView.as_view(), name="recommendations"),
    path("recommendations/<str:use_case>/similar/<str:item>/", SimilarItemsView.as_view(), name="similar"),
    path("recommendations/<str:use_case>/events/", EventsView.as_view(), name="events"),
    path("recommender/metrics/", ViewWhenAsked("recommender_app.api.metrics.MetricsView"), name="metrics"),
    path(
        "recommender/experiments/<str:experiment>/",
        ViewWhenAsked("recommender_app.api.experiments.ExperimentView"),
        name="experiment",
    ),
    path("health/", ViewWhenAsked("recommender_app.api.health.HealthView"), name="health"),
    path("schema/", ViewWhenAsked("recommender_app.api.documentation.SchemaView"), name="schema"),
    path("docs/", ViewWhenAsked("recommender_app.api.documentation.DocumentationView"), name="docs"),
]
