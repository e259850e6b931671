"""A whole comparison: all users, groups of users, and the same users with shorter histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from recommender_app.dataset.splits import Split
from recommender_app.engines.base import Engine
from recommender_app.evaluation.cohorts import among_users, cohorts, interaction_counts
from recommender_app.evaluation.curves import Curve, LongTail, long_tail, precision_recall
from recommender_app.evaluation.evaluate import Evaluation, Progress, evaluate

KS = (5, 10, 20)
RECENT = (0, 3, 10)  # newest interactions that engines are allowed to know


@dataclass(frozen=True)
class Study:
    """What was measured of engines trained on one split.

    Attributes:
        overall: users with at least one positive interaction before the cut.
        cohorts: {name: the users of an activity group, new users included}; groups without users
            are left out.
        shortened: {"newest 3": the users of ``overall``, engines knowing only that much of them}.
        curves: {engine: precision and recall at every list length}, users of ``overall``.
        tail: where in the catalogue the recommendations of ``overall`` come from.
        seed: of the bootstrap.
        left_out: {engine: why it could not learn from these data}.
    """

    overall: Evaluation
    cohorts: dict[str, Evaluation]
    shortened: dict[str, Evaluation]
    curves: dict[str, Curve]
    tail: LongTail
    seed: int
    left_out: dict[str, str]


def study(
    engines: Mapping[str, Engine],
    split: Split,
    *,
    thresholds: tuple[int, int] = (5, 20),
    ks: Sequence[int] = KS,
    seed: int = 0,
    left_out: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Study:
    """Measure all engines on the same users, whole and in groups.

    Args:
        engines: name -> engine trained on ``split.train``.
        thresholds: interaction counts from which a user is warm, and hot.
    """
    train = split.train
    steps = partial(_steps, progress, len(engines))
    everybody = evaluate(engines, split, ks, seed=seed, min_history=0, progress=steps("whole histories"))
    has_history = train.positives.getnnz(axis=1)[everybody.user_rows] > 0
    overall = among_users(everybody, has_history, train.n_items, "users with a history")
    counts = interaction_counts(train)[everybody.user_rows]
    groups = {
        name: among_users(everybody, chosen, train.n_items, f"{name} users")
        for name, chosen in cohorts(counts, *thresholds).items()
        if chosen.any()
    }
    shortened = {}
    for n in RECENT:
        name = f"newest {n}" if n else "no history"
        shortened[name] = evaluate(engines, split, ks, seed=seed, recent=n, progress=steps(name))
    curves = {name: precision_recall(rows, split, overall.user_rows) for name, rows in overall.rows.items()}
    tail = long_tail(overall.rows, train, at=10 if max(ks) >= 10 else max(ks))
    return Study(overall, groups, shortened, curves, tail, seed, dict(left_out or {}))


def _steps(progress: Progress | None, n_engines: int, name: str) -> Progress | None:
    """Return a progress that counts finished engines under one name."""
    if progress is None:
        return None
    finished = set()

    def report(done: int, total: int, engine: str) -> None:
        if done >= total:
            finished.add(engine)
            progress(len(finished), n_engines, name)

    return report
