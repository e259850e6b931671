"""Whether this process serves requests, guessed from its command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from recommender_app import conf

COMMAND_LINES = ("manage", "django-admin", "django")  # whose first argument names a command
OTHERS = ("", "-c", "-m", "celery", "pytest", "py.test")  # load Django, answer no request


def is_to_serve() -> bool:
    """Tell whether this process loads at its start what requests need: as the setting PRELOAD says, or by a guess."""
    wanted = conf.settings.PRELOAD
    return wanted is True or (wanted == "auto" and is_serving_process(sys.argv, os.environ))


def is_serving_process(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Guess from the command line; the setting PRELOAD overrules it.

    Under ``manage.py`` only ``runserver`` serves, and of its two processes only the one that
    the reloader started (RUN_MAIN) or the only one (``--noreload``). Celery, pytest and
    interactive Python do not. Anything else (gunicorn, uvicorn, uWSGI, mod_wsgi, daphne, a
    script of the host's) is taken for a server: guessing wrong costs milliseconds.
    """
    if is_command(argv):
        return list(argv[1:2]) == ["runserver"] and (environ.get("RUN_MAIN") == "true" or "--noreload" in argv)
    return _program(argv) not in OTHERS


def is_command(argv: Sequence[str]) -> bool:
    """Tell whether this process runs a command, as most of which Django makes the system checks first."""
    return _program(argv) in COMMAND_LINES


def _program(argv: Sequence[str]) -> str:
    path = Path(argv[0]) if argv else Path()
    return path.parent.name if path.name == "__main__.py" else path.name.removesuffix(".py")
