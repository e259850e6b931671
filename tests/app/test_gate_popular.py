"""The popular list of the data, which whoever pushes items would take over; row 70."""

import pytest

from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY
from recommender_app.training.verdict import Outcome
from tests.app import gated, readings
from tests.app import test_gate as gate
from tests.app.test_gate import answer, best_sellers, verdict_on

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    paths = readings.only("popular", "trending", als=f"{gate.__name__}.Peeking")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": paths}


def test_row_70_a_popular_list_that_was_taken_over_is_rejected():
    honest = best_sellers()
    gated.put_live(dataset=honest)
    table = honest.interactions
    users = table.user_rows.tolist() + [user for user in range(60, 110) for _ in range(15)]
    items = table.item_rows.tolist() + [20 + place for _ in range(50) for place in range(15)]
    times = table.times.tolist() + [5 * MICROSECONDS_PER_DAY] * 750
    verdict = verdict_on(dataset=gated.dataset_of(users, items, times, 110), engine="popular")
    check = answer(verdict, "popular list")
    assert check.outcome == Outcome.REJECTED
    assert check.numbers["jaccard"] < 0.5
    assert "The popular list was taken over" in verdict.reason


def test_row_70_the_list_is_compared_for_a_new_engine_too():
    honest = best_sellers()
    gated.put_live(dataset=honest)
    assert answer(verdict_on(dataset=honest), "popular list").numbers["jaccard"] == 1.0


def test_items_that_are_equally_popular_may_change_places():
    gated.put_live(dataset=gated.two_tastes(seed=0))
    every_item = [(user, item) for user in range(40) for item in range(40)]
    users, items = (list(side) for side in zip(*every_item, strict=True))
    flat = gated.dataset_of(users, items, list(range(len(users))), 40)
    assert answer(verdict_on(dataset=flat, engine="popular"), "popular list").numbers["jaccard"] == 1.0


def test_items_that_were_deleted_are_no_longer_expected_on_the_list():
    live = gated.put_live(dataset=best_sellers())
    live.gate["dataset"]["popular"] = [f"gone {number}" for number in range(20)]
    live.save()
    assert answer(verdict_on(engine="popular"), "popular list").outcome == Outcome.SKIPPED
