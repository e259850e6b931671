"""The router: a table a product owner can read."""

import pytest

from recommender_app.serving.policies import policy_for
from recommender_app.serving.router import ALTERNATIVES, FALLBACK_ORDER, NEWEST, EngineFlags, Policy, chain

NEEDS_HISTORY = {"als", "two_tower", "item_graph"}
ALL = ("ensemble", "als", "two_tower", "content_based", "popular", "item_graph", "trending")
PLAN = Policy("plan", ((0, "content_based"), (5, "als"), (20, "ensemble")))


def route(policy, count, *engines, has_history=True, damaged=()):
    available = {engine: EngineFlags(needs_history=engine in NEEDS_HISTORY) for engine in engines}
    return chain(policy, count, has_history, available, frozenset(damaged))


@pytest.mark.parametrize(
    ("count", "primary"),
    [(0, "content_based"), (4, "content_based"), (5, "als"), (19, "als"), (20, "ensemble"), (5000, "ensemble")],
)
def test_the_interaction_count_routes(count, primary):
    decided = route(PLAN, count, *ALL)
    assert decided.primary == primary
    assert decided.engines[0] == primary


@pytest.mark.django_db
def test_the_default_policy_is_the_plans_and_follows_the_thresholds(settings):
    assert policy_for("books").routes == PLAN.routes
    settings.RECOMMENDER = {**settings.RECOMMENDER, "COLD_START_THRESHOLD": 2, "WARM_USER_THRESHOLD": 3}
    assert policy_for("books").routes == ((0, "content_based"), (2, "als"), (3, "ensemble"))


@pytest.mark.parametrize(
    ("count", "engines", "expected"),
    [
        # warm: ALS, else two-tower, else the general order
        (5, ALL, ("als", "two_tower", "ensemble", "content_based", "popular")),
        (5, ("two_tower", "ensemble", "popular"), ("two_tower", "ensemble", "popular")),
        (5, ("content_based", "popular"), ("content_based", "popular")),
        # hot: ensemble, else two-tower, else ALS
        (20, ALL, ("ensemble", "two_tower", "als", "content_based", "popular")),
        (20, ("two_tower", "als", "popular"), ("two_tower", "als", "popular")),
        (20, ("als", "popular"), ("als", "popular")),
        # cold: content, else the general order
        (1, ALL, ("content_based", "ensemble", "als", "two_tower", "popular")),
        (1, ("popular",), ("popular",)),
        # engines that no policy names are never asked on their own
        (1, ("trending", "item_graph"), ()),
        (1, (), ()),
    ],
)
def test_who_is_asked_in_which_order(count, engines, expected):
    assert route(PLAN, count, *engines).engines == expected


def test_an_engine_that_needs_history_is_skipped_without_one():
    decided = route(PLAN, 5, *ALL, has_history=False)
    assert decided.engines == ("ensemble", "content_based", "popular")
    assert decided.skipped == {"als": "no_history", "two_tower": "no_history"}


def test_the_reason_to_skip_tells_damage_from_absence():
    decided = route(PLAN, 5, "popular", damaged=["als"])
    assert decided.primary == "als"
    assert decided.skipped["als"] == "artifact_damaged"
    assert decided.skipped["two_tower"] == "no_model"


def test_a_policy_may_name_any_engine():
    decided = route(Policy("trendy", ((0, "trending"),)), 3, *ALL)
    assert decided.engines == ("trending", *FALLBACK_ORDER)


def test_the_order_of_the_routes_does_not_matter():
    mixed = Policy("mixed", ((20, "ensemble"), (0, "content_based"), (5, "als")))
    assert [mixed.primary(count) for count in (0, 7, 99)] == ["content_based", "als", "ensemble"]


@pytest.mark.parametrize("policy", [Policy("late", ((3, "als"),)), Policy("newest", ((0, NEWEST),))])
def test_without_a_route_the_newest_items_are_shown(policy):
    assert route(policy, 2, *ALL).engines == ()
    assert policy.primary(2) == NEWEST


def test_no_engine_is_asked_twice():
    for primary in ALL:
        engines = route(Policy("any", ((0, primary),)), 0, *ALL).engines
        assert len(engines) == len(set(engines))
        assert set(ALTERNATIVES.get(primary, ())) <= set(engines)
