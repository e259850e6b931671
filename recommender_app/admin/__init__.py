"""Read-only pages for runs, versions, releases and the request log; promote and roll back as actions."""

from recommender_app.admin import model_versions, releases, request_log, training_runs  # noqa: F401  they register
