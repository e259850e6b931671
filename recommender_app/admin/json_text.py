"""A form's field for JSON that somebody wrote by hand: whatever it is, the form says what is wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from recommender_app.models.json_rules import json_problem


class JSONText(forms.JSONField):
    """JSON of few levels; Django's own field cannot read thousands of brackets or digits, nor show them again."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 60, "spellcheck": "false", "class": "vLargeTextField"})

    def to_python(self, value: Any) -> Any:
        """Return what was written.

        Raises:
            ValidationError: it is no plain JSON.
        """
        try:
            found = super().to_python(value)
        except (ValueError, RecursionError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        problem = json_problem(found)
        if problem:
            raise ValidationError(problem, code="invalid")
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what is shown again: the text itself where it cannot be read."""
        try:
            found = super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)
        return InvalidJSONInput(data) if json_problem(found) else found
