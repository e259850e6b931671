"""``X-Engine: als`` routes a request to that engine; for workers that answer one request at a time."""

from __future__ import annotations

from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy


def routed_by_header(get_response):
    def middleware(request):
        engine = request.headers.get("x-engine")
        if engine is None:
            return get_response(request)
        with forced_policy("books", Policy("header", ((0, engine),))):
            return get_response(request)

    return middleware
