"""Where everything is."""

from django.contrib import admin
from django.urls import include, path

from backend.landing import landing
from backend.marketplace.views import startup, startups
from backend.movies.views import movies

urlpatterns = [
    path("", landing, name="landing"),
    path("startups/", startups, name="startups"),
    path("startups/<uuid:pk>/", startup, name="startup"),
    path("movies/", movies, name="movies"),
    path("admin/", admin.site.urls),
    path("api/", include("recommender_app.urls")),
    path("api-auth/", include("rest_framework.urls")),
]

handler400 = "recommender_app.api.handlers.bad_request"
handler404 = "recommender_app.api.handlers.not_found"
handler500 = "recommender_app.api.handlers.server_error"
