"""Views whose code is imported when somebody asks for them, or at the start of a process that serves."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string


class ViewWhenAsked:
    """A view that commands never show, and most servers not either: for staff, or with the generator of schemas.

    Whatever Django and DRF ask of a view before they call it, the view itself answers.

    Args:
        path: dotted path of the view's class.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    @cached_property
    def _view(self) -> Any:
        return import_string(self._path).as_view()

    def __call__(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a request."""
        response: HttpResponseBase = self._view(*args, **kwargs)
        return response

    def __getattr__(self, name: str) -> Any:
        if name in ("view_class", "__name__"):  # for messages; to list the URLs would import the view
            raise AttributeError(name)
        return getattr(self._view, name)
