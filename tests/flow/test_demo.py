"""The demo's parts: what is there is reused, promises are judged, a real server answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.demo.promises import ensemble_gain, every_rating_is_a_hit, summary, verdicts
from recommender_app.evaluation.evaluate import Evaluation
from tests.core.toys import two_tastes

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json
import django
django.setup()
from django.core.management import call_command
from backend.demo import experiments, learning, people, visits
from backend.demo.server import running_server
from recommender_app.trainers.base import silent
call_command("migrate", verbosity=0)
people_and_days = {"n_startups": 150, "n_developers": 120, "n_investors": 20, "n_days": 30}
call_command("load_marketplace", "--end", "2026-01-31", **people_and_days, seed=1, verbosity=0)
said = []
for key in ("developer_startup", "investor_startup", "startup_developer", "startup_investor"):
    learning.learn(key, ("popular", "als"), said.append, silent)
learning.learn("developer_startup", ("popular", "als"), said.append, silent)
learning.learn("developer_startup", ("content_based",), said.append, silent)
learning.learn("investor_startup", ("content_based", "two_tower", "ensemble"), said.append, silent)
begun, again = [], []
experiments.begin(begun.append)
experiments.begin(again.append)
with running_server() as base:
    answers = [visits.fetch(base, visitor) for visitor in people.marketplace_people()]
    visits.show(answers[0], people.marketplace_people()[0], said.append)
arms = [visits.arm_of(answer["request_id"]) for answer in answers]
running = experiments.running_lines()
print(json.dumps({"said": said, "answers": answers, "begun": begun, "again": again, "arms": arms, "running": running}))
"""


def evaluation(**precision: list[float]) -> Evaluation:
    per_user = {name: {"precision@10": np.array(values)} for name, values in precision.items()}
    means = {name: {"precision@10": float(np.mean(values))} for name, values in precision.items()}
    return Evaluation(means, per_user, np.arange(3, dtype=np.int32), "a toy")


GOOD = evaluation(als=[0.2, 0.2, 0.2], two_tower=[0.1, 0.1, 0.1], ensemble=[0.3, 0.3, 0.3])
BAD = evaluation(als=[0.1, 0.1, 0.1], two_tower=[0.2, 0.2, 0.2], ensemble=[0.2, 0.2, 0.2])


def test_promises_are_judged_by_the_measured_numbers():
    assert [verdict.judgement for verdict in verdicts(GOOD)] == ["PASS"] * 4
    assert [verdict.judgement for verdict in verdicts(BAD)] == ["FAIL", "FAIL", "FAIL", "PASS"]
    assert verdicts(BAD)[1].measured == "0.2000 against 0.2000 of two_tower"
    assert "+50.0%" in verdicts(GOOD)[2].measured


def test_an_ensemble_that_is_worse_than_a_member_for_everybody_fails():
    worse = evaluation(als=[0.2, 0.2], two_tower=[0.1, 0.1], trending=[0.4, 0.3], ensemble=[0.3, 0.2])
    assert verdicts(worse)[3].judgement == "FAIL"
    assert verdicts(worse)[3].measured.endswith("against trending")


def test_the_summary_counts_what_was_reached():
    said = summary([ensemble_gain(GOOD)[1], ensemble_gain(BAD)[1]])
    assert "reached in 1 of 2 measurements; the gain is +0.0% to +50.0%, significant in 1, " in said
    assert "significantly negative in 0." in said


def test_every_rating_is_a_hit_forgets_likes_and_dislikes():
    plain = every_rating_is_a_hit(two_tastes(with_dislikes=True))
    assert set(plain.interactions.weights.tolist()) == {1.0}
    assert set(plain.relevant_events) == set(plain.interactions.event_names)


@pytest.mark.django_db
def test_staff_find_the_experiments_from_the_landing_page(client, admin_user):
    assert "Experiments" not in client.get("/").text
    client.force_login(admin_user)
    assert 'href="/admin/recommender_app/experiment/">Experiments</a>' in client.get("/").text


def assert_experiments_run_and_assign(told):
    assert [line.partition(" for ")[0] for line in told["begun"]] == [
        "four-groups started",
        "als-warm started",
        "ensemble-hot is planned",
        "full-rollout is planned",
    ]
    assert told["begun"][2].endswith("but not started: no live ensemble")
    assert [line.partition(" ")[2] for line in told["again"]] == [
        "is there already (running): nothing is changed",
        "is there already (running): nothing is changed",
        "is there already (draft): nothing is changed",
        "is there already (draft): nothing is changed",
    ]
    assert told["arms"][1] in {f"arm {arm} of four-groups" for arm in ("control", "a", "b", "c")}
    assert told["arms"][2:] == ["in no experiment"] * 2
    assert told["running"][0] == "four-groups (investor_startup): 100 % of all, 1 so far"
    assert told["running"][1].startswith("als-warm (developer_startup): 10 % of those with 5 to 19 interactions, ")
    assert re.search(r"; 50 % from \d{4}-\d\d-\d\d, if nothing is red then$", told["running"][1])


@pytest.mark.slow
def test_the_demo_learns_reuses_and_is_answered_by_a_real_server(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "backend.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}",
        "ARTIFACT_ROOT": str(tmp_path / "artifacts"),
        "DEBUG": "true",
    }
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280
    )
    assert result.returncode == 0, result.stderr[-3000:]
    told = json.loads(result.stdout.strip().splitlines()[-1])
    assert any(line.startswith("developer_startup: als_v1 trained") and "promoted" in line for line in told["said"])
    assert "developer_startup: als is live and has learned from this dataset" in told["said"]
    assert [answer["use_case"] for answer in told["answers"]] == [
        "developer_startup",
        "investor_startup",
        "startup_developer",
        "startup_investor",
    ]
    assert all(len(answer["results"]) == 5 for answer in told["answers"])
    assert told["answers"][3]["engine"] in {"als", "popular"}
    assert_experiments_run_and_assign(told)
