"""What the request log comes to, day by day: sums per user, what cannot be summed, and which days are done.

Days are days of UTC. Everything that came of an answer counts on the day of the answer. Ids are
text, never foreign keys: roll-ups outlive the log.
"""

from django.db import models


class Group(models.Model):
    """What answered: the key that roll-ups are grouped by, within a use case and a day."""

    use_case = models.CharField(max_length=64)
    day = models.DateField(help_text="Day of the answers, in UTC.")
    engine = models.CharField(max_length=32, help_text="The engine that served; 'none' for empty answers.")
    model_version = models.CharField(max_length=64, blank=True)
    experiment = models.CharField(max_length=64, blank=True, help_text="Empty: in no experiment.")
    phase = models.PositiveIntegerField(default=0, help_text="0: in no experiment.")
    arm = models.CharField(max_length=64, blank=True, help_text="The assigned arm, whatever served.")

    class Meta:
        abstract = True


class RollUp(Group):
    """One user's day in one group: sums, which may be added up over days and then squared per user."""

    user_id = models.CharField(max_length=255, blank=True, help_text="External id of the user as text.")
    requests = models.PositiveIntegerField(default=0)
    fallbacks = models.PositiveIntegerField(default=0, help_text="Answers with a fallback reason.")
    impressions = models.PositiveIntegerField(default=0, help_text="Items in the answers.")
    seen = models.PositiveIntegerField(default=0, help_text="Of those, reported as really seen.")
    clicks = models.PositiveIntegerField(default=0, help_text="Of those, clicked.")
    conversions = models.PositiveIntegerField(default=0, help_text="Of those, with an event of ``conversions``.")
    likes = models.PositiveIntegerField(default=0)
    dislikes = models.PositiveIntegerField(default=0)
    ratings = models.PositiveIntegerField(default=0)
    ratings_sum = models.PositiveIntegerField(default=0)
    sessions = models.PositiveIntegerField(default=0, help_text="Visits whose first answer is of this group.")
    session_seconds = models.FloatField(default=0.0)
    latency_ms_sum = models.FloatField(default=0.0)
    latencies = models.JSONField(default=dict, help_text="{bucket: answers}, see ``measurement.latency``.")
    diversity_sum = models.FloatField(default=0.0)
    diversities = models.PositiveIntegerField(default=0, help_text="Answers whose diversity is known.")
    distinct_items = models.PositiveIntegerField(default=0, help_text="Different items shown to the user that day.")

    class Meta:
        ordering = ("-day", "use_case", "user_id")
        permissions = [("view_metrics", "Can read the metrics of recommendations")]
        constraints = [
            models.UniqueConstraint(
                fields=["use_case", "day", "user_id", "engine", "model_version", "experiment", "phase", "arm"],
                name="recommender_roll_up_once",
            ),
            models.CheckConstraint(
                condition=models.Q(clicks__lte=models.F("impressions"), seen__lte=models.F("impressions")),
                name="recommender_roll_up_of_shown",
            ),
        ]
        indexes = [
            models.Index(fields=["use_case", "user_id"], name="recommender_roll_up_user"),
            models.Index(fields=["experiment", "phase", "day"], name="recommender_roll_up_phase"),
        ]

    def __str__(self) -> str:
        return f"{self.use_case} {self.day} {self.engine}: {self.user_id}"


class RollUpShape(Group):
    """What no sum over users gives: how latencies are spread, and which items were shown at all."""

    latencies = models.JSONField(default=dict, help_text="{bucket: answers}, see ``measurement.latency``.")
    items = models.BinaryField(help_text="Sketch of the different items shown, see ``measurement.distinct``.")

    class Meta:
        ordering = ("-day", "use_case", "engine")
        constraints = [
            models.UniqueConstraint(
                fields=["use_case", "day", "engine", "model_version", "experiment", "phase", "arm"],
                name="recommender_shape_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.use_case} {self.day} {self.engine}"


class RolledUpDay(models.Model):
    """A day of a use case that was rolled up, also where nothing happened."""

    use_case = models.CharField(max_length=64)
    day = models.DateField()
    rolled_up_at = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)
    first_request_at = models.DateTimeField(null=True, blank=True, help_text="Oldest answer that was counted.")

    class Meta:
        ordering = ("use_case", "-day")
        constraints = [models.UniqueConstraint(fields=["use_case", "day"], name="recommender_rolled_up_day")]

    def __str__(self) -> str:
        return f"{self.use_case} {self.day}"
