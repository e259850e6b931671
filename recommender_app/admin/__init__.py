"""Read-only pages of what the app itself writes, promote and roll back as actions; policies and rules can be edited."""

from recommender_app.admin import (  # noqa: F401  they register
    business_rules,
    daily_numbers,
    experiments,
    experiments_phases,
    experiments_rows,
    model_versions,
    policies,
    release_changes,
    releases,
    request_log,
    training_runs,
    tuned_configs,
)
