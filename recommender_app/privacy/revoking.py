"""``revoke_forgetting``: somebody who was forgotten comes back under the same id."""

from __future__ import annotations

import logging
from typing import Any

from recommender_app.exceptions import UserNotFound
from recommender_app.models import ForgottenUser
from recommender_app.privacy.subject import subject_of
from recommender_app.registry.tombstones import take_back

logger = logging.getLogger(__name__)


def revoke_forgetting(use_case_key: str, user_id: Any, *, by: str = "python") -> ForgottenUser:
    """Take the tombstone of a user back, and return its row, which says who did it and when.

    From now on (within RELOAD_SECONDS) the id is that of any user, in all use cases of the users' model.
    Nothing comes back that was removed; rows of the host that were kept count again.

    Raises:
        UnknownUseCase, UserNotFound: see ``subject_of``; or nobody of this id is forgotten.
    """
    subject = subject_of(use_case_key, user_id)
    tombstone = take_back(subject.model, subject.user_id, by=by)
    if tombstone is None:
        raise UserNotFound(
            f"Nothing was changed: no {subject.label} with the key {subject.text} is forgotten. If one was, the secret "
            "key of that time is missing: see PRIVACY_KEY and SECRET_KEY_FALLBACKS."
        )
    logger.info("Tombstone %s of %s is taken back by %s.", tombstone.digest, subject.label, by)
    return tombstone
