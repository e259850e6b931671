"""``simulate_marketplace`` as somebody meets it who has just cloned the project: what it says, refuses and leaves."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backend.marketplace.loading.load import load_world
from backend.marketplace.simulation.simulate import simulate
from backend.marketplace.simulation.world import Scale
from recommender_app.experiments import lifecycle
from recommender_app.experiments.templates import create_from_template, start_a_a
from recommender_app.models import Experiment, Phase, RequestLog, Snapshot

pytestmark = pytest.mark.django_db
SMALL = Scale(n_startups=30, n_developers=40, n_investors=2, n_days=3)


@pytest.fixture(autouse=True)
def marketplace():
    end = datetime(2026, 11, 1, tzinfo=UTC)
    load_world(simulate(SMALL, 1), SMALL, 1, end=end, password="x", replace=False, advance=lambda _: None)


class CutOff(io.StringIO):
    """A terminal in which somebody presses Ctrl-C when the first day is told."""

    def write(self, text: str) -> int:
        if "so far" in text:
            raise KeyboardInterrupt
        return super().write(text)


def simulated(*arguments: str, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    call_command("simulate_marketplace", "--days", "2", "--visits-per-day", "1", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        simulated(*arguments)
    return str(refused.value)


def test_it_says_what_it_does_day_by_day_and_ends_with_what_was_found():
    said = simulated("--effect", "ctr=+60%", "--key", "mine")
    assert "mine is started for developer_startup: 40 developers, 2 days from " in said
    assert "No model of developer_startup is live" in said
    assert said.count(" developers so far, too early") == 2
    assert "The true effect: ctr +60%." in said
    assert "mine/1: Simulated, true effect ctr +60%: A/A" in said
    assert RequestLog.objects.filter(experiment="mine").count() > 40
    assert Snapshot.objects.count() == 2


def test_its_experiment_is_over_when_it_is():
    simulated("--key", "mine")
    phase = Phase.objects.get()
    assert phase.experiment.status == Experiment.Status.STOPPED
    assert (phase.ended_at - phase.started_at).days == 2
    assert "another is started" in simulated("--key", "another")


def test_a_second_run_under_the_same_name_is_told_where_the_first_is():
    simulated("--seed", "3", "-v", "0")
    n_rows = RequestLog.objects.count()
    said = refusal("--seed", "3")
    assert said.startswith("There is an experiment simulated-3 already: manage.py recommender_experiment simulated-3")
    assert "--key" in said
    assert RequestLog.objects.count() == n_rows


def test_what_runs_for_the_same_developers_is_named_and_nothing_is_left_behind():
    start_a_a("developer_startup", "in-the-way", "test")
    said = refusal("--key", "mine")
    assert said.startswith("in-the-way runs for developer_startup and could want the same developers. --stop-others ")
    assert list(Experiment.objects.values_list("key", flat=True)) == ["in-the-way"]
    assert not RequestLog.objects.exists()


def test_what_is_in_the_way_can_be_stopped_and_nothing_else_is():
    start_a_a("developer_startup", "in-the-way", "test")
    start_a_a("investor_startup", "elsewhere", "test")
    simulated("--key", "mine", "--stop-others", "-v", "0")
    assert dict(Experiment.objects.values_list("key", "status")) == {
        "in-the-way": "stopped",
        "elsewhere": "running",
        "mine": "stopped",
    }


def test_whoever_stays_out_of_each_others_way_may_run_together():
    hot = create_from_template("ensemble_hot", "developer_startup", "hot", "test")
    lifecycle.start(hot, "test")
    assert "warm is started" in simulated("--template", "als_warm", "--key", "warm")
    assert Experiment.objects.get(key="hot").status == Experiment.Status.RUNNING


def test_after_ctrl_c_the_experiment_is_stopped_in_one_line():
    with pytest.raises(CommandError, match=r"^Interrupted: mine is stopped after 1 whole days?\.") as interrupted:
        simulated("--key", "mine", out=CutOff())
    assert interrupted.value.returncode == 130
    phase = Phase.objects.get()
    assert phase.experiment.status == Experiment.Status.STOPPED
    assert (phase.ended_at - phase.started_at).days == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--users", "41"), "The marketplace has 40 developers: leave --users out to take all; or, where its data"),
        (("--users", "1"), "--days is from 1 to 366, --users from 2, --seed from 0."),
        (("--days", "0"), "--days is from 1 to 366"),
        (("--visits-per-day", "0"), "--visits-per-day is above 0 and up to 24."),
        (("--effect", "rating=+5%"), "'rating=+5%' is no effect: write one of ctr, conversion, satisfaction"),
        (("--key", "not a key"), "The experiment not a key is not stored: key: "),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_begun(arguments, said):
    assert refusal(*arguments).startswith(said)
    assert not Experiment.objects.exists()
