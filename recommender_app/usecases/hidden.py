"""Which items an engine need not propose to a user at all."""

from __future__ import annotations

from typing import Any

from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rows import ITEM, USER, interaction_rows


def hidden_ids(use_case: UseCase, user: Any) -> list[Any]:
    """Return the external ids that ``hide_after`` hides from ``user``, each once, in one query.

    A request reads them once and hands them to ``eligible_items``; a batch only spares itself proposals
    that the query for each user would refuse.
    """
    if not use_case.hide_after or not use_case.sources:
        return []
    hidden = [
        interaction_rows(source, use_case.hide_after).filter(**{USER: user.pk}).values_list(ITEM, flat=True)
        for source in use_case.sources
    ]
    return list(hidden[0].union(*hidden[1:]) if len(hidden) > 1 else hidden[0].distinct())
