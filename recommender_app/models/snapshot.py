"""Snapshots: what the numbers of a phase said at the end of a day. Rows are only ever added."""

from django.db import models

from recommender_app.models.append_only import AppendOnly
from recommender_app.models.phase import Phase


class Snapshot(AppendOnly):
    """One day's look at a phase: health, sums and read-outs, with what is needed to compute them again."""

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="snapshots")
    as_of = models.DateField(help_text="Last day that is counted, in UTC.")
    method_version = models.PositiveSmallIntegerField(default=1, help_text="Of the statistics.")
    code_version = models.CharField(max_length=32, help_text="Of the app.")
    data_hash = models.CharField(max_length=64, help_text="SHA-256 of the sums.")
    sums = models.JSONField(help_text="{arm: {metric: [n, sum y, sum x, sum yy, sum xx, sum xy]}}")
    health = models.JSONField(help_text="[{check, severity, value, p, sentence}], worst first.")
    results = models.JSONField(help_text="Per arm and metric: value, lift, intervals, p.")
    verdict = models.CharField(max_length=32)
    sentence = models.TextField(help_text="The verdict in words.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-as_of", "-id")
        constraints = [
            models.UniqueConstraint(fields=["phase", "as_of", "method_version"], name="recommender_snapshot_once")
        ]

    def __str__(self) -> str:
        return f"{self.phase} {self.as_of}: {self.verdict}"
