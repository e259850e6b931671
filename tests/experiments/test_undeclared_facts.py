"""An experiment that chooses users by what nobody tells of them would enrol nobody, so it does not start."""

import pytest

from recommender_app.experiments.starting import start_problems
from recommender_app.experiments.templates import create_from_template
from recommender_app.models import Phase
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


def test_facts_that_the_use_case_does_not_tell_are_named_before_the_start(monkeypatch):
    experiment = create_from_template("a_a", "books", "e", "ann")
    Phase.objects.update(eligibility={"min_interactions": 1, "country": ["de"]})
    phase = experiment.phases.get()
    (problem,) = start_problems(experiment, phase)
    assert problem == "Eligibility: books knows no country, so nobody is eligible: declare unit_facts on it."
    monkeypatch.setattr(BooksForReaders, "unit_facts", lambda self, reader: {"country": "de"})
    assert start_problems(experiment, phase) == []
