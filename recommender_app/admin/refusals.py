"""Pages that say in one line what only storing found out; nothing is stored then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from recommender_app.exceptions import RecommenderError


class SaysRefusals:
    """For a ModelAdmin whose rows may be frozen between the page and the post."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say why a change was refused."""
        return _said(super().changeform_view, request, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say why a deletion was refused."""
        return _said(super().delete_view, request, *args, **kwargs)  # type: ignore[misc]


def _said(view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except (RecommenderError, ValidationError) as error:
        text = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        messages.error(request, text)
        return HttpResponseRedirect(request.get_full_path())
