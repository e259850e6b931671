"""What our endpoints say of themselves in the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework.settings import api_settings


def described(**description: Any) -> Callable[[Any], Any]:
    """Return ``extend_schema`` that also works where the host's DEFAULT_SCHEMA_CLASS is DRF's own.

    ``extend_schema`` alone builds on that class, and the schema could not be generated.
    """

    def decorate(method: Any) -> Any:
        hosts: Any = api_settings.DEFAULT_SCHEMA_CLASS
        method.kwargs = {"schema": hosts if issubclass(hosts, AutoSchema) else AutoSchema}
        return extend_schema(**description)(method)

    return decorate
