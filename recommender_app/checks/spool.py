"""Advice about the spool, for ``check --deploy``."""

from __future__ import annotations

import os

from django.core.checks import CheckMessage

from recommender_app import conf
from recommender_app.checks.messages import warning
from recommender_app.checks.values import RULES
from recommender_app.serving.spool.files import folder


def spool_advice() -> list[CheckMessage]:
    """Warn where this process could not write the rows that the request log refuses."""
    if not all(RULES[name].is_kept(getattr(conf.settings, name)) for name in ("ARTIFACT_ROOT", "SPOOL_DIR")):
        return []
    nearest = next(path for path in (folder(), *folder().parents) if path.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return []
    message = f"The spool {folder()} cannot be written: rows that the request log refuses would be lost."
    hint = "Point SPOOL_DIR to a folder that web processes may write and recommender_drain may read."
    return [warning(107, conf.SETTING, message, hint)]
