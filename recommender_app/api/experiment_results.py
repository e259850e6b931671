"""A snapshot as the API answers it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from recommender_app.measurement.readouts.tables import COLUMNS

_TEXTS = {
    "experiment": "Key of the experiment.",
    "as_of": "Last day that is counted, in UTC.",
    "verdict": "Of the snapshot, in a word: no row can be read while it is unhealthy.",
    "metric": "Such as ctr.",
    "role": "primary, secondary, guardrail or watched.",
    "arm": "Key of the arm.",
}
_COUNTS = {"phase": "Number of the phase.", "users": "Users that the metric is about."}
_NUMBERS = {
    "value": "The arm's rate; null where there is nothing to divide by.",
    "difference": "Arm minus control; null for control, and where the users do not tell.",
    "low": "Of the always-valid interval of the difference.",
    "high": "See low.",
    "relative": "0.05 = 5 % more than control; null where a rate is too near to zero.",
    "relative_low": "Of its interval.",
    "relative_high": "See relative_low.",
    "p_value": "Valid however often it is looked at.",
    "p_adjusted": "The same, adjusted for the number of treatments or metrics.",
    "fixed_low": "Of the interval of the one look at the planned sample; null before.",
    "fixed_high": "See fixed_low.",
    "fixed_p_value": "Of the one look.",
    "fixed_p_adjusted": "The same, adjusted for the number of treatments.",
}


class RowSerializer(serializers.Serializer[Any]):
    """One metric of one arm."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return a field for each column of the tables."""
        fields: dict[str, Any] = {}
        for name in COLUMNS:
            if name in _TEXTS:
                fields[name] = serializers.CharField(help_text=_TEXTS[name])
            elif name in _COUNTS:
                fields[name] = serializers.IntegerField(help_text=_COUNTS[name])
            else:
                fields[name] = serializers.FloatField(allow_null=True, help_text=_NUMBERS[name])
        return fields


class HealthCheckSerializer(serializers.Serializer[Any]):
    """One check of whether the numbers can be believed."""

    check = serializers.CharField(help_text="Its name.")
    severity = serializers.ChoiceField(["green", "amber", "red"], help_text="How bad it is.")
    sentence = serializers.CharField(help_text="What it says, for people.")
    blocks = serializers.BooleanField(help_text="While it is red, no result can be believed.")
    value = serializers.FloatField(allow_null=True, help_text="What was looked at.")
    p = serializers.FloatField(allow_null=True, help_text="Its p-value, if it has one.")


class GuardrailSerializer(serializers.Serializer[Any]):
    """One guardrail of one treatment."""

    metric = serializers.CharField(help_text="Such as fallback_rate.")
    arm = serializers.CharField(help_text="Key of the treatment.")
    safety = serializers.ChoiceField(["safe", "undecided", "breached"], help_text="What it says.")
    treatment = serializers.FloatField(help_text="The arm's rate.")
    control = serializers.FloatField(help_text="Control's rate.")
    beyond = serializers.FloatField(help_text="How far beyond the margin; below zero it is within.")
    at_least = serializers.FloatField(help_text="Bound of beyond: breached above zero.")
    at_most = serializers.FloatField(help_text="Bound of beyond: safe below zero.")


class AllPhasesSerializer(serializers.Serializer[Any]):
    """One treatment over all phases with the same arms: compared within each phase, then averaged."""

    arm = serializers.CharField(help_text="Key of the treatment.")
    n = serializers.IntegerField(help_text="Users of both arms, in all phases.")

    treatment = serializers.FloatField(help_text="The arm's rate.")
    control = serializers.FloatField(help_text="Control's rate.")
    difference = serializers.FloatField(help_text=_NUMBERS["difference"])
    low = serializers.FloatField(help_text=_NUMBERS["low"])
    high = serializers.FloatField(help_text=_NUMBERS["high"])
    p_value = serializers.FloatField(help_text=_NUMBERS["p_value"])
    alpha = serializers.FloatField(help_text="Error rate that the interval keeps.")
    relative = serializers.FloatField(allow_null=True, help_text=_NUMBERS["relative"])
    relative_low = serializers.FloatField(allow_null=True, help_text=_NUMBERS["relative_low"])
    relative_high = serializers.FloatField(allow_null=True, help_text=_NUMBERS["relative_high"])


class ReadOutSerializer(serializers.Serializer[Any]):
    """What a snapshot says."""

    experiment = serializers.CharField(help_text="Key of the experiment.")
    name = serializers.CharField(help_text="For people.")
    use_case = serializers.CharField(help_text="Key of the use case.")
    status = serializers.CharField(help_text="draft, running, stopped or concluded.")
    phase = serializers.IntegerField(help_text="Number of the phase.")
    started_at = serializers.DateTimeField(allow_null=True, help_text="Null: not yet.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null: not yet.")
    as_of = serializers.DateField(allow_null=True, help_text="Day of the snapshot; null while there is none.")
    verdict = serializers.CharField(allow_null=True, help_text="In a word.")
    sentence = serializers.CharField(help_text="The verdict in words.")
    health = HealthCheckSerializer(many=True, help_text="The worst first.")
    rows = RowSerializer(many=True, help_text="Every metric of every arm, the primary metric and control first.")
    guardrails = GuardrailSerializer(many=True, help_text="Of every treatment.")
    all_phases = AllPhasesSerializer(many=True, help_text="Of the primary metric; empty without earlier phases.")
    code_version = serializers.CharField(allow_null=True, help_text="Of the app that took the snapshot.")
    data_hash = serializers.CharField(allow_null=True, help_text="SHA-256 of the sums it was computed from.")
