"""What is live, in the database and as the hint on disk."""

from __future__ import annotations

import logging
from functools import partial

from django.db import DatabaseError, transaction
from django.db.models import Prefetch

from recommender_app.artifacts.live_hint import LiveHint, write_live_hint
from recommender_app.conf import settings
from recommender_app.exceptions import ArtifactError
from recommender_app.models import Release, ReleaseMember
from recommender_app.registry.database import alias

logger = logging.getLogger(__name__)


def live_release(use_case_key: str) -> Release | None:
    """Return what is live, with members and their versions, in two queries; None if nothing is."""
    members = Prefetch("members", ReleaseMember.objects.select_related("version"))
    live = Release.objects.filter(use_case=use_case_key, status=Release.Status.LIVE)
    return live.prefetch_related(members).first()


def write_hint_on_commit(use_case_key: str) -> None:
    """Write the LIVE hint once the transaction has committed."""
    transaction.on_commit(partial(write_hint, use_case_key), using=alias())


def write_hint(use_case_key: str) -> None:
    """Write the LIVE hint of what the database says now; a failure is logged, the row is the truth."""
    try:
        live = live_release(use_case_key)
        if live is not None:
            versions = {member.engine: member.version.name for member in live.members.all()}
            write_live_hint(settings.artifact_root, LiveHint(use_case_key, live.number, versions))
    except (ArtifactError, DatabaseError) as error:
        logger.warning("The LIVE hint of %s was not written: %s", use_case_key, error)
