"""The gate: what may take the place of the live version, and what may not."""

import time
from dataclasses import dataclass

import numpy as np
import pytest

from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.models import ModelVersion, Release, ReleaseChange, ReleaseMember
from recommender_app.registry.releases import promote
from recommender_app.registry.verdicts import record_verdict
from recommender_app.trainers.base import Trainer, TrainerConfig, silent
from recommender_app.trainers.popularity import count_users
from recommender_app.training.gate import judge
from recommender_app.training.gate_limits import GateLimits
from recommender_app.training.gate_quality import expected_recall
from recommender_app.training.trainers import build_config, load_trainer
from recommender_app.training.verdict import Check, Outcome, Verdict
from recommender_app.usecases.site import get_use_case
from tests.app import gated, readings
from tests.app.registered import candidate

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class PeekingConfig(TrainerConfig):
    """Options of ``Peeking``.

    Attributes:
        quality: 1 = every count as it is, 0 = upside down, between: one of the two halves upside down.
        cost: hundredths of a second that an answer takes longer than it needs.
    """

    quality: float = 1.0
    cost: int = 0


class SlowEngine(PopularityEngine):
    """Takes its time."""

    def __init__(self, counts, cost):
        super().__init__(counts)
        self.cost = cost

    def candidates(self, batch, k, exclude=None):
        time.sleep(self.cost / 100)
        return super().candidates(batch, k, exclude)


class Peeking(Trainer):
    """Recommends what is popular, or what is not."""

    key = "als"
    Config = PeekingConfig

    def train(self, dataset, config=None, seed=0, progress=silent):
        counts, options = count_users(dataset), config or PeekingConfig()
        turned = counts.max() - counts
        n = round(len(counts) * options.quality)
        return SlowEngine(np.concatenate([counts[:n], turned[n:]]), options.cost)


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    paths = readings.only("popular", "trending", als=f"{__name__}.Peeking")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": paths}


def best_sellers(n_users=60, seed=0):
    """Return users of whom each likes ten of the first twenty items, and one of the others: popularity is right."""
    rng = np.random.default_rng(seed)
    users, items, times = [], [], []
    for user in range(n_users):
        liked = [*rng.permutation(20)[:10].tolist(), 20 + user % 20]
        users += [user] * len(liked)
        items += liked
        times += [(day + 1) * MICROSECONDS_PER_DAY for day in rng.permutation(len(liked))]
    return gated.dataset_of(users, items, times, n_users)


def verdict_on(config=None, dataset=None, engine="als"):
    return judge("books", engine, build_config(load_trainer(engine), config or {}), gated.hold_out(dataset))


def answer(verdict, name):
    return next(check for check in verdict.checks if check.name == name)


def live_als(**config):
    """Make a version of the peeking engine live, by its row and the artifact of another engine."""
    version = ModelVersion.objects.create(use_case="books", engine="als", number=1, config=config)
    put = gated.put_live("popular", best_sellers())
    ReleaseMember.objects.create(release=Release.objects.get(status="live"), engine="als", version=version)
    version.gate = put.gate
    version.save()
    return version


def test_a_first_version_as_good_as_popularity_passes():
    verdict = verdict_on(dataset=best_sellers())
    assert verdict.passed
    assert verdict.reason == "It passed the gate."
    assert answer(verdict, "quality beside popularity").outcome == Outcome.PASSED
    assert answer(verdict, "size of the data").outcome == Outcome.SKIPPED


def test_a_version_worse_than_popularity_is_rejected_with_its_numbers():
    verdict = verdict_on({"quality": 0.0}, best_sellers())
    check = answer(verdict, "quality beside popularity")
    assert (verdict.outcome, check.outcome) == (Outcome.REJECTED, Outcome.REJECTED)
    assert check.numbers["high"] < 0 < check.numbers["baseline"]
    assert check.sentence in verdict.reason
    assert "is worse than" in verdict.reason


@pytest.mark.parametrize(
    ("tolerance", "outcome"), [(0.0, "rejected"), (0.5, "rejected"), (1.0, "passed"), (None, "skipped")]
)
def test_how_much_worse_than_popularity_it_may_be_is_a_setting(settings, tolerance, outcome):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "GATE": {"POPULARITY_TOLERANCE": tolerance}}
    verdict = verdict_on({"quality": 0.0}, best_sellers())
    assert str(answer(verdict, "quality beside popularity").outcome) == outcome
    assert verdict.passed == (outcome != "rejected")


def test_a_use_case_has_limits_of_its_own(settings, monkeypatch):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "GATE": {"MIN_USERS": 12, "MIN_JACCARD": 0.25}}
    monkeypatch.setattr(type(get_use_case("books")), "gate", {"MIN_USERS": 14})
    limits = GateLimits.of("books")
    assert (limits.min_users, limits.min_jaccard, limits.max_slowdown) == (14, 0.25, 1.5)
    assert GateLimits.of("gone").min_users == 12


def test_popularity_is_not_compared_with_itself():
    check = answer(verdict_on(engine="popular"), "quality beside popularity")
    assert (check.outcome, check.sentence) == (Outcome.SKIPPED, "It is popularity itself.")


def test_a_version_worse_than_the_live_recipe_on_the_same_users_is_rejected():
    live_als(quality=1.0, cost=0)
    verdict = verdict_on({"quality": 0.25}, best_sellers())
    check = answer(verdict, "quality beside the live version")
    assert verdict.compared_with == "als_v1"
    assert check.outcome == Outcome.REJECTED
    assert check.numbers["against"] == "als_v1"


def test_row_69_a_recall_that_falls_by_a_fifth_is_rejected():
    live_als(quality=1.0, cost=0)
    check = answer(verdict_on({"quality": 0.25}, best_sellers()), "recall")
    assert check.outcome == Outcome.REJECTED
    assert check.numbers["drop"] > 0.2
    assert answer(verdict_on({"cost": 1}, best_sellers()), "recall").outcome == Outcome.PASSED


def test_a_better_version_takes_the_place_of_a_worse_one():
    live_als(quality=0.25, cost=0)
    verdict = verdict_on({"quality": 1.0}, best_sellers())
    assert verdict.passed
    assert "is better than" in answer(verdict, "quality beside the live version").sentence


def test_the_same_options_are_not_trained_twice():
    live_als(quality=1.0, cost=0)
    verdict = verdict_on({"quality": 1.0}, best_sellers())
    assert verdict.passed
    check = answer(verdict, "quality beside the live version")
    assert check.outcome == Outcome.SKIPPED
    assert check.sentence.startswith("The same options as als_v1")


PROTOCOL = "global time cut, newest 20% held out; all items ranked, hidden: seen"


def test_row_69_the_same_options_are_held_to_the_recall_that_was_measured_then():
    version = live_als(quality=0.0, cost=0)
    then = {"als": {"recall@10": 0.9}, "popular": {"recall@10": 0.1}, "trending": {"recall@10": 0.1}}
    version.metrics = {"protocol": f"{PROTOCOL}; 9 users with history >= 1", "engines": then}
    version.save()
    check = answer(verdict_on({"quality": 0.0}, best_sellers()), "recall")
    assert check.outcome == Outcome.REJECTED
    assert "from 0.9000 of als_v1 then" in check.sentence


@pytest.mark.parametrize(
    ("popular_then", "popular_now", "expected"), [(0.5, 0.5, 0.8), (0.5, 0.25, 0.4), (0.25, 0.5, 0.8), (None, 0.5, 0.8)]
)
def test_where_popularity_fell_an_engine_may_fall_as_much(popular_then, popular_now, expected):
    then = {"als": {"recall@10": 0.8}, "popular": {} if popular_then is None else {"recall@10": popular_then}}
    now = Evaluation({"popular": {"recall@10": popular_now}}, {}, np.empty(0), f"{PROTOCOL}; 12 users")
    stored = {"protocol": f"{PROTOCOL}; 9 users", "engines": then}
    assert expected_recall(stored, now, "als") == pytest.approx(expected)
    assert expected_recall({**stored, "protocol": "random; 9 users"}, now, "als") is None
    assert expected_recall({}, now, "als") is None


def test_options_that_the_trainer_does_not_know_any_more_are_no_comparison():
    live_als(colour="red")
    check = answer(verdict_on(dataset=best_sellers()), "quality beside the live version")
    assert check.outcome == Outcome.SKIPPED
    assert "als_v1 has options of other code: Unknown option colour" in check.sentence


def test_a_version_that_takes_several_times_as_long_is_rejected():
    live_als(quality=1.0, cost=0)
    check = answer(verdict_on({"cost": 1}, best_sellers()), "speed")
    assert check.outcome == Outcome.REJECTED
    assert check.numbers["challenger_ms"] > check.numbers["live_ms"] + 2


def test_a_difference_below_the_noise_of_the_machine_is_none():
    live_als(quality=0.9, cost=0)
    assert answer(verdict_on(dataset=best_sellers()), "speed").outcome == Outcome.PASSED


def test_data_that_have_shrunk_by_more_than_half_are_rejected():
    gated.put_live(dataset=gated.two_tastes(100))
    verdict = verdict_on(engine="popular")
    assert verdict.outcome == Outcome.REJECTED
    assert verdict.reason.startswith("The data have shrunk by more than half: 100 users became 40, 1000 interactions")


def test_too_little_to_judge_passes_with_a_note_where_nothing_is_live():
    verdict = verdict_on(dataset=gated.two_tastes(8), engine="popular")
    assert verdict.passed
    assert verdict.reason == "It passed the gate. Too little data to judge: Only 8 users to judge on."


def test_too_little_to_judge_leaves_a_candidate_where_something_is_live():
    gated.put_live(dataset=gated.two_tastes(8))
    verdict = verdict_on(dataset=gated.two_tastes(8), engine="popular")
    assert (verdict.passed, verdict.outcome) == (False, Outcome.UNDECIDED)
    version = candidate()
    record_verdict(version, verdict.to_json(), by="command")
    version.refresh_from_db()
    assert (version.status, version.reason) == ("candidate", "Too little data to judge: Only 8 users to judge on.")
    promote(version, by="ann")  # what the gate leaves open, people decide


def test_newcomers_are_among_the_users_of_an_engine_that_answers_them():
    dataset = best_sellers()
    table = dataset.interactions
    users, items = [*table.user_rows.tolist(), 60], [*table.item_rows.tolist(), 0]
    times = [*table.times.tolist(), 11 * MICROSECONDS_PER_DAY]
    with_newcomer = gated.dataset_of(users, items, times, 61)
    hold_out = gated.hold_out(with_newcomer)
    assert 60 in hold_out.split.test.user_rows
    everybody = answer(verdict_on(dataset=with_newcomer), "quality beside popularity").numbers["n_users"]
    known = answer(verdict_on(dataset=dataset), "quality beside popularity").numbers["n_users"]
    assert everybody == known + 1


def test_a_verdict_of_one_failed_check_is_a_rejection_whatever_else_is_open():
    checks = [
        Check("a", Outcome.PASSED, "Fine."),
        Check("b", Outcome.UNDECIDED, "Who knows."),
        Check("c", Outcome.REJECTED, "Bad."),
    ]
    verdict = Verdict(tuple(checks), "als_v1")
    assert (verdict.outcome, verdict.reason, verdict.passed) == (Outcome.REJECTED, "Bad.", False)
    assert verdict.to_json()["checks"][2] == {"name": "c", "outcome": "rejected", "sentence": "Bad.", "numbers": {}}


def test_a_rejected_version_keeps_its_folder_and_leaves_a_row(tmp_path):
    version = candidate()
    record_verdict(version, verdict_on({"quality": 0.0}, best_sellers()).to_json(), by="beat")
    version.refresh_from_db()
    assert version.status == "rejected"
    assert (tmp_path / "models" / "books" / "popular" / "popular_v1" / "manifest.json").exists()
    change = ReleaseChange.objects.get()
    assert (change.action, change.by, change.version, change.reason) == ("reject", "beat", "popular_v1", version.reason)
