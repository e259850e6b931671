"""A recommender for Django: declare who gets what recommended, learned from which table.

Names are resolved on first use, so that the numeric core can be imported without Django.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_EXPORTS = {
    "UseCase": "recommender_app.usecases.declaration",
    "Interactions": "recommender_app.usecases.declaration",
    "register": "recommender_app.usecases.site",
    "recommend": "recommender_app.serving.service",
    "recommend_objects": "recommender_app.serving.objects",
    "Boost": "recommender_app.usecases.rules",
    "Bury": "recommender_app.usecases.rules",
    "Pin": "recommender_app.usecases.rules",
    "Quota": "recommender_app.usecases.rules",
    "open_engine": "recommender_app.artifacts.opening",
}


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
