"""People who start and edit at the same time, on real databases: a process of its own."""

from __future__ import annotations

import pytest

from tests.app.processes import run_on

ROUNDS = 5


def overlapping_starts_at_once_start_one():
    """Whoever comes second sees what the first has started."""
    from recommender_app.exceptions import ConfigurationError
    from recommender_app.experiments import lifecycle
    from recommender_app.experiments.templates import create_from_template
    from recommender_app.models import Experiment
    from tests.app.test_registry_concurrency import at_once

    for number in range(ROUNDS):
        planned = [create_from_template("a_a", "books", f"e{number}-{place}", "ann") for place in range(3)]
        results = at_once(*[lambda each=each: lifecycle.start(each, "ann") for each in planned])
        refused = [result for result in results if isinstance(result, Exception)]
        assert all(isinstance(error, ConfigurationError) for error in refused), refused
        assert len(refused) == 2
        lifecycle.stop(Experiment.objects.get(status="running"), "", "ann")


def edits_at_once_with_a_start_are_in_it_or_refused():
    """What was started is what its hash says, whoever saved or updated an arm meanwhile."""
    from django.core.exceptions import ValidationError

    from recommender_app.experiments import lifecycle
    from recommender_app.experiments.templates import create_from_template
    from recommender_app.experiments.trail import configuration_hash
    from recommender_app.models import Arm, Phase
    from tests.app.test_registry_concurrency import at_once

    for number in range(ROUNDS):
        experiment = create_from_template("a_a", "movies", f"f{number}", "ann")
        arm = Arm.objects.get(phase__experiment=experiment, key="same")
        arm.policy = {"diversity": 0.5}
        rows = Arm.objects.filter(pk=arm.pk)
        results = at_once(
            lambda experiment=experiment: lifecycle.start(experiment, "ann"),
            lambda arm=arm: arm.save(),
            lambda rows=rows: rows.update(policy={"diversity": 0.25}),
            lambda arm=arm: Arm.objects.create(phase_id=arm.phase_id, key="late", weight_bp=10) and None,
        )
        wrong = [each for each in results[1:] if isinstance(each, Exception) and not isinstance(each, ValidationError)]
        assert not wrong, wrong
        phase = Phase.objects.get(experiment=experiment)
        if phase.started_at is not None:
            assert phase.config_hash == configuration_hash(phase)
            lifecycle.stop(experiment, "", "ann")
        else:
            assert "make 100.1 %" in str(results[0])


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def test_two_at_once_on_a_real_database(database, request, tmp_path):
    url = request.getfixturevalue("postgres_database") if database == "postgres" else f"sqlite:///{tmp_path / 'db'}"
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "from tests.experiments import test_lifecycle_concurrency as tests\n"
        "tests.overlapping_starts_at_once_start_one()\n"
        "tests.edits_at_once_with_a_start_are_in_it_or_refused()\n"
    )
    run_on(url, code)
