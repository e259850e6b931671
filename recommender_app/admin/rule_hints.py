"""What a business rule speaks of that does not exist now: no mistake, since items come and go, but often a slip."""

from __future__ import annotations

from typing import Any

from recommender_app.models import BusinessRule
from recommender_app.usecases.attributes import usable_for
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rules import values_of
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.values import usable_ids

MOST_VALUES = 20  # looked up of one attribute: a query each, of an attribute without an index perhaps


def hints_of(rule: BusinessRule) -> list[str]:
    """Return a sentence for the item ids, and one for each attribute, that no item has now."""
    use_case = get_use_case(rule.use_case)
    lost = {"item_ids": _lost_ids(use_case, rule.item_ids)}
    lost |= {name: _lost_values(use_case, name, values_of(values)) for name, values in rule.condition.items()}
    return [
        f"No item has {name} {', '.join(map(repr, values))} now: the rule waits until one does."
        for name, values in lost.items()
        if values
    ]


def _lost_ids(use_case: UseCase, item_ids: list[Any]) -> list[Any]:
    known = use_case.items._base_manager.filter(pk__in=usable_ids(use_case, item_ids)).values_list("pk", flat=True)
    found = set(known)
    return [item_id for item_id in item_ids if not found.intersection(usable_ids(use_case, [item_id]))]


def _lost_values(use_case: UseCase, attribute: str, values: list[Any]) -> list[Any]:
    items = use_case.items._base_manager.order_by()
    return [
        value
        for value in values[:MOST_VALUES]
        if not items.filter(**{f"{attribute}__in": usable_for(use_case, attribute, value)}).exists()
    ]
