"""The simulated world, before it meets a database."""

import numpy as np
import pytest

from backend.marketplace.simulation.names import company_names
from backend.marketplace.simulation.people import make_developers
from backend.marketplace.simulation.simulate import simulate
from backend.marketplace.simulation.world import Scale

SCALE = Scale(n_startups=120, n_developers=150, n_investors=40, n_days=30)


@pytest.fixture(scope="module")
def world():
    return simulate(SCALE, 7)


def columns(events):
    return [events.visitors, events.targets, events.kinds, events.days]


def all_events(world):
    return [world.developer_events, world.investor_events, world.recruiting_events, world.funding_events]


def test_the_same_seed_gives_the_same_world(world):
    again = simulate(SCALE, 7)
    assert (again.startups, again.developers, again.investors) == (world.startups, world.developers, world.investors)
    for one, other in zip(all_events(world), all_events(again), strict=True):
        assert all(np.array_equal(*pair) for pair in zip(columns(one), columns(other), strict=True))


def test_another_seed_gives_another_world(world):
    assert simulate(SCALE, 8).startups != world.startups


def test_people_like_what_suits_them_and_dislike_what_does_not(world):
    events = world.developer_events
    viewed, liked, disliked = (events.fits[events.kinds == kind].mean() for kind in ("view", "like", "dislike"))
    assert disliked < viewed < liked
    assert viewed > 0  # taste decides already what is looked at


def test_declared_interests_show_in_what_is_liked(world):
    events = world.developer_events
    is_like = events.kinds == "like"

    def share_of_common_tags(targets):
        visitors = events.visitors[is_like]
        pairs = zip(visitors, targets, strict=True)
        return np.mean([bool(set(world.developers[v].interests) & set(world.startups[t].tags)) for v, t in pairs])

    liked = events.targets[is_like]
    anything = np.random.default_rng(0).integers(SCALE.n_startups, size=len(liked))
    assert share_of_common_tags(liked) > 2 * share_of_common_tags(anything)


def test_a_few_startups_get_most_of_the_attention(world):
    views = np.sort(np.bincount(world.developer_events.targets, minlength=SCALE.n_startups))[::-1]
    assert views[: SCALE.n_startups // 10].sum() > 0.2 * views.sum()


def test_taste_drifts_for_about_half_of_the_people():
    crowd = make_developers(300, 0, 30, np.random.default_rng(0))
    moved = np.abs(crowd.interests - crowd.later_interests).sum(axis=1) > 0.01
    assert 0.3 < moved.mean() < 0.7


def test_nobody_acts_on_what_is_their_own_hidden_or_not_there_yet(world):
    for events, people in ((world.developer_events, world.developers), (world.investor_events, world.investors)):
        for visitor, target, day in zip(events.visitors, events.targets, events.days, strict=True):
            startup = world.startups[target]
            assert startup.is_published
            assert startup.owner != people[visitor].account
            assert startup.day <= day < SCALE.n_days
            assert people[visitor].day <= day


def test_likes_follow_views_and_no_pair_is_both_liked_and_disliked(world):
    events = world.developer_events
    pairs = {
        kind: set(zip(events.visitors[events.kinds == kind], events.targets[events.kinds == kind], strict=True))
        for kind in ("view", "click", "like", "dislike", "apply")
    }
    assert pairs["apply"] <= pairs["like"] <= pairs["click"] <= pairs["view"]
    assert pairs["dislike"]
    assert not pairs["like"] & pairs["dislike"]
    assert np.all(np.diff(events.days) >= 0)


def test_texts_read_well(world):
    for startup in world.startups:
        assert startup.name in startup.description
        assert all(tag in startup.description for tag in startup.tags)
        assert startup.pitch[0].isupper()
        assert "  " not in startup.description


@pytest.mark.parametrize("n", [1, 5_000])
def test_no_two_companies_have_one_name(n):
    assert len(set(company_names(n, np.random.default_rng(0)))) == n


@pytest.mark.parametrize("scale", [Scale(0, 0, 0, 1), Scale(3, 0, 2, 5), Scale(0, 5, 5, 5), Scale(1, 1, 0, 1)])
def test_an_almost_empty_world_is_a_world(scale):
    world = simulate(scale, 1)
    assert len(world.startups) == scale.n_startups
    assert all(events.kinds.dtype.kind == "U" for events in all_events(world))
