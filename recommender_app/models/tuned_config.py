"""The best trainer options that a search has found."""

from django.db import models


class TunedConfig(models.Model):
    """Options of one engine of a use case that the next training uses, and how they were found."""

    use_case = models.CharField(max_length=64)
    engine = models.CharField(max_length=32)
    config = models.JSONField(help_text="{option: value}, only what the search decided.")
    metric = models.CharField(max_length=32, help_text="What was maximised, such as ndcg@10.")
    value = models.FloatField(help_text="Of the metric, on the validation part.")
    n_trials = models.PositiveIntegerField()
    seed = models.BigIntegerField(default=0)
    dataset_fingerprint = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("use_case", "engine")
        constraints = [models.UniqueConstraint(fields=["use_case", "engine"], name="recommender_one_tuned_config")]

    def __str__(self) -> str:
        return f"{self.use_case} {self.engine}: {self.metric} {self.value:.4f}"
