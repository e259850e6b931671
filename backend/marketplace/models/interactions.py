"""What people did with start-ups, and start-ups with people.

Applications have a table of their own. That a start-up *received* one is read from there: a
second row for the same fact could only disagree with it.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from backend.marketplace.models.people import Developer, Investor
from backend.marketplace.models.startup import Startup

ONE_PERSON = Q(developer__isnull=False, investor__isnull=True) | Q(developer__isnull=True, investor__isnull=False)


class StartupInteraction(models.Model):
    """One action of a developer or an investor on a start-up."""

    class Kind(models.TextChoices):
        VIEW = "view", "view"
        CLICK = "click", "click"
        LIKE = "like", "like"
        DISLIKE = "dislike", "dislike"
        FAVORITE = "favorite", "favorite"
        INTEREST = "interest", "interest"

    # The indexes below begin with these columns: a foreign key's own index would repeat them.
    developer = models.ForeignKey(Developer, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    investor = models.ForeignKey(Investor, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    startup = models.ForeignKey(Startup, on_delete=models.CASCADE, db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=ONE_PERSON, name="startup_interaction_of_one_person")]
        indexes = [
            models.Index(fields=["developer", "created_at"], name="startup_int_developer_time"),
            models.Index(fields=["investor", "created_at"], name="startup_int_investor_time"),
            models.Index(fields=["startup", "created_at"], name="startup_int_startup_time"),
        ]

    def __str__(self) -> str:
        return f"{self.developer or self.investor}: {self.kind} {self.startup}"


class PersonInteraction(models.Model):
    """One action of a start-up on a developer or an investor."""

    class Kind(models.TextChoices):
        VIEW = "view", "view"
        CLICK = "click", "click"
        CONTACT = "contact", "contact"

    startup = models.ForeignKey(Startup, on_delete=models.CASCADE, db_index=False)
    developer = models.ForeignKey(Developer, null=True, blank=True, on_delete=models.CASCADE)
    investor = models.ForeignKey(Investor, null=True, blank=True, on_delete=models.CASCADE)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=ONE_PERSON, name="person_interaction_with_one_person")]
        indexes = [models.Index(fields=["startup", "created_at"], name="person_int_startup_time")]

    def __str__(self) -> str:
        return f"{self.startup}: {self.kind} {self.developer or self.investor}"
