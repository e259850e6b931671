"""Which rows are made up."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Simulation(models.Model):
    """One run of ``load_marketplace``: its parameters, and the logins it made.

    Everything simulated hangs on these logins, so that it can be removed with them.
    """

    seed = models.PositiveBigIntegerField()
    n_startups = models.PositiveIntegerField()
    n_developers = models.PositiveIntegerField()
    n_investors = models.PositiveIntegerField()
    n_days = models.PositiveIntegerField()
    loaded_at = models.DateTimeField(default=timezone.now)
    accounts = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.n_startups} start-ups, {self.n_developers} developers, "
            f"{self.n_investors} investors, {self.n_days} days"
        )
