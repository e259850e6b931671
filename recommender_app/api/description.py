"""What our endpoints say of themselves in the OpenAPI schema, noted until somebody asks for it.

drf-spectacular's generator takes a process a tenth of a second to import, and most processes never describe anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def described(operation_id: str, responses: dict[Any, Any], **description: Any) -> Callable[[Any], Any]:
    """Note at a method what ``extend_schema`` will be told of it: ``openapi`` adds the examples."""

    def decorate(method: Any) -> Any:
        method.description = {"operation_id": operation_id, "responses": responses, **description}
        return method

    return decorate


class SchemaWhenAsked:
    """The ``schema`` of our views: a descriptor, as those of DRF are."""

    def __get__(self, view: Any, owner: Any) -> Any:
        """Return drf-spectacular's schema of a view whose methods it knows; of none where the class is asked."""
        from recommender_app.api.openapi import SCHEMA, extend_methods

        extend_methods(owner)
        return SCHEMA.__get__(view, owner)

    def __set__(self, view: Any, schema: Any) -> None:
        """Give one view another schema: the generator does so for each operation."""
        from recommender_app.api.openapi import SCHEMA

        SCHEMA.__set__(view, schema)
