"""Ids of items that business rules and their trail name: people, where people are recommended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recommender_app.models import BusinessRule, RuleChange
from recommender_app.registry.database import atomic
from recommender_app.registry.rules import delete_rule

Meant = Callable[[Any], bool]  # whether an id of a rule, an integer or a text, is the one that is meant


def count_naming(use_case_key: str, is_meant: Meant) -> int:
    """Return how many rules and rows of their trail name an item."""
    return len(_rules(use_case_key, is_meant)) + len(_changes(use_case_key, is_meant))


def forget_item(use_case_key: str, is_meant: Meant, *, by: str) -> int:
    """Take an item out of all rules, and blank it in their trail; return from how many rows.

    A rule that names no other item goes: without items it would be about all of them.
    """
    with atomic():
        changes, rules = _changes(use_case_key, is_meant), _rules(use_case_key, is_meant)
        for change in changes:
            values = {name: _blanked(getattr(change, name), is_meant) for name in ("before", "after")}
            RuleChange.objects.filter(pk=change.pk).update(**values)
        for rule in rules:
            left = [each for each in rule.item_ids if not is_meant(each)]
            BusinessRule.objects.filter(pk=rule.pk).update(item_ids=left)
            if not left:
                delete_rule(rule, by=by)
    return len(changes) + len(rules)


def _rules(use_case_key: str, is_meant: Meant) -> list[BusinessRule]:
    rules = BusinessRule.objects.filter(use_case=use_case_key).order_by("pk")
    return [rule for rule in rules if any(map(is_meant, _ids(rule.item_ids)))]


def _changes(use_case_key: str, is_meant: Meant) -> list[RuleChange]:
    changes = RuleChange.objects.filter(use_case=use_case_key).order_by("pk")
    return [each for each in changes if any(map(is_meant, [*_named(each.before), *_named(each.after)]))]


def _blanked(said: Any, is_meant: Meant) -> Any:
    if not _named(said):
        return said
    return {**said, "item_ids": ["" if is_meant(each) else each for each in said["item_ids"]]}


def _named(said: Any) -> list[Any]:
    return _ids(said.get("item_ids")) if isinstance(said, dict) else []


def _ids(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
