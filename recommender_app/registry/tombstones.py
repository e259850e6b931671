"""Who is forgotten: keyed hashes of ids, so that the table itself names nobody.

Without the secret key nobody can tell from a row whose it is, not even by trying all integers.
The key is PRIVACY_KEY, or Django's SECRET_KEY; hashes that were made with an earlier one are
found through SECRET_KEY_FALLBACKS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
from django.conf import settings as django_settings
from django.db.models import Count, DateTimeField, ExpressionWrapper, Max, Model, QuerySet
from django.db.models.functions import Now
from numpy.typing import NDArray

from recommender_app.conf import settings
from recommender_app.exceptions import ConfigurationError
from recommender_app.models import ForgottenUser
from recommender_app.registry.database import atomic

DIGEST_BYTES = 16


@dataclass(frozen=True)
class Tombstones:
    """All tombstones of one moment; empty ones are false and cost nothing.

    Attributes:
        found: {secret key as bytes: sorted (n,) S32 digests made with it}.
        n_lost: how many were made with a key that is no longer known.
    """

    found: Mapping[bytes, NDArray[np.bytes_]] = field(default_factory=dict)
    n_lost: int = 0

    def __bool__(self) -> bool:
        return bool(self.found)

    def holds(self, model: type[Model], user_id: Any) -> bool:
        """Tell whether a user is forgotten."""
        return any(_is_among(digest(model, user_id, key), digests) for key, digests in self.found.items())

    def mask(self, model: type[Model], ids: Iterable[Any]) -> NDArray[np.bool_]:
        """Return which of ``ids`` are forgotten; about two microseconds each."""
        sets = [(key, frozenset(digests.tolist())) for key, digests in self.found.items()]
        return np.fromiter(
            (any(digest(model, user_id, key).encode() in digests for key, digests in sets) for user_id in ids), np.bool_
        )

    def check_complete(self) -> None:
        """Raise ConfigurationError if some cannot be compared with any id: who is forgotten would come back."""
        if self.n_lost:
            raise ConfigurationError(
                f"{self.n_lost} tombstones of forgotten users were made with a secret key that is not known any more: "
                "put it into SECRET_KEY_FALLBACKS, or into the setting PRIVACY_KEY."
            )


NOBODY = Tombstones()


def bury(model: type[Model], user_id: Any, *, by: str) -> ForgottenUser:
    """Return the tombstone of a user: a new one, or that of the first time, whose terms go on."""
    by_key = {digest(model, user_id, key): key_digest(key) for key in _keys()}
    known = find_tombstone(model, user_id)
    if known is not None:
        return known
    written, name = next(iter(by_key.items()))
    term = timedelta(days=settings.FORGOTTEN_VERSIONS_DAYS)
    values = {
        "user_model": label_of(model),
        "key_digest": name,
        "forgotten_at": Now(),  # the clock that says when runs began
        "forgotten_by": by[:150],
        "versions_due_at": ExpressionWrapper(Now() + term, DateTimeField()),
    }
    with atomic():
        tombstone = in_force().get_or_create(digest=written, revoked_at=None, defaults=values)[0]
    tombstone.refresh_from_db()
    return tombstone


def find_tombstone(model: type[Model], user_id: Any) -> ForgottenUser | None:
    """Return the tombstone of a user who was forgotten before, and is still."""
    return in_force().filter(digest__in=[digest(model, user_id, key) for key in _keys()]).first()


def take_back(model: type[Model], user_id: Any, *, by: str) -> ForgottenUser | None:
    """End a tombstone: from now on nothing ignores the id. Return its row, which stays as a record; None without one.

    What was removed stays removed, and versions that learned from the user are still deleted in their term.
    """
    known = find_tombstone(model, user_id)
    if known is None or not in_force().filter(pk=known.pk).update(revoked_at=Now(), revoked_by=by[:150]):
        return None
    known.refresh_from_db()
    return known


def in_force() -> QuerySet[ForgottenUser]:
    """Return the tombstones that were not taken back."""
    return ForgottenUser.objects.filter(revoked_at=None)


def read_tombstones() -> Tombstones:
    """Return all tombstones in force, in one query."""
    by_name: dict[str, list[str]] = {}
    for name, written in in_force().order_by().values_list("key_digest", "digest").iterator():
        by_name.setdefault(name, []).append(written)
    if not by_name:
        return NOBODY
    known = {key_digest(key): key for key in _keys()}
    found = {known[name]: np.array(sorted(digests), dtype="S32") for name, digests in by_name.items() if name in known}
    return Tombstones(found, sum(len(digests) for name, digests in by_name.items() if name not in known))


def stamp() -> tuple[int, int]:
    """Return what differs after any tombstone has come or gone; one small query."""
    row = in_force().aggregate(n=Count("pk"), newest=Max("pk"))
    return row["n"], row["newest"] or 0


def unsettled(models: Sequence[type[Model]], now: datetime | None = None) -> list[ForgottenUser]:
    """Return the tombstones of which some version may still be there, oldest first; with ``now`` only overdue ones."""
    rows = ForgottenUser.objects.filter(user_model__in=[label_of(model) for model in models], versions_gone_at=None)
    return list((rows if now is None else rows.filter(versions_due_at__lte=now)).order_by("forgotten_at"))


def is_any_buried(models: Sequence[type[Model]], *, since: datetime) -> bool:
    """Tell whether an object of some models was forgotten at ``since`` or later."""
    labels = [label_of(model) for model in models]
    return ForgottenUser.objects.filter(user_model__in=labels, forgotten_at__gte=since).exists()


def unsettle(*, since: datetime | None) -> None:
    """Note that a version has come whose data were read at ``since``: it may have learned from who was forgotten later.

    For the transaction that registers it: ``settle`` then sees the version, or is undone.
    """
    if since is not None:
        ForgottenUser.objects.filter(forgotten_at__gte=since).update(versions_gone_at=None)


def digest(model: type[Model], user_id: Any, key: bytes) -> str:
    """Return the keyed hash of a user, 32 hexadecimal digits."""
    text = f"{label_of(model)}:{user_id}".encode("utf-8", "surrogatepass")
    return blake2b(text, key=key, digest_size=DIGEST_BYTES).hexdigest()


def key_digest(key: bytes) -> str:
    """Return the name of a secret key; it tells nothing about the key."""
    return blake2b(b"the name of this key", key=key, digest_size=4).hexdigest()


def label_of(model: type[Model]) -> str:
    """Return the label of a model; proxies are what they stand for."""
    return str(model._meta.concrete_model._meta.label_lower)  # type: ignore[union-attr]


def _keys() -> list[bytes]:
    """Return the secret keys that hashes may have been made with; the first one makes new ones."""
    secrets = [settings.PRIVACY_KEY, django_settings.SECRET_KEY, *django_settings.SECRET_KEY_FALLBACKS]
    encoded = [str(secret).encode("utf-8", "surrogatepass") for secret in secrets if secret]
    return [blake2b(secret, person=b"rec-tombstone").digest() for secret in encoded]


def _is_among(wanted: str, digests: NDArray[np.bytes_]) -> bool:
    value = wanted.encode("ascii")
    place = int(np.searchsorted(digests, np.bytes_(value)))
    return place < len(digests) and bytes(digests[place]) == value
