"""``{% load recommender %}{% recommendations "developer_startup" limit=5 as startups %}``."""

from __future__ import annotations

from typing import Any

from django import template

from recommender_app.exceptions import ConfigurationError
from recommender_app.measurement.anonymous import COOKIE, session_of
from recommender_app.serving.objects import RecommendedObjects, objects_for_request

register = template.Library()


@register.simple_tag(takes_context=True)
def recommendations(context: Any, use_case: str, limit: int | None = None) -> RecommendedObjects:
    """Return what to show the requester: the host's objects, each with ``.recommendation`` (rank, source, reason).

    Whoever has not logged in sees what anybody may see where the use case says ``allow_anonymous_lists``: of a session
    that the API began (its cookie), what the session did, and it is logged; a template can hand over no cookie, so that
    a newcomer's list is not logged.

    Else nobody logged in, a login without such a user, no model, no database: an empty or shorter list, and a line in
    the log. A use case or a limit that does not exist is the template's mistake and raises.
    """
    request = context.get("request")
    if request is None:
        raise ConfigurationError(
            "{% recommendations %} needs the request in its context: render the template with the request, and "
            "add 'django.template.context_processors.request' to the context_processors of TEMPLATES."
        )
    signed = request.COOKIES.get(COOKIE)
    return objects_for_request(request, use_case, limit, session=session_of(signed) if signed else None)
