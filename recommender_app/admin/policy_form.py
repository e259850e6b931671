"""The form of a policy: choices instead of free text where there are few, and every mistake named."""

from __future__ import annotations

from typing import Any

from django import forms

from recommender_app.admin.json_text import JSONText
from recommender_app.engines.catalog import engine_keys
from recommender_app.models import ServingPolicy
from recommender_app.registry.policies import check_thresholds
from recommender_app.usecases.attributes import allowed_attributes
from recommender_app.usecases.site import all_use_cases, get_use_case


def _use_cases() -> list[tuple[str, str]]:
    return [(use_case.key, use_case.label) for use_case in all_use_cases()]


def _engines() -> list[tuple[str, str]]:
    return [(key, key.replace("_", " ")) for key in engine_keys()]


class PolicyForm(forms.ModelForm):
    """One policy; ``ServingPolicy.clean`` checks the JSON, the database's constraints the rest."""

    use_case = forms.ChoiceField(choices=_use_cases, help_text="Whose requests it serves.")
    disabled = forms.MultipleChoiceField(
        choices=_engines,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Switched off",
        help_text="These engines do not answer, and no ensemble uses them. The environment overrules this.",
    )

    class Meta:
        model = ServingPolicy
        exclude: tuple[str, ...] = ()
        field_classes = {"routes": JSONText, "weights": JSONText, "caps": JSONText}
        widgets = {
            "diversity": forms.NumberInput(attrs={"min": 0, "max": 1, "step": 0.05}),
            "exploration": forms.NumberInput(attrs={"min": 0, "max": 0.5, "step": 0.05}),
        }

    def clean(self) -> Any:
        """Refuse a threshold that the other one in force contradicts."""
        super().clean()
        values = self.cleaned_data
        if "cold_start_threshold" in values and "warm_user_threshold" in values:
            check_thresholds(values["cold_start_threshold"], values["warm_user_threshold"])
        return values

    def clean_routes(self) -> Any:
        """Nothing written means no routes."""
        return self.cleaned_data["routes"] or []

    def clean_weights(self) -> Any:
        """Nothing written means as trained."""
        return self.cleaned_data["weights"] or {}

    def clean_caps(self) -> Any:
        """Refuse attributes that the items of the use case do not have."""
        caps = self.cleaned_data["caps"] or {}
        key = self.cleaned_data.get("use_case")
        if not key or not isinstance(caps, dict):
            return caps
        known = allowed_attributes(get_use_case(key))
        for attribute in caps:
            if attribute not in known:
                names = ", ".join(known) or "none; list some in rule_attributes"
                raise forms.ValidationError(f"There is no attribute {attribute!r}: choose from {names}.")
        return caps
