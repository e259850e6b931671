"""Trainers that are nowhere to be found; nothing that they need is imported."""

from __future__ import annotations

from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec

from django.core.checks import CheckMessage

from recommender_app import conf
from recommender_app.checks.messages import warning
from recommender_app.checks.values import RULES


def trainer_problems() -> list[CheckMessage]:
    """Return a warning for each trainer of the host whose module does not exist where this runs."""
    written = conf.configured().get("TRAINERS", {})
    if not RULES["TRAINERS"].is_kept(written):
        return []  # told elsewhere
    hint = "Correct the dotted path, such as shop.trainers.OurALS, or install its package where models are trained."
    return [
        warning(19, conf.SETTING, f"TRAINERS: there is no module {module!r} for the engine {engine!r}.", hint)
        for engine, path in written.items()
        if path is not None and not _exists(module := path.rpartition(".")[0])
    ]


def _exists(module: str) -> bool:
    """Tell whether a module can be found; ``find_spec`` alone would import the packages that it lies in."""
    names = module.split(".")
    spec: ModuleSpec | None = find_spec(names[0])
    for depth in range(2, len(names) + 1):
        if spec is None or spec.submodule_search_locations is None:
            return False
        spec = PathFinder.find_spec(".".join(names[:depth]), spec.submodule_search_locations)
    return spec is not None
