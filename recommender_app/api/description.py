"""What our endpoints say of themselves in the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.settings import api_settings

from recommender_app.api.examples import examples_of


def described(operation_id: str, responses: dict[int, Any], **description: Any) -> Callable[[Any], Any]:
    """Return ``extend_schema`` with examples that also works where the host's DEFAULT_SCHEMA_CLASS is DRF's own.

    ``extend_schema`` alone builds on that class, and the schema could not be generated.
    """

    def decorate(method: Any) -> Any:
        hosts: Any = api_settings.DEFAULT_SCHEMA_CLASS
        method.kwargs = {"schema": hosts if issubclass(hosts, AutoSchema) else AutoSchema}
        shown = [*description.pop("examples", ()), *examples_of(operation_id)]
        answers = {status: _with_words(response) for status, response in responses.items()}
        return extend_schema(operation_id, examples=shown, responses=answers, **description)(method)

    return decorate


def _with_words(response: Any) -> Any:
    """Return a response that says what it is, by the first line of its serializer's docstring if by nothing else."""
    if isinstance(response, OpenApiResponse):
        return response
    return OpenApiResponse(response, (response.__doc__ or "").split("\n")[0])


class PostedEventExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """An event with a field that we do not know is refused, and the schema says so."""

    target_class = "recommender_app.api.posted_events.EventSerializer"

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return the schema of an event."""
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class FilterParametersExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A site without filters has none to describe; the generator alone would stumble over that."""

    target_class = "recommender_app.api.parameters.FilterParameters"

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return the schema of the filters, of none where there are none."""
        return {"properties": {}, **auto_schema._map_serializer(self.target, direction, bypass_extensions=True)}
