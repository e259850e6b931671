"""Row 70: items that a crowd of older accounts has pushed raise the gate's alarm; ordinary data do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY
from recommender_app.models import ModelVersion
from recommender_app.registry.verdicts import forget_popular, record_verdict
from recommender_app.training.gate import judge
from recommender_app.training.gate_pushed import _largest_crowds, find_pushed
from recommender_app.training.trainers import build_config, load_trainer
from recommender_app.training.verdict import Outcome
from tests.app import gated, readings
from tests.app.registered import candidate
from tests.app.test_admin import login, url
from tests.app.test_gate import answer, best_sellers

pytestmark = pytest.mark.django_db
TARGET, N_HONEST, N_BOTS = 39, 60, 50
DAY, HOUR = MICROSECONDS_PER_DAY, MICROSECONDS_PER_DAY // 24


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": readings.only("popular", "trending")}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}


def pushed_by(n=N_BOTS, items=(TARGET,), start=5 * DAY, step=HOUR // 10, honest=None):
    """Return honest readers' likes and those of a crowd, whose accounts come one after the other."""
    table = (honest or best_sellers()).interactions
    bots = [(N_HONEST + bot, item, start + bot * step) for bot in range(n) for item in items]
    users, liked, times = (list(side) for side in zip(*bots, strict=True))
    return gated.dataset_of(
        table.user_rows.tolist() + users,
        table.item_rows.tolist() + liked,
        table.times.tolist() + times,
        N_HONEST + n,
    )


def verdict_on(dataset, engine="popular"):
    return judge("books", engine, build_config(load_trainer(engine), {}), gated.hold_out(dataset))


def names(dataset, least=20):
    return [each.item for each in find_pushed(dataset, least)]


@pytest.mark.parametrize("is_first", [True, False])
def test_an_item_that_fifty_older_accounts_push_raises_the_alarm(is_first):
    if not is_first:
        gated.put_live(dataset=best_sellers())
    verdict = verdict_on(pushed_by())
    found = answer(verdict, "pushed items")
    assert verdict.outcome == found.outcome == Outcome.REJECTED
    numbers = {"items": 1, "users": 50, "share": 0.9434, "ordinary": 0.0, "pushed": ["39"]}
    assert found.numbers == numbers, "fifty of the 53 who like it"
    assert verdict.reason == (
        "A crowd pushes an item: 50 accounts that like no more than 2 items liked it within a day, 94% of all who like "
        "it; such accounts are 0% of the others. Nobody was left out: look who they are."
    )
    assert answer(verdict_on(pushed_by(), "trending"), "pushed items").outcome == Outcome.REJECTED


def test_the_popular_list_alone_does_not_see_it():
    gated.put_live(dataset=best_sellers())
    assert answer(verdict_on(pushed_by()), "popular list").outcome == Outcome.PASSED


def test_honest_readers_raise_none():
    for dataset in (best_sellers(), gated.two_tastes()):
        assert answer(verdict_on(dataset), "pushed items").outcome == Outcome.PASSED
        assert names(dataset, 2) == []


def test_a_popular_item_beside_it_hides_nothing():
    """What every second honest reader likes as well: the crowd is more than half of those who like that, too."""
    assert names(pushed_by(items=(TARGET, 0))) == ["39", "0"]


def test_midnight_does_not_part_a_crowd():
    assert names(pushed_by(start=6 * DAY - 2 * HOUR)) == ["39"]


def test_where_most_visitors_come_once_they_are_no_crowd():
    """A site's first days: every reader likes one item, a third of them the same."""
    users, items = list(range(90)), [TARGET] * 30 + [place % 30 for place in range(60)]
    assert names(gated.dataset_of(users, items, [DAY + place for place in range(90)], 90)) == []


def test_a_site_with_a_single_item_has_nobody_to_compare_with():
    assert names(gated.dataset_of(list(range(30)), [0] * 30, [DAY] * 30, 30)) == []


def test_an_item_that_wins_readers_for_weeks_is_not_pushed():
    assert names(pushed_by(start=DAY, step=DAY // 2)) == []


def test_readers_of_many_items_are_no_crowd_even_on_one_day():
    assert names(pushed_by(items=(TARGET, 1, 2))) == []


def test_dislikes_push_nothing_up():
    dataset = pushed_by()
    dataset.interactions.weights[dataset.interactions.item_rows == TARGET] *= -1
    assert names(dataset) == []


def test_how_many_make_a_crowd_is_a_setting(settings):
    assert names(pushed_by(n=19)) == []
    assert names(pushed_by(n=20)) == ["39"]
    settings.RECOMMENDER = {**settings.RECOMMENDER, "GATE": {"MIN_PUSHERS": 51}}
    assert answer(verdict_on(pushed_by()), "pushed items").outcome == Outcome.PASSED
    settings.RECOMMENDER = {**settings.RECOMMENDER, "GATE": {"MIN_PUSHERS": None}}
    found = answer(verdict_on(pushed_by()), "pushed items")
    assert (found.outcome, found.sentence) == (Outcome.SKIPPED, "Nobody wants to know: MIN_PUSHERS is None.")


def test_what_somebody_has_made_live_all_the_same_is_known_to_every_engine():
    live = gated.put_live(dataset=best_sellers())
    live.gate = verdict_on(pushed_by()).to_json()
    live.save()
    found = answer(verdict_on(pushed_by(), "trending"), "pushed items")
    assert found.outcome == Outcome.PASSED
    assert found.sentence == "No item was pushed by a crowd but for 1 that were live before."
    again = answer(verdict_on(pushed_by(items=(38, TARGET))), "pushed items")
    assert (again.outcome, again.numbers["pushed"]) == (Outcome.REJECTED, ["38"])


def test_a_verdict_from_before_this_question_is_still_read():
    live = gated.put_live(dataset=best_sellers())
    del live.gate["dataset"]["pushed"]
    live.save()
    verdict = verdict_on(best_sellers())
    assert verdict.passed
    assert answer(verdict, "popular list").outcome == Outcome.PASSED


def test_the_admin_says_how_many_were_flagged_and_why(client):
    version = candidate("popular")
    record_verdict(version, verdict_on(pushed_by()).to_json(), by="ann")
    login(client, superuser=True)
    page = client.get(url("modelversion", "change", version.pk)).content.decode()
    assert "50 accounts that like no more than 2 items liked it within a day" in page
    assert "users 50" in page


def test_an_item_that_is_forgotten_is_named_no_more():
    version = candidate("popular")
    record_verdict(version, verdict_on(pushed_by()).to_json(), by="ann")
    assert forget_popular(["books"], lambda item: item == str(TARGET)) == 1
    gate = ModelVersion.objects.get(pk=version.pk).gate
    assert gate["dataset"]["pushed"] == []
    assert next(check for check in gate["checks"] if check["name"] == "pushed items")["numbers"]["pushed"] == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400_000)), max_size=30))
def test_a_crowd_is_who_comes_within_a_day(likes):
    likes = sorted(likes)
    items = np.array([item for item, _ in likes], dtype=np.int32)
    seconds = np.array([at for _, at in likes], dtype=np.int64)
    expected = [
        max(
            (sum(0 <= at - since < 86_400 for of, at in likes if of == item) for to, since in likes if to == item),
            default=0,
        )
        for item in range(4)
    ]
    assert _largest_crowds(items, seconds, 4).tolist() == expected
