"""A page for viewers."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def movies(request: HttpRequest) -> HttpResponse:
    """Show the page; the script in it asks for the movies. A click is no rating, so it reports none."""
    return render(request, "movies/movies.html")
