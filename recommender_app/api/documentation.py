"""The API's own description: OpenAPI, and a page to try it. Works in a host that uses neither."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.templatetags.static import static
from django.urls import include, path
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from recommender_app import __version__
from recommender_app.api.throttling import SchemaThrottle

SIDECAR = "drf_spectacular_sidecar"


OUR_INFO = {"title": "Recommendations", "version": __version__}  # where the host gives its API no name


class SchemaView(SpectacularAPIView):
    """OpenAPI 3 of our endpoints only, under the prefix that the host chose.

    Who may read it is the host's SERVE_PERMISSIONS, as for any other schema view.
    """

    schema = None  # not an endpoint to describe, whatever the host's DEFAULT_SCHEMA_CLASS
    permission_classes = spectacular_settings.SERVE_PERMISSIONS
    throttle_classes = [SchemaThrottle]
    versioning_class = None

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the description; ``?format=json`` or ``yaml``."""
        prefix = request.path_info.removesuffix("schema/").lstrip("/")
        self.patterns = [path(prefix, include("recommender_app.urls"))]
        response = super().get(request, *args, **kwargs)
        written = getattr(settings, "SPECTACULAR_SETTINGS", {})
        response.data["info"] |= {name: text for name, text in OUR_INFO.items() if name.upper() not in written}
        return response


class DocumentationView(SpectacularSwaggerView):
    """Swagger page. With ``drf_spectacular_sidecar`` installed it loads nothing from elsewhere."""

    schema = None
    renderer_classes = [TemplateHTMLRenderer]
    permission_classes = spectacular_settings.SERVE_PERMISSIONS
    throttle_classes = [SchemaThrottle]
    versioning_class = None
    template_name = "recommender_app/documentation.html"

    def _get_schema_url(self, request: Request) -> str:
        """Both are siblings, wherever and under whatever namespace the host includes our URLs."""
        return request.path.removesuffix("docs/") + "schema/"

    @staticmethod
    def _swagger_ui_resource(filename: str) -> str:
        if apps.is_installed(SIDECAR):
            return static(f"{SIDECAR}/swagger-ui-dist/{filename}")
        return SpectacularSwaggerView._swagger_ui_resource(filename)

    @staticmethod
    def _swagger_ui_favicon() -> str:
        return DocumentationView._swagger_ui_resource("favicon-32x32.png")
