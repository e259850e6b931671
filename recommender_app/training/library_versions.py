"""Which versions of which libraries made a model."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("django-recommender-app", "Django", "numpy", "scipy", "implicit", "scikit-learn", "torch")


def library_versions() -> dict[str, str]:
    """Return {library: version} of Python and of those that are installed; imports none of them."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
