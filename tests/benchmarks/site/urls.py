"""The recommender's endpoints beside the plain view that they are compared with."""

from django.urls import include, path

from tests.benchmarks.site.views import PlainView, TouchView

urlpatterns = [
    path("plain/", PlainView.as_view()),
    path("touch/", TouchView.as_view()),
    path("api/", include("recommender_app.urls")),
]
