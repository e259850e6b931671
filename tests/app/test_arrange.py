"""From a pool to a slate: what a child can check, and what holds for any pool."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.exceptions import ConfigurationError
from recommender_app.serving.arrange import Arrangement, arrange
from recommender_app.serving.pool import Candidate
from recommender_app.serving.router import Policy
from recommender_app.usecases.rules import Boost, Bury, Facts, Pin, Quota

FRUIT = {"apple": "red", "berry": "red", "cherry": "red", "lemon": "yellow", "plum": "blue", "banana": "yellow"}


def candidates(*names):
    return [Candidate(name, float(-place), "als", name) for place, name in enumerate(names)]


def facts_of(colours):
    return {name: Facts({"colour": frozenset([colour])} if colour else {}) for name, colour in colours.items()}


def policy(**rearranging):
    return Policy("test", ((0, "als"),), **rearranging)


def context(colours=FRUIT, rules=(), **more):
    rearranging = {name: more.pop(name) for name in ("diversity", "caps", "exploration") if name in more}
    return Arrangement(policy(**rearranging), tuple(rules), facts_of(colours), **more)


def names(pool, limit, arrangement):
    return [candidate.id for candidate in arrange(pool, limit, arrangement)]


def same_colour(pool):
    colours = [FRUIT.get(candidate.id) for candidate in pool]
    return np.array([[float(one == other) for other in colours] for one in colours], dtype=np.float32)


FRUITS = candidates(*FRUIT)


def test_nothing_to_do_leaves_the_pool_as_it_is():
    assert arrange(FRUITS, 4, context()) == FRUITS[:4]


def test_diversity_shows_other_colours_before_a_second_red():
    assert names(FRUITS, 3, context(diversity=0.5, similarities=same_colour)) == ["apple", "lemon", "plum"]


def test_full_diversity_goes_by_difference_alone_and_ties_by_place():
    assert names(FRUITS, 5, context(diversity=1.0, similarities=same_colour)) == [
        "apple", "lemon", "plum", "berry", "cherry",
    ]  # fmt: skip


def test_diversity_without_any_features_keeps_the_order():
    assert arrange(FRUITS, 6, context(diversity=0.7)) == FRUITS


def test_at_most_one_of_a_colour():
    assert names(FRUITS, 3, context(caps={"colour": 1})) == ["apple", "lemon", "plum"]


def test_a_full_list_beats_a_cap_and_is_filled_up_in_order():
    assert names(FRUITS, 5, context(caps={"colour": 1})) == ["apple", "lemon", "plum", "berry", "cherry"]


def test_items_without_the_attribute_are_never_capped():
    pool = candidates("apple", "stone", "glass", "berry")
    assert names(pool, 3, context({"apple": "red", "berry": "red"}, caps={"colour": 1})) == ["apple", "stone", "glass"]


def test_an_item_of_several_values_counts_for_each():
    facts = {
        "punch": Facts({"colour": frozenset({"red", "yellow"})}),
        "apple": Facts({"colour": frozenset({"red"})}),
        "lemon": Facts({"colour": frozenset({"yellow"})}),
        "plum": Facts({"colour": frozenset({"blue"})}),
    }
    arrangement = Arrangement(policy(caps={"colour": 1}), facts=facts)
    assert names(candidates(*facts), 2, arrangement) == ["punch", "plum"]


def test_tired_items_come_after_all_others_but_before_capped_ones():
    tired = frozenset({"apple", "lemon"})
    assert names(FRUITS, 6, context(tired=tired)) == ["berry", "cherry", "plum", "banana", "apple", "lemon"]
    capped = names(FRUITS, 5, context({"apple": "green", **FRUIT}, caps={"colour": 1}, tired=frozenset({"plum"})))
    assert capped == ["apple", "lemon", "plum", "berry", "cherry"]


def test_a_boost_of_two_lifts_the_middle_to_the_top():
    assert names(FRUITS, 6, context(rules=[Boost(where={"colour": "yellow"}, factor=2.5)])) == [
        "lemon", "apple", "berry", "cherry", "banana", "plum",
    ]  # fmt: skip


def test_a_bury_of_zero_sinks_to_the_end():
    assert names(FRUITS, 6, context(rules=[Bury(where={"colour": ["red", "blue"]})])) == [
        "lemon", "banana", "apple", "berry", "cherry", "plum",
    ]  # fmt: skip


def test_pins_take_their_places_and_count_as_part_of_the_list():
    rules = [Pin(item_ids=["plum"], position=1), Pin(where={"colour": "yellow"}, position=3)]
    assert names(FRUITS, 4, context(rules=rules)) == ["plum", "apple", "lemon", "berry"]


def test_the_first_rule_gets_the_place_and_the_next_one_the_place_after():
    rules = [Pin(item_ids=["plum"], position=2), Pin(item_ids=["lemon", "banana"], position=2)]
    assert names(FRUITS, 4, context(rules=rules)) == ["apple", "plum", "lemon", "banana"]


def test_a_pin_that_is_not_eligible_or_beyond_the_list_is_left_out():
    rules = [Pin(item_ids=["ghost"]), Pin(item_ids=["plum"], position=9)]
    assert arrange(FRUITS, 3, context(rules=rules)) == FRUITS[:3]


def test_pins_count_for_caps():
    rules = [Pin(item_ids=["cherry"], position=2)]
    assert names(FRUITS, 3, context(rules=rules, caps={"colour": 1})) == ["lemon", "cherry", "plum"]


def test_a_quota_brings_in_what_is_missing_in_place_of_the_last():
    rules = [Quota(where={"colour": "yellow"}, count=2, out_of=4)]
    assert names(FRUITS, 4, context(rules=rules)) == ["apple", "berry", "lemon", "banana"]


def test_a_quota_holds_in_proportion_rounded_down():
    rules = [Quota(where={"colour": "yellow"}, count=1, out_of=3)]
    assert names(FRUITS, 2, context(rules=rules)) == ["apple", "berry"]
    assert names(FRUITS, 3, context(rules=rules)) == ["apple", "berry", "lemon"]


def test_a_quota_is_filled_with_what_was_found_outside_the_pool():
    found = (Candidate("kiwi", 0.0, "rule", "kiwi"),)
    arrangement = context(
        {**FRUIT, "kiwi": "green"}, [Quota(where={"colour": "green"}, count=2, out_of=3)], found=found
    )
    assert names(FRUITS, 3, arrangement) == ["apple", "berry", "kiwi"]


def test_the_earlier_quota_wins_where_both_cannot_hold():
    rules = [Quota(where={"colour": "yellow"}, count=2, out_of=2), Quota(where={"colour": "blue"}, count=1, out_of=2)]
    assert names(FRUITS, 2, context(rules=rules)) == ["lemon", "banana"]


def test_pins_count_for_quotas():
    rules = [Pin(item_ids=["banana"]), Quota(where={"colour": "yellow"}, count=1, out_of=3)]
    assert names(FRUITS, 3, context(rules=rules)) == ["banana", "apple", "berry"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Boost(where={"colour": "red"}, factor=1.0),
        lambda: Bury(where={"colour": "red"}, factor=1.0),
        lambda: Pin(item_ids=["plum"], position=0),
        lambda: Quota(where={"colour": "red"}, count=3, out_of=2),
        lambda: Boost(factor=2.0),
        lambda: Bury(where="colour"),
        lambda: Pin(item_ids="plum"),
    ],
)
def test_rules_without_sense_are_refused(wrong):
    with pytest.raises(ConfigurationError):
        wrong()


colours = st.sampled_from(["red", "yellow", "blue", None])
pools = st.lists(colours, max_size=24)
rules = st.lists(
    st.one_of(
        st.builds(Boost, where=st.builds(dict, colour=colours), factor=st.floats(1.1, 9)),
        st.builds(Bury, where=st.builds(dict, colour=colours), factor=st.floats(0, 0.9)),
        st.builds(Pin, item_ids=st.lists(st.integers(0, 30), min_size=1, max_size=3), position=st.integers(1, 12)),
        st.builds(Quota, where=st.builds(dict, colour=colours), count=st.integers(1, 5), out_of=st.integers(5, 10)),
    ),
    max_size=4,
)


@given(
    held=pools,
    limit=st.integers(1, 12),
    rules=rules,
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
    cap=st.integers(1, 4),
    exploration=st.sampled_from([0.0, 0.2, 0.5]),
    tired=st.frozensets(st.integers(0, 30).map(str)),
    seed=st.integers(0, 2**32),
)
def test_a_slate_is_unique_full_and_made_of_what_is_eligible(
    held, limit, rules, diversity, cap, exploration, tired, seed
):
    everything = candidates(*range(len(held)))
    pool, found = everything[: len(held) // 2 + 1], tuple(everything[len(held) // 2 + 1 :])
    arrangement = context(
        dict(enumerate(held)), rules, diversity=diversity, caps={"colour": cap}, exploration=exploration, tired=tired,
        found=found, newcomers=found, seed=seed,
    )  # fmt: skip
    slate = names(pool, limit, arrangement)
    assert len(set(slate)) == len(slate) <= limit
    assert len(slate) >= min(limit, len(pool))
    assert set(slate) <= {candidate.id for candidate in everything}
    assert slate == names(pool, limit, arrangement)


@given(held=pools, limit=st.integers(1, 12), cap=st.integers(1, 3), diversity=st.sampled_from([0.0, 0.6]))
def test_caps_hold_whenever_there_are_enough_alternatives(held, limit, cap, diversity):
    pool = candidates(*range(len(held)))
    slate = names(pool, limit, context(dict(enumerate(held)), caps={"colour": cap}, diversity=diversity))
    n_possible = sum(min(n, cap) if colour else n for colour, n in Counter(held).items())
    counts = Counter(held[name] for name in slate)
    if n_possible >= limit:
        assert all(n <= cap for colour, n in counts.items() if colour)
    else:
        assert len(slate) == min(limit, len(pool))


@given(held=pools, limit=st.integers(1, 30))
def test_strength_zero_is_the_pool_as_it_is(held, limit):
    pool = candidates(*range(len(held)))
    assert arrange(pool, limit, context(dict(enumerate(held)), diversity=0.0, similarities=same_colour)) == pool[:limit]
