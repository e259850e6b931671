"""Who is told of logins. What is done then is imported with the first one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver


@receiver(user_logged_in, dispatch_uid="recommender_merge_anonymous_events")
def merge_session(*, request: Any = None, **_kwargs: Any) -> None:
    """Merge what was done before the login; whatever fails, the login goes on."""
    from recommender_app.measurement.anonymous import COOKIE

    if COOKIE in getattr(request, "COOKIES", {}):
        from recommender_app.api.login import merge_session_of

        merge_session_of(request)
