"""The business rules in force: those in code and those in the admin, read once every RELOAD_SECONDS."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from recommender_app import conf
from recommender_app.exceptions import ConfigurationError
from recommender_app.models import BusinessRule
from recommender_app.models.business_rule import condition_problem, ids_problem
from recommender_app.registry.rereading import Rereading
from recommender_app.registry.rules import published_rules
from recommender_app.serving.database import DATABASE_ERRORS, NONSENSE, savepoint
from recommender_app.usecases.attributes import allowed_attributes, newness_field, usable_for
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rules import Boost, Bury, Pin, Quota, Rule, values_of
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.values import usable_ids

logger = logging.getLogger(__name__)


class RuleBook:
    """The admin's rules of one use case; safe to share between threads. An error keeps the last known."""

    def __init__(self, use_case_key: str) -> None:
        self.use_case_key = use_case_key
        self._rules: tuple[Rule, ...] = ()
        self._is_readable = True
        self._rereading = Rereading(self._read)

    def rules(self) -> tuple[Rule, ...]:
        """Return the published rules, in force or not, as they were read last."""
        self._rereading.when_due()
        return self._rules

    def _read(self) -> None:
        try:
            with savepoint(BusinessRule):
                rows = published_rules(self.use_case_key)
            rules = tuple(rule for rule in map(rule_of_row, rows) if rule is not None)
        except (*DATABASE_ERRORS, *NONSENSE) as error:
            if self._is_readable:
                logger.error("The business rules of %s cannot be read: %s", self.use_case_key, error)  # noqa: TRY400
            self._is_readable = False
            return
        self._is_readable = True
        self._rules = rules


@dataclass(frozen=True)
class Preview:
    """Rules that are in force for one thread only.

    Attributes:
        rules: instead of those that are published.
        seed: of exploration, so that two previews differ by their rules alone.
    """

    rules: tuple[Rule, ...]
    seed: int = 0


_books: dict[str, RuleBook] = {}
_previews: ContextVar[Mapping[str, Preview] | None] = ContextVar("recommender_rule_previews", default=None)


def rules_in_force(use_case: UseCase, now: datetime) -> tuple[Rule, ...]:
    """Return the rules of this moment; the earlier one wins."""
    shown = preview_of(use_case)
    rules = shown.rules if shown else all_rules(use_case)
    return tuple(rule for rule in rules if rule.is_in_force(now))


def all_rules(use_case: UseCase) -> tuple[Rule, ...]:
    """Return the rules in code, then those published in the admin, whatever their dates."""
    return (*use_case.rules, *_books.setdefault(use_case.key, RuleBook(use_case.key)).rules())


def preview_of(use_case: UseCase) -> Preview | None:
    """Return the preview that this request is part of."""
    return (_previews.get() or {}).get(use_case.key)


@contextmanager
def previewed(use_case_key: str, preview: Preview) -> Iterator[None]:
    """Serve a use case under other rules inside the block, in this thread alone."""
    token = _previews.set({**(_previews.get() or {}), use_case_key: preview})
    try:
        yield
    finally:
        _previews.reset(token)


def rule_of_row(row: BusinessRule) -> Rule | None:
    """Return a row as a rule; None, logged, where it does not fit the use case any more."""
    problem = " ".join(row_problems(row).values())
    if not problem:
        try:
            return _rule(row)
        except ConfigurationError as error:
            problem = str(error)
    _report(row.name, row.use_case, problem)
    return None


@lru_cache(maxsize=256)
def _report(name: str, use_case_key: str, problem: str) -> None:
    """Say once what is ignored; rules are read every few seconds."""
    logger.error("The business rule %r of %s is ignored: %s", name, use_case_key, problem)


def row_problems(row: BusinessRule) -> dict[str, str]:
    """Return {field: what about a row does not fit its use case}."""
    use_case = get_use_case(row.use_case)
    problems = {
        "condition": condition_problem(row.condition) or _condition_problem(use_case, row.condition),
        "item_ids": ids_problem(row.item_ids) or _ids_problem(use_case, row.item_ids),
    }
    if row.new_within_days is not None and newness_field(use_case) is None:
        problems["new_within_days"] = "Nothing says how old an item is: newest_first must begin with a falling date."
    return {name: problem for name, problem in problems.items() if problem}


def _condition_problem(use_case: UseCase, condition: Mapping[str, Any]) -> str:
    allowed = allowed_attributes(use_case)
    for attribute, values in condition.items():
        if attribute not in allowed:
            names = ", ".join(allowed) or "none; list some in rule_attributes"
            return f"There is no attribute {attribute!r}: choose from {names}."
        lost = [value for value in values_of(values) if not usable_for(use_case, attribute, value)]
        if lost:
            return f"{lost[0]!r} cannot be a value of {attribute}."
    return ""


def _ids_problem(use_case: UseCase, item_ids: Iterable[Any]) -> str:
    lost = [item_id for item_id in item_ids if not usable_ids(use_case, [item_id])]
    return f"{lost[0]!r} cannot be a key of {use_case.items._meta.label}." if lost else ""


def _rule(row: BusinessRule) -> Rule:
    use_case = get_use_case(row.use_case)
    shared: dict[str, Any] = {
        "where": {attribute: values_of(values) for attribute, values in row.condition.items()},
        "item_ids": tuple(usable_ids(use_case, row.item_ids)),
        "new_within_days": row.new_within_days,
        "name": row.name,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
    }
    if row.kind == BusinessRule.Kind.BOOST:
        return Boost(**shared, factor=row.factor or 0.0)
    if row.kind == BusinessRule.Kind.BURY:
        return Bury(**shared, factor=row.factor or 0.0)
    if row.kind == BusinessRule.Kind.PIN:
        return Pin(**shared, position=row.position or 0)
    return Quota(**shared, count=row.count or 0, out_of=row.out_of)


def forget() -> None:
    """Drop what was read; the next request reads anew."""
    _books.clear()
    _report.cache_clear()


conf.on_reload.append(forget)
