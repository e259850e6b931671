"""What Django itself answers (400, 404, 500) as JSON below the API's prefix.

To be named in the host's root URLconf, if it likes: ``handler404 = "recommender_app.api.handlers.not_found"``,
and ``handler400`` and ``handler500`` likewise. Elsewhere Django's own pages stay.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.views import defaults


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refuses to read."""
    if is_below_the_api(request):
        return JsonResponse({"detail": "The request cannot be read."}, status=400)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer where no URL fits."""
    if is_below_the_api(request):
        return JsonResponse({"detail": "There is nothing at this address."}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Answer after an error that nobody foresaw; Django has logged it."""
    if is_below_the_api(request):
        return JsonResponse({"detail": "Something went wrong on the server; it has been noted."}, status=500)
    return defaults.server_error(request)


def is_below_the_api(request: HttpRequest) -> bool:
    """Return whether the address begins like those of our endpoints."""
    try:
        return request.path.startswith(reverse("recommender:schema").removesuffix("schema/"))
    except NoReverseMatch:  # included under another namespace
        return False
