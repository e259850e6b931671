"""Phases: one immutable configuration of an experiment, with its arms and its ramp."""

from django.db import models
from django.utils import timezone

from recommender_app.models.experiment import ALL, Experiment
from recommender_app.models.freezing import Freezing
from recommender_app.models.never_moved import NeverMoved


class Phase(Freezing):
    """From its start to its end nothing about it changes but how many units are enrolled."""

    natural_fields = ("experiment__key", "number")

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="phases")
    number = models.PositiveIntegerField(help_text="1, 2, ... within the experiment.")
    enrol_salt = models.CharField(max_length=64, help_text="Of the hash that decides who is enrolled.")
    arm_salt = models.CharField(max_length=64, help_text="Of the hash that decides the arm; another one.")
    eligibility = models.JSONField(
        default=dict, blank=True, help_text='{"min_interactions": 5, "max_interactions": 19, "roles": ["developer"]}'
    )
    enrol_bp = models.PositiveSmallIntegerField(default=0, help_text="Share of eligible units that are enrolled now.")
    is_enrolling = models.BooleanField(default=True, help_text="Off: paused; who is in stays in.")
    planned_units = models.PositiveIntegerField(default=0, help_text="Per arm, from the calculator; 0 = none planned.")
    config_hash = models.CharField(max_length=64, blank=True, help_text="Of arms, salts and eligibility, at the start.")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("experiment", "number")
        constraints = [
            models.UniqueConstraint(fields=["experiment", "number"], name="recommender_phase_number"),
            models.UniqueConstraint(
                fields=["experiment"],
                condition=models.Q(ended_at__isnull=True),
                name="recommender_one_open_phase",
                violation_error_message="The experiment has an open phase: end it first.",
            ),
            models.CheckConstraint(
                condition=models.Q(enrol_bp__lte=ALL),
                name="recommender_phase_enrolled",
                violation_error_message="A share is from 0 to 10000 basis points: 10000 is everybody.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment.key}/{self.number}"


class Arm(Freezing):
    """One treatment: what its policy says on top of the one in force."""

    natural_fields = ("phase__experiment__key", "phase__number", "key")

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="arms")
    key = models.SlugField(max_length=64)
    name = models.CharField(max_length=120, blank=True)
    is_control = models.BooleanField(default=False)
    weight_bp = models.PositiveSmallIntegerField(help_text="Share of the enrolled units; all arms make 10000.")
    policy = models.JSONField(
        default=dict, blank=True, help_text='As a serving policy, and {"release": 3} to pin one. Empty: as in force.'
    )

    class Meta:
        ordering = ("phase", "id")
        constraints = [
            models.UniqueConstraint(fields=["phase", "key"], name="recommender_arm_key"),
            models.UniqueConstraint(
                fields=["phase"],
                condition=models.Q(is_control=True),
                name="recommender_one_control",
                violation_error_message="Only one arm can be the control.",
            ),
            models.CheckConstraint(
                condition=models.Q(weight_bp__gt=0, weight_bp__lte=ALL),
                name="recommender_arm_weight",
                violation_error_message="An arm's weight is from 1 to 10000.",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class RampStep(Freezing):
    """A share to be enrolled from a day of the phase on, if the gates are open then."""

    natural_fields = ("phase__experiment__key", "phase__number", "after_days")

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="ramp_steps")
    enrol_bp = models.PositiveSmallIntegerField(help_text="Share of eligible units that are enrolled from then on.")
    after_days = models.PositiveSmallIntegerField(default=0, help_text="Days after the start of the phase.")
    is_manual = models.BooleanField(default=False, help_text="Waits for a person, however green all checks are.")
    activated_at = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=200, blank=True, help_text="Why it waits.")

    class Meta:
        ordering = ("phase", "after_days")
        constraints = [
            models.UniqueConstraint(fields=["phase", "after_days"], name="recommender_ramp_day"),
            models.UniqueConstraint(fields=["phase", "enrol_bp"], name="recommender_ramp_share"),
            models.CheckConstraint(
                condition=models.Q(enrol_bp__lte=ALL),
                name="recommender_ramp_within",
                violation_error_message="A step enrols from 0 to 10000 basis points: 10000 is everybody.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrol_bp / 100:g} % after {self.after_days} days"


class Assignment(NeverMoved):
    """Which arm a unit is in: the truth, whatever the hashes would say today. Rows never change arms."""

    class Source(models.TextChoices):
        HASH = "hash"
        FORCED = "forced", "forced: a preview, never counted"
        LINKED = "linked", "linked: taken over from the session before the login"

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="assignments")
    unit_type = models.CharField(max_length=16, choices=Experiment.UnitType, default=Experiment.UnitType.USER)
    unit_id = models.CharField(max_length=255, help_text="External id of the user, or the session, as text.")
    arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="assignments")
    source = models.CharField(max_length=16, choices=Source, default=Source.HASH)
    enrol_bucket = models.PositiveSmallIntegerField(help_text="0..9999, below the share that was enrolled then.")
    arm_bucket = models.PositiveSmallIntegerField(help_text="0..9999 on the line of the arms' weights.")
    enrol_bp = models.PositiveSmallIntegerField(help_text="Share that was enrolled at that time.")
    eligibility = models.JSONField(default=dict, help_text="What made it eligible, as it was then.")
    assigned_at = models.DateTimeField(default=timezone.now)
    first_exposed_at = models.DateTimeField(
        null=True, blank=True, help_text="First answer that was logged with the arm."
    )
    excluded_reason = models.CharField(
        max_length=64, blank=True, help_text="Why no analysis counts it: bot, crossover."
    )

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["phase", "unit_type", "unit_id"], name="recommender_assigned_once"),
        ]
        indexes = [
            models.Index(fields=["phase", "arm", "first_exposed_at"], name="recommender_assigned_arm"),
            models.Index(fields=["unit_type", "unit_id"], name="recommender_assigned_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.unit_type} {self.unit_id}: arm {self.arm_id}"


class IdentityLink(models.Model):
    """A session that became a user's at its login."""

    session = models.CharField(max_length=64)
    use_case = models.CharField(max_length=64)
    user_id = models.CharField(max_length=255)
    linked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["session", "use_case", "user_id"], name="recommender_linked_once")
        ]
        indexes = [models.Index(fields=["use_case", "user_id"], name="recommender_linked_user")]

    def __str__(self) -> str:
        return f"{self.session} is {self.user_id}"
