"""What an error looks like: always JSON, always ``{"detail": "why"}``.

Where parameters or fields of the body are wrong (400), ``errors`` names each: ``{"limit": ["why"]}``; fields
within each other are joined by dots (``events.3.item``).
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.http import UnreadablePostError
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from recommender_app.exceptions import (
    InvalidCursor,
    InvalidFilters,
    ItemNotFound,
    UnknownExperiment,
    UnknownUseCase,
    UserNotFound,
)
from recommender_app.serving.database import DATABASE_ERRORS


class Unavailable(APIException):
    """The requester cannot even be recognised."""

    status_code = 503
    default_detail = "The database cannot be reached; try again later."
    default_code = "unavailable"


class TooLarge(APIException):
    """The body is longer than anybody needs."""

    status_code = 413
    default_detail = "The body is too long; send less at once."
    default_code = "too_large"


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error."""

    detail = serializers.CharField(help_text="One sentence that says what is wrong.")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="400 only: each wrong parameter or field by name, with the reasons, dotted where nested.",
    )


WHOLE_BODY = "non_field_errors"  # REST framework's name of what is wrong with no field of its own

ERROR_RESPONSES = {
    400: OpenApiResponse(ErrorSerializer, "A parameter is wrong; `errors` names it."),
    401: OpenApiResponse(ErrorSerializer, "Not logged in."),
    404: OpenApiResponse(ErrorSerializer, "No such use case, or the login has no such user in it."),
    429: OpenApiResponse(ErrorSerializer, "Too many requests; see the Retry-After header."),
    503: OpenApiResponse(ErrorSerializer, "The database is needed to recognise the requester and cannot be reached."),
}
BODY_RESPONSES = {  # in addition, of endpoints that read a body
    400: OpenApiResponse(ErrorSerializer, "The body is no JSON that is accepted, or `errors` names what is wrong."),
    403: OpenApiResponse(ErrorSerializer, "A session without the CSRF token, or not allowed."),
    413: OpenApiResponse(ErrorSerializer, "The body is longer than 64 KB."),
    415: OpenApiResponse(ErrorSerializer, "The body is not application/json."),
}


def as_http_error(error: Exception) -> Exception:
    """Return the HTTP error that an error of ours, or of Django's reading, means; others are returned as they are."""
    if isinstance(error, UnknownUseCase | UnknownExperiment | UserNotFound | ItemNotFound):
        return NotFound(str(error))
    if isinstance(error, InvalidCursor):
        return ValidationError({"cursor": [str(error)]})
    if isinstance(error, InvalidFilters):
        return ValidationError(error.errors)
    if isinstance(error, DATABASE_ERRORS):
        return Unavailable()
    if isinstance(error, UnreadablePostError):
        return ParseError("The body ended too early.")
    if isinstance(error, TooManyFieldsSent):
        return ParseError("The request has more parameters than are read.")
    return error


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an error in our one shape, whatever EXCEPTION_HANDLER the host has; None if unforeseen."""
    error = as_http_error(error)
    response = exception_handler(error, context)
    if response is not None and isinstance(error, ValidationError):
        errors = flat(response.data)
        name, reasons = next(iter(errors.items()))
        told = reasons[0] if name == WHOLE_BODY else f"{name}: {reasons[0]}"
        response.data = {"detail": told, "errors": errors}
    return response


def flat(errors: Any, path: str = "") -> dict[str, list[str]]:
    """Return a serializer's errors, which are nested as its fields are, as {path: reasons}."""
    if isinstance(errors, list) and not any(isinstance(inner, dict | list) for inner in errors):
        return {path or WHOLE_BODY: [str(reason) for reason in errors]} if errors else {}
    inside = errors.items() if isinstance(errors, dict) else enumerate(errors)
    found: dict[str, list[str]] = {}
    for name, inner in inside:
        found |= flat(inner, f"{path}.{name}" if path else str(name))
    return found
