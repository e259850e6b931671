"""Views whose code is imported when somebody asks for them, or at the start of a process that serves."""

from __future__ import annotations

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
        self._view: Any = None

    def _imported(self) -> Any:
        """Return the view; two threads that ask at once may make it twice, which is the same."""
        if self._view is None:
            self._view = import_string(self._path).as_view()
        return self._view

    def __call__(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a request."""
        response: HttpResponseBase = self._imported()(*args, **kwargs)
        return response

    def __getattr__(self, name: str) -> Any:
        # The former for messages: to list the URLs would import the view. The latter a copy lacks while it is made.
        if name in ("view_class", "__name__", "_path", "_view"):
            raise AttributeError(name)
        return getattr(self._imported(), name)
