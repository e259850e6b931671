"""Whoever was forgotten while a day was rolled up."""

from __future__ import annotations

from datetime import date

from recommender_app.models import RollUp
from recommender_app.registry.database import alias
from recommender_app.registry.tombstones import read_tombstones
from recommender_app.usecases.declaration import UseCase

CHUNK = 500  # ids of a statement


def leave_out_forgotten(use_case: UseCase, day: date) -> None:
    """Delete the roll-ups of those who are forgotten; the last thing before a day is committed.

    Forgetting writes the tombstone, waits, and deletes. A roll-up that read the log before the
    deletion either commits within that wait, or finds the tombstone here.
    """
    tombstones = read_tombstones()
    if not tombstones:
        return
    rows = RollUp.objects.using(alias()).filter(use_case=use_case.key, day=day)
    users = sorted(set(rows.order_by().exclude(user_id="").values_list("user_id", flat=True).distinct()))
    is_forgotten = tombstones.mask(use_case.users, users)
    forgotten = [user for user, is_one in zip(users, is_forgotten, strict=True) if is_one]
    for start in range(0, len(forgotten), CHUNK):
        rows.filter(user_id__in=forgotten[start : start + CHUNK]).delete()
