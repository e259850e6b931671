"""What a business rule would change, for sample users, before anybody else sees it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from recommender_app.models import BusinessRule, RequestLog
from recommender_app.registry.rules import published_rules
from recommender_app.serving.answer import Result
from recommender_app.serving.rule_book import Preview, previewed, rule_of_row
from recommender_app.serving.service import recommend
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rules import Rule
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.values import usable_values

N_ROWS = 200  # most recent answers in which sample users are looked for

SAME, MOVED_UP, MOVED_DOWN, COMES, GOES = "same", "up", "down", "comes", "goes"


@dataclass(frozen=True)
class Place:
    """One place of a list.

    Attributes:
        rank: 1-based.
        item: the host's instance.
        source: who proposed it.
        change: what the rule does to it; without the rule, SAME or GOES.
        rank_before: in the list without the rule; None where it was not in it.
    """

    rank: int
    item: Any
    source: str
    change: str
    rank_before: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The list of one user without the rule and with it."""

    user: Any
    before: tuple[Place, ...]
    after: tuple[Place, ...]

    @property
    def is_changed(self) -> bool:
        """Whether the user would see another list."""
        return any(place.change != SAME for place in (*self.before, *self.after))


def preview_rule(row: BusinessRule, n_users: int, limit: int | None = None) -> list[Comparison]:
    """Return lists without and with a rule, as if it were published and its dates had come.

    Reads only: nothing is logged, nobody is exposed, other requests are served as always.
    """
    use_case = get_use_case(row.use_case)
    before, after = _rules_without(use_case, row), _rules_with(use_case, row)
    return [_compared(use_case, user, before, after, limit) for user in sample_users(use_case, n_users)]


def sample_users(use_case: UseCase, n: int) -> list[Any]:
    """Return up to n users: those who asked last, then others by key."""
    asked = RequestLog.objects.filter(use_case=use_case.key).order_by("-id").values_list("user_id", flat=True)
    keys = list(dict.fromkeys(usable_values(use_case.users._meta.pk, asked[:N_ROWS])))[:n]
    users = use_case.users._default_manager
    found = {user.pk: user for user in users.filter(pk__in=keys)}
    others = users.exclude(pk__in=list(found)).order_by("pk")[: n - len(found)]
    return [*(found[key] for key in keys if key in found), *others]


def _rules_without(use_case: UseCase, row: BusinessRule) -> tuple[Rule, ...]:
    return _rules(use_case, [other for other in published_rules(use_case.key) if other.pk != row.pk])


def _rules_with(use_case: UseCase, row: BusinessRule) -> tuple[Rule, ...]:
    others = [other for other in published_rules(use_case.key) if other.pk != row.pk]
    undated = copy(row)
    undated.starts_at = undated.ends_at = None
    return _rules(use_case, sorted([*others, undated], key=lambda other: (-other.priority, other.pk or 0)))


def _rules(use_case: UseCase, rows: Sequence[BusinessRule]) -> tuple[Rule, ...]:
    found = [rule_of_row(row) for row in rows]
    return (*use_case.rules, *(rule for rule in found if rule is not None))


def _compared(
    use_case: UseCase, user: Any, before: tuple[Rule, ...], after: tuple[Rule, ...], limit: int | None
) -> Comparison:
    slates = []
    for rules in (before, after):
        with previewed(use_case.key, Preview(rules)):
            slates.append(recommend(user, use_case.key, limit, log=False).results)
    return Comparison(user, _without(slates[0], slates[1]), _with(slates[1], slates[0]))


def _without(results: Sequence[Result], others: Sequence[Result]) -> tuple[Place, ...]:
    staying = {other.id for other in others}
    return tuple(Place(each.rank, each.item, each.source, SAME if each.id in staying else GOES) for each in results)


def _with(results: Sequence[Result], others: Sequence[Result]) -> tuple[Place, ...]:
    ranks = {other.id: other.rank for other in others}
    return tuple(
        Place(each.rank, each.item, each.source, _change(each.rank, ranks.get(each.id)), ranks.get(each.id))
        for each in results
    )


def _change(rank: int, rank_before: int | None) -> str:
    if rank_before is None:
        return COMES
    if rank_before == rank:
        return SAME
    return MOVED_UP if rank < rank_before else MOVED_DOWN
