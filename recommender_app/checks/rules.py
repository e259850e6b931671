"""Mistakes in the business rules that a use case declares, and in what they may look at."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage

from recommender_app.checks.events import is_names
from recommender_app.checks.lookups import UnknownField, find_field
from recommender_app.checks.messages import closest, error
from recommender_app.usecases.attributes import allowed_attributes, newness_field
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rules import Rule
from recommender_app.usecases.site import Unreadable
from recommender_app.usecases.values import usable_ids


def rule_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return what is wrong with ``rules`` and ``rule_attributes``."""
    attributes = _attributes(use_case)
    declared: Any = use_case.rules
    hint = 'Write rules = (Boost(where={"stage": "seed"}, factor=1.5),), with the comma; see Boost, Bury, Pin, Quota.'
    if not isinstance(declared, tuple | list) or not all(_is_rule(rule) for rule in declared):
        return [*attributes, error(60, use_case, f"rules is {declared!r}.", hint)]
    return [*attributes, *(problem for rule in declared for problem in _rule(use_case, rule))]


def unreadable_problems(modules: list[Unreadable]) -> list[CheckMessage]:
    """Return one error for each module in which a rule is written that cannot be."""
    hint = "Correct it: until then, no use case of this file below the line is known."
    return [error(64, module.place, str(module.error), hint) for module in modules]


def _attributes(use_case: UseCase) -> list[CheckMessage]:
    names = use_case.rule_attributes
    if not is_names(names):
        return [error(61, use_case, f"rule_attributes is {names!r}.", 'Write rule_attributes = ("stage",).')]
    problems: list[CheckMessage] = []
    for name in names:
        try:
            find_field(use_case.items, name)
        except UnknownField as problem:
            problems.append(error(61, use_case, f"rule_attributes: {name!r} cannot be read: {problem}.", problem.hint))
    return problems


def _rule(use_case: UseCase, rule: Rule) -> list[CheckMessage]:
    lists = (use_case.item_categories, use_case.item_numbers, use_case.rule_attributes, use_case.newest_first)
    if not all(map(is_names, lists)):
        return []  # other checks say so
    allowed = allowed_attributes(use_case)
    problems: list[CheckMessage] = [
        error(62, use_case, f"{rule.label} looks at {attribute!r}, which no rule may.", _hint(attribute, allowed))
        for attribute in rule.where
        if attribute not in allowed
    ]
    if rule.new_within_days is not None and newness_field(use_case) is None:
        hint = 'Begin newest_first with the date of creation: newest_first = ("-created_at", "pk").'
        problems.append(error(63, use_case, f"{rule.label} asks how old an item is, which nothing says.", hint))
    return [*problems, *_ids(use_case, rule)]


def _ids(use_case: UseCase, rule: Rule) -> list[CheckMessage]:
    """Return one error for each id that no item can have, or not as it is written: the rule would be about none."""
    problems: list[CheckMessage] = []
    for item_id in rule.item_ids:
        usable = usable_ids(use_case, [item_id])
        if not usable:
            hint = "Write primary keys of items."
            message = f"{rule.label}: {item_id!r} cannot be a key of {use_case.items._meta.label}."
            problems.append(error(65, use_case, message, hint))
        elif str(usable[0]) != str(item_id):
            message = f"{rule.label}: {item_id!r} is no item's key as it is written."
            problems.append(error(65, use_case, message, f"Write {str(usable[0])!r}."))
    return problems


def _hint(attribute: str, allowed: tuple[str, ...]) -> str:
    return f"{closest(attribute, allowed)} Rules see item_categories, item_numbers and rule_attributes."


def _is_rule(rule: Any) -> bool:
    return isinstance(rule, Rule) and type(rule) is not Rule
