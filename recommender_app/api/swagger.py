"""The Swagger page, as drf-spectacular fills it in. Imported when somebody opens it."""

from __future__ import annotations

from django.apps import apps
from django.templatetags.static import static
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request

SIDECAR = "drf_spectacular_sidecar"


class PageView(SpectacularSwaggerView):
    """What stands on the page; ``DocumentationView`` is its door."""

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
        return PageView._swagger_ui_resource("favicon-32x32.png")
