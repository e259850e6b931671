"""Experiments planned from a template, and what a move that is refused says."""

from __future__ import annotations

import pytest

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments.templates import create_from_template
from recommender_app.models import Experiment


def planned(template="a_a", key="test", **plan) -> Experiment:
    experiment = create_from_template(template, "books", key, "ann")
    Experiment.objects.filter(pk=experiment.pk).update(**plan)
    return Experiment.objects.get(pk=experiment.pk)


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call(*args, **kwargs)
    return str(raised.value)
