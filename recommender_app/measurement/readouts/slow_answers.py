"""How many answers of an arm were slower than 95 % of control's: the p95 as a ratio of user totals.

A quantile of all answers takes the answers of one user for independent; the share above a fixed
time does not, and has the delta method's interval. The time is control's p95, taken from its
histogram, at the end of a bucket.
"""

from __future__ import annotations

from itertools import groupby

from django.db.models import QuerySet

from recommender_app.measurement.intervals import Totals, totals_of
from recommender_app.measurement.latency import Histogram, added, from_json
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
    of_users = (added(from_json(row[1]) for row in user) for _, user in groupby(in_order, key=lambda row: row[0]))
    return totals_of((_slow(histogram, slow_bucket), sum(histogram.values())) for histogram in of_users)


def _slow(histogram: Histogram, slow_bucket: int) -> int:
    return sum(count for bucket, count in histogram.items() if bucket >= slow_bucket)
