"""System checks: what is wrong with the settings or a declaration, found before the first request.

None queries the database or imports what training needs. Ids are stable: a host may list them in
``SILENCED_SYSTEM_CHECKS``. E001 to E009 settings, E010 to W018 use cases, W019 trainers, E020 to W024
interactions, E030 to E034 events, E035 to E039 feedback, E040 to W046 fields, E050 to E055 the host's classes,
E060 to E065 business rules, E070 to W080 Celery, W101 to W107 advice of ``check --deploy``.
A web server registers the checks and never runs them: what they need is imported when they run.
"""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, register

from recommender_app.usecases import site

TAG = "recommender"


@register(TAG)
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check ``settings.RECOMMENDER`` and what it depends on."""
    from recommender_app.checks.celery import celery_problems
    from recommender_app.checks.settings import settings_problems
    from recommender_app.checks.switches import switch_problems
    from recommender_app.checks.trainers import trainer_problems

    return [*settings_problems(), *trainer_problems(), *switch_problems(), *celery_problems()]


@register(TAG)
def check_use_cases(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check every registered declaration."""
    from recommender_app.checks.declarations import declaration_problems, duplicate_problems, undeclared_problems
    from recommender_app.checks.rules import unreadable_problems

    use_cases = site.all_use_cases()
    problems = unreadable_problems(site.unreadable()) or undeclared_problems(use_cases)
    problems += duplicate_problems(site.duplicates())
    for use_case in use_cases:
        problems += declaration_problems(use_case)
    return problems


@register(TAG, deploy=True)
def check_deployment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Advise those who run ``check --deploy``."""
    from recommender_app.checks.broker import broker_advice
    from recommender_app.checks.deployment import deployment_advice
    from recommender_app.checks.spool import spool_advice

    return [*deployment_advice(), *broker_advice(), *spool_advice()]
