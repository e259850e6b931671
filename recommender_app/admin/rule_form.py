"""The form of a business rule: every mistake is named at its field."""

from __future__ import annotations

from typing import Any

from django import forms

from recommender_app.admin.json_text import JSONText
from recommender_app.models import BusinessRule
from recommender_app.serving.rule_book import row_problems
from recommender_app.usecases.site import all_use_cases


def _use_cases() -> list[tuple[str, str]]:
    return [(use_case.key, use_case.label) for use_case in all_use_cases()]


class RuleForm(forms.ModelForm):
    """One rule; ``BusinessRule.clean`` and the constraints check the rest."""

    use_case = forms.ChoiceField(choices=_use_cases, help_text="Whose lists it arranges.")

    class Meta:
        model = BusinessRule
        exclude: tuple[str, ...] = ()
        field_classes = {"condition": JSONText, "item_ids": JSONText}
        widgets = {"factor": forms.NumberInput(attrs={"step": 0.1})}

    def clean_condition(self) -> Any:
        """Nothing written means no condition."""
        return self.cleaned_data["condition"] or {}

    def clean_item_ids(self) -> Any:
        """Nothing written means all items."""
        return self.cleaned_data["item_ids"] or []

    def clean(self) -> dict[str, Any]:
        """Refuse attributes, keys and ages that the use case does not know."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        condition, item_ids = values.get("condition", {}), values.get("item_ids", [])
        if values.get("use_case") and isinstance(condition, dict) and isinstance(item_ids, list):
            row = BusinessRule(
                use_case=values["use_case"],
                condition=condition,
                item_ids=item_ids,
                new_within_days=values.get("new_within_days"),
            )
            for name, problem in row_problems(row).items():
                self.add_error(name, problem)
        return values
