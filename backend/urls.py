"""Where everything is."""

from django.contrib import admin
from django.urls import include, path

from backend.landing import landing

urlpatterns = [
    path("", landing, name="landing"),
    path("admin/", admin.site.urls),
    path("api/", include("recommender_app.urls")),
    path("api-auth/", include("rest_framework.urls")),
]
