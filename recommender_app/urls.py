"""The app's URLs, to be included by the host: ``path("api/", include("recommender_app.urls"))``."""

from django.urls import path

from recommender_app.api.when_asked import ViewWhenAsked

app_name = "recommender"
urlpatterns = [
    path(
        "recommendations/<str:use_case>/",
        ViewWhenAsked("recommender_app.api.views.RecommendationView"),
        name="recommendations",
    ),
    path(
        "recommendations/<str:use_case>/similar/<str:item>/",
        ViewWhenAsked("recommender_app.api.similar.SimilarItemsView"),
        name="similar",
    ),
    path(
        "recommendations/<str:use_case>/events/",
        ViewWhenAsked("recommender_app.api.events.EventsView"),
        name="events",
    ),
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
