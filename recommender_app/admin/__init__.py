"""Read-only pages of what the app itself writes, promote and roll back as actions; policies and rules can be edited."""

from recommender_app.admin import business_rules, model_versions, policies, releases, request_log, training_runs  # noqa: F401  they register
