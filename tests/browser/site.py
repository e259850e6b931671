"""Pages of a host that shows lists, under a policy that forbids everything inline."""

from django.http import HttpResponse
from django.template import engines
from django.urls import include, path
from django.views.decorators.csrf import ensure_csrf_cookie

from tests.browser.pages import PAGES

POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'"


@ensure_csrf_cookie
def page(request, name):
    """Show one of the pages."""
    response = HttpResponse(engines["django"].from_string(PAGES[name]).render({}, request))
    response.headers["Content-Security-Policy"] = POLICY
    return response


def book(request, pk):
    """Show what a list leads to."""
    return HttpResponse("<title>A book</title>")


urlpatterns = [
    path("api/", include("recommender_app.urls")),
    path("pages/<str:name>/", page),
    path("books/<uuid:pk>/", book),
]
