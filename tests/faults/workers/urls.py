"""The API alone."""

from django.urls import include, path

urlpatterns = [path("api/", include("recommender_app.urls"))]
