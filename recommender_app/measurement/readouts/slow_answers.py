"""How many answers of an arm were slower than 95 % of control's: the p95 as a ratio of user totals.

A quantile of all answers takes the answers of one user for independent; the share above a fixed
time does not, and has the delta method's interval. The time is control's p95, taken from its
histogram, at the end of a bucket.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from django.db.models import QuerySet

from recommender_app.measurement.intervals import Totals, totals_of
from recommender_app.measurement.latency import added, from_json
from recommender_app.models import RollUp

SHARE = 0.95


def slow_from(rows: QuerySet[RollUp]) -> int:
    """Return the first bucket of which less than 5 % of the answers are, of control's roll-ups."""
    total = added(from_json(latencies) for latencies in rows.values_list("latencies", flat=True).iterator())
    n_answers, below = sum(total.values()), 0
    for bucket, count in sorted(total.items()):
        below += count
        if below >= SHARE * n_answers:
            return bucket + 1
    return 0


def slow_sums(rows: QuerySet[RollUp], slow_bucket: int) -> Totals:
    """Return the sums over users of (slow answers, timed answers); the rows are read one by one."""
    in_order = rows.order_by("user_id").values_list("user_id", "latencies").iterator()
    users = groupby(in_order, key=lambda row: row[0])
    return totals_of(_slow_and_timed((latencies for _, latencies in user), slow_bucket) for _, user in users)


def _slow_and_timed(of_user: Iterable[Mapping[str, int]], slow_bucket: int) -> tuple[int, int]:
    """Return how many of a user's answers were slow, and how many there are."""
    slow, timed = 0, 0
    for latencies in of_user:
        for bucket, count in latencies.items():
            timed += count
            if int(bucket) >= slow_bucket:
                slow += count
    return slow, timed
