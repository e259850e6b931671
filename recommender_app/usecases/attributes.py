"""The attributes of items that rules and caps may look at, read and looked for."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, Q, QuerySet

from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.profiles import is_many, read_values
from recommender_app.usecases.rows import fields_along, microseconds
from recommender_app.usecases.rules import Facts, Rule, as_text, values_of
from recommender_app.usecases.values import usable_ids, usable_values

logger = logging.getLogger(__name__)

_DAY = 86_400_000_000  # microseconds


def allowed_attributes(use_case: UseCase) -> tuple[str, ...]:
    """Return the lookups of an item that rules and caps may name: nothing that the host has not declared."""
    declared = (*use_case.item_categories, *use_case.item_numbers, *use_case.rule_attributes)
    return tuple(dict.fromkeys(declared))


def newness_field(use_case: UseCase) -> str | None:
    """Return the field that says when an item was created: the first of ``newest_first`` that is a falling date."""
    for name in use_case.newest_first:
        if name.startswith("-") and "__" not in name and _is_date(use_case, name[1:]):
            return name[1:]
    return None


def read_facts(use_case: UseCase, items: Sequence[Any], attributes: Iterable[str], now: datetime) -> dict[Any, Facts]:
    """Return {id: facts} of loaded items.

    Plain fields and keys of foreign keys are read from the instances, without a query; lookups
    over relations cost one query together where they hold one value, and one each where they
    hold many, however many items there are. What the use case does not allow is left out.
    """
    names = [name for name in dict.fromkeys(attributes) if _is_readable(use_case, name)]
    plain = [name for name in names if _is_loaded(use_case, items, name)]
    distant = [name for name in names if name not in plain]
    found = read_values(use_case.items, distant, [item.pk for item in items]) if distant else {}
    created = newness_field(use_case)
    facts = {}
    for item in items:
        values = {name: [getattr(item, _attname(use_case, name))] for name in plain}
        values.update(found.get(item.pk, {}))
        texts = {
            name: frozenset(as_text(value) for value in held if value is not None) for name, held in values.items()
        }
        facts[item.pk] = Facts(texts, _age_days(item.__dict__.get(created) if created else None, now))
    return facts


def newest_about(
    use_case: UseCase, items: QuerySet[Any], rule: Rule, now: datetime, limit: int, exclude_ids: Collection[Any]
) -> list[Any]:
    """Return up to ``limit`` of ``items`` that a rule is about, newest first, in one query.

    Args:
        items: what may be shown to the user.
    """
    condition = _condition(use_case, rule, now)
    if condition is None:
        return []
    # A condition over a to-many relation would yield an item once per match: it stays in a subquery.
    meant = use_case.items._base_manager.filter(condition).order_by().values("pk")
    found = items.filter(pk__in=meant).exclude(pk__in=list(exclude_ids)).order_by(*use_case.newest_first)
    return list({item.pk: item for item in found[:limit]}.values())


def usable_for(use_case: UseCase, attribute: str, values: Any) -> list[Any]:
    """Return one value or several as an item can have them; those that no item can have are left out."""
    return usable_values(fields_along(use_case.items, attribute)[-1], values_of(values))


def _condition(use_case: UseCase, rule: Rule, now: datetime) -> Q | None:
    """Return what the rule is about as a query; None where nothing can match."""
    condition = Q()
    if rule.item_ids:
        condition &= Q(pk__in=usable_ids(use_case, rule.item_ids))
    if rule.new_within_days is not None:
        name = newness_field(use_case)
        if name is None:
            return None
        condition &= Q(**{f"{name}__gte": now - timedelta(days=rule.new_within_days)})
    for attribute, values in rule.where.items():
        usable = usable_for(use_case, attribute, values) if _is_readable(use_case, attribute) else []
        if not usable:
            return None
        condition &= Q(**{f"{attribute}__in": usable})
    return condition


def _is_readable(use_case: UseCase, attribute: str) -> bool:
    if attribute not in allowed_attributes(use_case):
        _report(use_case.key, attribute, "the use case does not allow it: list it in rule_attributes")
        return False
    try:
        fields_along(use_case.items, attribute)
    except (FieldDoesNotExist, AttributeError):
        _report(use_case.key, attribute, "there is no such field")
        return False
    return True


@lru_cache(maxsize=256)
def _report(use_case_key: str, attribute: str, reason: str) -> None:
    """Say once per process what is ignored."""
    logger.warning("Rules and caps of %s ignore the attribute %r: %s.", use_case_key, attribute, reason)


def _is_loaded(use_case: UseCase, items: Sequence[Any], attribute: str) -> bool:
    """Tell whether the instances hold an attribute themselves; a deferred field would cost a query each."""
    if "__" in attribute or is_many(use_case.items, attribute):
        return False
    name = _attname(use_case, attribute)
    return all(name in item.__dict__ for item in items)


def _attname(use_case: UseCase, attribute: str) -> str:
    return str(fields_along(use_case.items, attribute)[0].attname)


def _is_date(use_case: UseCase, name: str) -> bool:
    try:
        return isinstance(fields_along(use_case.items, name)[0], DateField)  # a DateTimeField is one
    except FieldDoesNotExist:
        return False


def _age_days(created: Any, now: datetime) -> float | None:
    return None if created is None else (microseconds(now) - microseconds(created)) / _DAY
