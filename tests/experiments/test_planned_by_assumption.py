"""A site without a past plans by what it assumes, and is told so."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from recommender_app.experiments.statistics.power import Question, sample_size
from recommender_app.experiments.statistics.sums import Totals
from recommender_app.models import ExperimentChange, Phase
from tests.experiments.planned import planned

pytestmark = pytest.mark.django_db
SITE = ("--rate", "0.05", "--users-per-day", "200")


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("recommender_experiment", "test", "--plan", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as raised:
        call_command("recommender_experiment", "test", *arguments)
    return str(raised.value)


def test_without_traffic_a_plan_is_made_of_what_is_assumed_and_says_so():
    planned(least_effect=0.5)
    assert "Or assume what will be: --plan --rate 0.05 --users-per-day 200." in refused("--plan")
    out = printed(*SITE)
    assert out.startswith(
        "Assumed, not measured: click-through rate 5 %, each user telling once (who is shown more tells more); "
        "200 users a day who were not there before.\n"
    )
    coin = Totals(5_600, 280.0, 5_600.0, 280.0, 5_600.0, 280.0)  # 28 days of 200, of whom one in twenty clicks
    per_arm = sample_size(coin, 0.5, Question())
    assert f"needs {per_arm:,} users per arm" in out
    assert f": {-(-2 * per_arm // 200)} days with its ramp." in out


def test_an_assumed_plan_is_kept_with_its_assumptions():
    planned()
    printed(*SITE, "--store")
    after = ExperimentChange.objects.get(action="plan").after
    assert after == {
        "planned_units": Phase.objects.get().planned_units,
        "assumed": {"rate": 0.05, "users_per_day": 200},
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--plan", "--rate", "5", "--users-per-day", "200"), "--rate is a share between 0 and 1, such as 0.05"),
        (("--plan", "--rate", "0.05"), "say who will come with --users-per-day."),
        (("--plan", "--rate", "0.05", "--users-per-day", "0"), "--users-per-day is a whole number from 1, not 0."),
        (SITE, "are what --plan assumes: give it, too."),
    ],
)
def test_assumptions_that_cannot_be_are_refused(arguments, sentence):
    planned()
    assert sentence in refused(*arguments)


def test_a_mean_cannot_be_assumed_by_its_rate():
    planned(primary_metric="rating")
    assert "does not tell how users differ by mean rating" in refused("--plan", *SITE)
