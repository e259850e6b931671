"""The page at ``/``: what runs here, and where to go."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from recommender_app.usecases.site import all_use_cases


def landing(request: HttpRequest) -> HttpResponse:
    """Show the use cases and links to the API, its documentation and the admin."""
    use_cases = [
        {
            "label": use_case.label,
            "purpose": (type(use_case).__doc__ or "").strip().split("\n")[0],
            "url": reverse("recommender:recommendations", args=[use_case.key]),
            "events": ", ".join(use_case.weights),
        }
        for use_case in all_use_cases()
    ]
    return render(request, "landing.html", {"use_cases": use_cases})
