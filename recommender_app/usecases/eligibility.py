"""What may be shown to a user: the database decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import QuerySet

from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.filters import Filters, apply_filters
from recommender_app.usecases.rows import ITEM, USER, interaction_rows
from recommender_app.usecases.values import usable_ids
from recommender_app.usecases.visitors import Visitor, host_user


def eligible_items(
    use_case: UseCase,
    user: Any,
    ids: Iterable[Any],
    filters: Filters | None = None,
    *,
    hidden_ids: Collection[Any] | None = None,
) -> dict[Any, Any]:
    """Return {id: item} of those ``ids`` that may be shown to ``user`` and pass the filters, in one query.

    An id that cannot be a key of the item model (an old model's, say) is not eligible.

    Args:
        hidden_ids: all that ``hide_after`` hides, where the request has read it: the query is then
            spared to find it out again. None = the query leaves it out.
    """
    wanted = usable_ids(use_case, ids)
    if hidden_ids is None:
        items = shown_items(use_case, user, filters)
    else:
        hidden = frozenset(
            usable_ids(use_case, hidden_ids)
        )  # in the type of ``wanted``, whatever the host's table holds
        items, wanted = _let_through(use_case, user, filters), [each for each in wanted if each not in hidden]
    return {item.pk: item for item in items.filter(pk__in=wanted).order_by()}


def eligible_ids(use_case: UseCase, user: Any, limit: int, filters: Filters | None = None) -> list[Any] | None:
    """Return the ids of all items that may be shown, each once; None where they are more than ``limit``.

    One query; one more where ``limit`` is passed by an item that ``get_items`` yields several
    times: asked for at first, DISTINCT could make the database read all items of a large catalogue.
    """
    ids = shown_items(use_case, user, filters).order_by().values_list("pk", flat=True)
    rows = list(ids[: limit + 1])
    found = list(dict.fromkeys(rows))
    if len(found) <= limit < len(rows):
        found = list(ids.distinct()[: limit + 1])
    return found if len(found) <= limit else None


def newest_eligible(
    use_case: UseCase, user: Any, limit: int, exclude_ids: Collection[Any] = (), filters: Filters | None = None
) -> list[Any]:
    """Return up to ``limit`` items that may be shown, in the order of ``newest_first``.

    One query; two more where ``get_items`` yields an item several times (a filter over a to-many
    relation does), because then the first may have held too few different ones.
    """
    items = shown_items(use_case, user, filters)
    if exclude_ids:
        items = items.exclude(pk__in=usable_ids(use_case, exclude_ids))
    rows = list(items.order_by(*use_case.newest_first)[:limit])
    found = {item.pk: item for item in rows}
    if len(found) < len(rows):
        ids = newest_ids(use_case, items, limit)
        found = {item.pk: item for item in items.filter(pk__in=ids).order_by()}
        return [found[key] for key in ids if key in found]
    return rows


def shown_items(use_case: UseCase, user: Any, filters: Filters | None = None) -> QuerySet[Any]:
    """Return ``get_items(user)``, filtered, minus whatever a ``hide_after`` event of any source hides.

    However old the event is, and whether or not it has a weight. From a visitor nothing is hidden.
    """
    items = _let_through(use_case, user, filters)
    if isinstance(user, Visitor):
        return items
    for source in use_case.sources if use_case.hide_after else ():
        hidden = interaction_rows(source, use_case.hide_after).filter(**{USER: user.pk})
        # NOT IN is safe here: interaction_rows leaves rows without an item out, so no NULL is in the list.
        items = items.exclude(pk__in=hidden.values(ITEM))
    return items


def _let_through(use_case: UseCase, user: Any, filters: Filters | None) -> QuerySet[Any]:
    """Return ``get_items(user)``, filtered; ``hide_after`` is not looked at."""
    return apply_filters(use_case.get_items(host_user(user)), filters)


def shared_items(use_case: UseCase, user: Any, ids: Collection[Any], chunk_size: int = 10_000) -> dict[Any, Any]:
    """Return {id: item} of those ``ids`` that ``get_items`` yields for anybody, ``user`` for one.

    Only for use cases with ``items_are_shared``; what ``hide_after`` hides from each user is the caller's to leave out.
    """
    items, usable = use_case.get_items(user).order_by(), usable_ids(use_case, ids)
    chunks = [usable[start : start + chunk_size] for start in range(0, len(usable), chunk_size)]
    return {item.pk: item for chunk in chunks for item in items.filter(pk__in=chunk)}


def newest_ids(use_case: UseCase, items: QuerySet[Any], limit: int) -> list[Any]:
    """Return the keys of up to ``limit`` different items; DISTINCT would sort whole rows, if the database can."""
    once = use_case.items._base_manager.filter(pk__in=items.order_by().values("pk"))
    return list(once.order_by(*use_case.newest_first).values_list("pk", flat=True)[:limit])
