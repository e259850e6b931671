"""What an error looks like: always JSON.

400: ``{"limit": ["why"]}``, one key per parameter that is wrong. Everything else:
``{"detail": "why"}``.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ValidationError

from recommender_app.exceptions import InvalidCursor, InvalidFilters, ItemNotFound, UnknownUseCase, UserNotFound
from recommender_app.serving.database import DATABASE_ERRORS


class Unavailable(APIException):
    """The requester cannot even be recognised."""

    status_code = 503
    default_detail = "The database cannot be reached; try again later."
    default_code = "unavailable"


class DetailSerializer(serializers.Serializer[Any]):
    """Every error but 400."""

    detail = serializers.CharField(help_text="One sentence that says what is wrong.")


class ParameterErrorsSerializer(serializers.Serializer[Any]):
    """400: the wrong parameters by name."""

    limit = serializers.ListField(child=serializers.CharField(), required=False)
    cursor = serializers.ListField(child=serializers.CharField(), required=False)


ERROR_RESPONSES = {
    400: OpenApiResponse(ParameterErrorsSerializer, "A parameter is wrong; the body names it."),
    401: OpenApiResponse(DetailSerializer, "Not logged in."),
    404: OpenApiResponse(DetailSerializer, "No such use case, or the login has no such user in it."),
    429: OpenApiResponse(DetailSerializer, "Too many requests; see the Retry-After header."),
    503: OpenApiResponse(DetailSerializer, "The database is needed to recognise the requester and cannot be reached."),
}


def as_http_error(error: Exception) -> Exception:
    """Return the HTTP error that an error of ours means; others are returned as they are."""
    if isinstance(error, UnknownUseCase | UserNotFound | ItemNotFound):
        return NotFound(str(error))
    if isinstance(error, InvalidCursor):
        return ValidationError({"cursor": [str(error)]})
    if isinstance(error, InvalidFilters):
        return ValidationError(error.errors)
    if isinstance(error, DATABASE_ERRORS):
        return Unavailable()
    return error
