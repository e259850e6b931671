"""Which items an engine need not propose to a user at all."""

from __future__ import annotations

from typing import Any

from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rows import ITEM, USER, interaction_rows


def hidden_ids(use_case: UseCase, user: Any) -> list[Any]:
    """Return the external ids that ``hide_after`` hides from ``user``, in one query per source.

    Only spares proposals that ``eligible_items`` would refuse anyway: that query decides.
    """
    found: dict[Any, None] = {}
    for source in use_case.sources if use_case.hide_after else ():
        rows = interaction_rows(source, use_case.hide_after).filter(**{USER: user.pk})
        found.update(dict.fromkeys(rows.values_list(ITEM, flat=True)))
    return list(found)
