"""The app's URLs, to be included by the host: ``path("api/", include("recommender_app.urls"))``."""

app_name = "recommender"
urlpatterns: list = []
