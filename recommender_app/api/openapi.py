"""Our endpoints' descriptions as drf-spectacular reads them. Imported when a schema is asked for."""

from __future__ import annotations

import threading
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.settings import api_settings

from recommender_app.api.examples import examples_of

SCHEMA = AutoSchema()
_once = threading.Lock()


def extend_methods(view: Any) -> None:
    """Hand the descriptions of a view class's methods to drf-spectacular, once."""
    with _once:
        for name in view.http_method_names:
            method: Any = getattr(view, name, None)
            if hasattr(method, "description") and not hasattr(method, "kwargs"):
                _extend(method, **method.description)


def _extend(method: Any, operation_id: str, responses: dict[Any, Any], **description: Any) -> None:
    """Call ``extend_schema`` so that it works where the host's DEFAULT_SCHEMA_CLASS is DRF's own, too.

    ``extend_schema`` alone builds on that class, and the schema could not be generated.
    """
    hosts: Any = api_settings.DEFAULT_SCHEMA_CLASS
    method.kwargs = {"schema": hosts if issubclass(hosts, AutoSchema) else AutoSchema}
    shown = [*description.pop("examples", ()), *examples_of(operation_id)]
    answers = {status: _with_words(response) for status, response in responses.items()}
    extend_schema(operation_id, examples=shown, responses=answers, **description)(method)


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
