"""Groups of users by what they had done before the cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset
from recommender_app.evaluation.evaluate import Evaluation, mean_of_known
from recommender_app.evaluation.variety import coverage

Mask = NDArray[np.bool_]


def interaction_counts(train: Dataset) -> NDArray[np.int64]:
    """Return (n_users,) distinct (item, event) pairs before the cut, dislikes included: what routes a request."""
    table = train.interactions
    n_events = max(len(table.event_names), 1)
    codes = (table.user_rows.astype(np.int64) * train.n_items + table.item_rows) * n_events + table.events
    users = np.unique(codes) // (max(train.n_items, 1) * n_events)
    return np.bincount(users, minlength=train.n_users)


def cohorts(counts: NDArray[np.int64], warm_from: int = 5, hot_from: int = 20) -> dict[str, Mask]:
    """Return {name: (n,) mask} of users by their (n,) interaction counts; the groups do not overlap.

    Args:
        warm_from, hot_from: the counts from which the service treats a user as warm and as hot.
    """
    return {
        "new (0)": counts == 0,
        f"cold (1-{warm_from - 1})": (counts > 0) & (counts < warm_from),
        f"warm ({warm_from}-{hot_from - 1})": (counts >= warm_from) & (counts < hot_from),
        f"hot ({hot_from}+)": counts >= max(warm_from, hot_from),
    }


def among_users(evaluation: Evaluation, chosen: Mask, n_items: int, description: str) -> Evaluation:
    """Return the same measurement for some of its users; nothing is ranked again.

    Args:
        chosen: (n_users,) mask beside ``evaluation.user_rows``.
        n_items: size of the catalogue, for coverage.
        description: who they are, such as "users with a history"; it ends the protocol.
    """
    per_user = {
        engine: {metric: values[chosen] for metric, values in measured.items()}
        for engine, measured in evaluation.per_user.items()
    }
    rows = {engine: lists[chosen] for engine, lists in evaluation.rows.items()}
    engines = {
        engine: {metric: mean_of_known(values) for metric, values in measured.items()}
        | {
            metric: coverage(rows[engine][:, : int(metric.partition("@")[2])], n_items)
            for metric in evaluation.engines[engine]
            if metric.startswith("coverage@")
        }
        for engine, measured in per_user.items()
    }
    how, _, _everybody = evaluation.protocol.rpartition("; ")
    protocol = f"{how}; {int(chosen.sum())} {description}"
    return replace(
        evaluation,
        engines=engines,
        per_user=per_user,
        user_rows=evaluation.user_rows[chosen],
        protocol=protocol,
        rows=rows,
    )
