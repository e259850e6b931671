"""The forms of experiments: choices instead of free text, and every mistake named at its field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from recommender_app.admin.json_text import JSONText
from recommender_app.experiments.arm_policies import policy_sentences
from recommender_app.experiments.metrics import DECIDING, METRICS
from recommender_app.experiments.starting import eligibility_problems, metric_problems
from recommender_app.experiments.templates import TEMPLATES
from recommender_app.models import Arm, Experiment, Phase
from recommender_app.usecases.site import all_use_cases


def _use_cases() -> list[tuple[str, str]]:
    return [(use_case.key, use_case.label) for use_case in all_use_cases()]


def _templates() -> list[tuple[str, str]]:
    return [(name, template.label) for name, template in TEMPLATES.items()]


def _metrics(keys: Any) -> list[tuple[str, str]]:
    return [(key, f"{key}: {METRICS[key].label}") for key in keys]


class ShareField(forms.DecimalField):
    """A share that is stored in basis points and written in per cent."""

    def __init__(self, *, least: float = 0, **options: Any) -> None:
        super().__init__(min_value=least, max_value=100, decimal_places=2, step_size=None, **options)

    def prepare_value(self, value: Any) -> Any:
        """Show stored basis points in per cent."""
        return f"{value / 100:g}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Return basis points."""
        per_cent = super().clean(value)
        return None if per_cent is None else round(per_cent * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what was shown with what came back."""
        return super().has_changed(self.to_python(self.prepare_value(initial)), data)


class CreateForm(forms.ModelForm):
    """A new experiment begins as a template; what it says can be changed until it starts."""

    template = forms.ChoiceField(choices=_templates)
    use_case = forms.ChoiceField(choices=_use_cases, help_text="Whose requests it is about.")

    class Meta:
        model = Experiment
        fields = ("key", "use_case")
        help_texts = {"key": "What logs and commands call it; no other experiment ever has it."}


class AAForm(forms.Form):
    """Two equal arms for everybody, started at once."""

    use_case = forms.ChoiceField(choices=_use_cases)
    key = forms.SlugField(max_length=64, help_text="What logs and commands call it.")


class PlanForm(forms.ModelForm):
    """What is asked and how it will be judged, before the start."""

    use_case = forms.ChoiceField(choices=_use_cases, help_text="Whose requests it is about.")
    primary_metric = forms.ChoiceField(choices=lambda: _metrics(DECIDING), help_text="The one that decides.")
    secondary_metrics = forms.MultipleChoiceField(
        choices=lambda: _metrics(METRICS), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Experiment
        exclude: tuple[str, ...] = ()
        field_classes = {"guardrails": JSONText}

    def clean_guardrails(self) -> Any:
        """Refuse metrics that nobody measures, and margins that are none."""
        guardrails = self.cleaned_data["guardrails"] or {}
        problems = list(metric_problems(Experiment(guardrails=guardrails)))
        if problems:
            raise ValidationError(problems)
        return guardrails


class PhaseForm(forms.ModelForm):
    """Who is eligible, and how many units each arm needs."""

    class Meta:
        model = Phase
        fields = ("eligibility", "planned_units")
        field_classes = {"eligibility": JSONText}

    def clean_eligibility(self) -> Any:
        """Nothing written means everybody."""
        eligibility = self.cleaned_data["eligibility"] or {}
        problems = list(eligibility_problems(eligibility, self.instance.experiment.unit_type))
        if problems:
            raise ValidationError(problems)
        return eligibility


class ArmForm(forms.ModelForm):
    """One arm; that all of them make 100 % is checked together, before the start."""

    weight_bp = ShareField(least=0.01, label="Weight in %", help_text="Share of the enrolled units; all arms make 100.")

    class Meta:
        model = Arm
        fields = ("key", "name", "is_control", "weight_bp", "policy")
        field_classes = {"policy": JSONText}
        widgets = {
            "key": forms.TextInput(attrs={"size": 12}),
            "name": forms.TextInput(attrs={"size": 20}),
            "policy": forms.Textarea(attrs={"rows": 3, "cols": 44, "spellcheck": "false"}),
        }

    def clean_policy(self) -> Any:
        """Refuse what no request could be served by; nothing written means as in force."""
        policy = self.cleaned_data["policy"] or {}
        problems = policy_sentences(self.instance.phase.experiment.use_case, policy)
        if problems:
            raise ValidationError(problems)
        return policy

    def validate_constraints(self) -> None:
        """Leave it to the formset who is the control: it may be another arm from now on."""
        try:
            self.instance.validate_constraints(exclude={"is_control"})
        except ValidationError as error:
            self.add_error(None, error)


class ArmFormSet(forms.BaseInlineFormSet):
    """The arms together."""

    def clean(self) -> None:
        """Refuse two controls; whatever else is missing is said before the start."""
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form not in self.deleted_forms]
        if sum(bool(values.get("is_control")) for values in kept) > 1:
            raise ValidationError("Only one arm can be the control.")

    def save(self, commit: bool = True) -> Any:
        """Store them; whoever is the control no longer says so first."""
        controls = [form.instance.pk for form in self.forms if form.cleaned_data.get("is_control")]
        if commit and any("is_control" in form.changed_data for form in self.forms):
            self.get_queryset().exclude(pk__in=[pk for pk in controls if pk]).update(is_control=False)
        return super().save(commit)


class RampStepForm(forms.ModelForm):
    """One step of the ramp."""

    enrol_bp = ShareField(least=0.01, label="Share in %", help_text="Of the eligible units, from that day on.")


class ShareForm(forms.Form):
    """How many of the eligible units are enrolled from now on."""

    share = ShareField(label="Share in %", help_text="Of the eligible units.")

    def __init__(self, data: Any, phase: Phase) -> None:
        super().__init__(data, initial={"share": phase.enrol_bp})


class WinnerForm(forms.Form):
    """Which arm won, and whether it serves everybody from now on."""

    winner = forms.ChoiceField()
    write_policy = forms.BooleanField(
        required=False,
        label="Full rollout",
        help_text="Write what the winner says into the serving policy: everybody is served by it within seconds.",
    )

    def __init__(self, data: Any, phase: Phase) -> None:
        super().__init__(data)
        arms = [(arm.key, f"{arm.key}: {arm.name or 'no name'}") for arm in phase.arms.order_by("pk")]
        self.fields["winner"].choices = arms  # type: ignore[attr-defined]
