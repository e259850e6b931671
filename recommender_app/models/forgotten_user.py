"""Tombstones: users whom serving and training ignore. They hold no id, only a keyed hash of it."""

from django.db import models


class ForgottenUser(models.Model):
    """One user of one model who asked to be forgotten; see ``registry.tombstones`` for the hash.

    A row that was taken back ignores nobody; it stays as the record of what happened.
    """

    user_model = models.CharField(max_length=128, help_text="Label of the host's model, such as shop.customer.")
    digest = models.CharField(max_length=32, db_index=True, help_text="Keyed hash of the model's label and the id.")
    key_digest = models.CharField(max_length=8, help_text="Says which secret key the hash was made with.")
    forgotten_at = models.DateTimeField(help_text="By the database's clock.")
    forgotten_by = models.CharField(max_length=150, blank=True, help_text="Who did it: staff, or the door.")
    versions_due_at = models.DateTimeField(
        help_text="When the last version that was trained with the user's data is deleted, superseded or not."
    )
    versions_gone_at = models.DateTimeField(null=True, blank=True, help_text="Since when all of them are deleted.")
    revoked_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the id is ignored no more; what was removed stays removed."
    )
    revoked_by = models.CharField(max_length=150, blank=True, help_text="Who took the tombstone back.")
    report = models.JSONField(default=dict, blank=True, help_text="How much was removed where; no ids.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=models.Q(revoked_at=None), name="recommender_one_tombstone"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_model} {self.digest[:8]}"
