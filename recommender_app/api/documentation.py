"""The API's own description: OpenAPI, and a page to try it. Works in a host that uses neither.

The views of drf-spectacular that do the work are imported when somebody asks: see ``description``.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import include, path
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.settings import spectacular_settings
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommender_app import __version__
from recommender_app.api.throttling import SchemaThrottle

OUR_INFO = {"title": "Recommendations", "version": __version__}  # where the host gives its API no name


class SelfDescribingView(APIView):
    """Who may read what we say of ourselves is the host's decision (SERVE_…), as for any other schema view."""

    schema = None  # not an endpoint to describe, whatever the host's DEFAULT_SCHEMA_CLASS
    if spectacular_settings.SERVE_AUTHENTICATION is not None:
        authentication_classes = spectacular_settings.SERVE_AUTHENTICATION
    permission_classes = spectacular_settings.SERVE_PERMISSIONS
    throttle_classes = [SchemaThrottle]
    versioning_class = None

    def answer_of(self, view_class: Any, **initkwargs: Any) -> Any:
        """Return the answer of drf-spectacular's view; access and rates are ours and stand already."""
        view = view_class(renderer_classes=self.renderer_classes, **initkwargs)
        view.setup(self.request)
        view.format_kwarg = self.format_kwarg
        return view.get(self.request)


class SchemaView(SelfDescribingView):
    """OpenAPI 3 of our endpoints only, under the prefix that the host chose."""

    permission_classes = spectacular_settings.SERVE_PERMISSIONS
    renderer_classes = [OpenApiYamlRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiJsonRenderer2]
    throttle_classes = [SchemaThrottle]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the description; ``?format=json`` or ``yaml``."""
        from drf_spectacular.views import SpectacularAPIView

        prefix = request.path_info.removesuffix("schema/").lstrip("/")
        response: Response = self.answer_of(
            SpectacularAPIView, patterns=[path(prefix, include("recommender_app.urls"))]
        )
        written = getattr(settings, "SPECTACULAR_SETTINGS", {})
        response.data["info"] |= {name: text for name, text in OUR_INFO.items() if name.upper() not in written}
        return response


class DocumentationView(SelfDescribingView):
    """Swagger page. With ``drf_spectacular_sidecar`` installed it loads nothing from elsewhere."""

    permission_classes = spectacular_settings.SERVE_PERMISSIONS
    renderer_classes = [TemplateHTMLRenderer]
    throttle_classes = [SchemaThrottle]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the page."""
        from recommender_app.api.swagger import PageView

        response: Response = self.answer_of(PageView)
        return response
