"""Every combination of switches, interaction counts and missing models, against a table written by hand."""

import itertools

import pytest

from recommender_app.serving.router import EngineFlags, Policy, chain

# What the plan says, word for word: nothing here is taken from the router.
COLD, WARM, HOT = range(5), range(5, 20), range(20, 23)
WHO_IS_ASKED = {
    "cold": ["content_based", "ensemble", "als", "two_tower", "popular"],
    "warm": ["als", "two_tower", "ensemble", "content_based", "popular"],
    "hot": ["ensemble", "two_tower", "als", "content_based", "popular"],
}
ENGINES = ("ensemble", "als", "two_tower", "content_based", "popular")
SWITCHABLE = ("als", "two_tower", "ensemble")  # what the environment can switch
COUNTS = (0, 1, 4, 5, 6, 19, 20, 21, 1000)
NEEDS_HISTORY = {"als", "two_tower"}
ROUTES = ((0, "content_based"), (5, "als"), (20, "ensemble"))


def expected(count, off, there, damaged, has_history):
    """What a product owner reads off the table: (engines to ask, why the first choice is not asked)."""
    kind = "cold" if count in COLD else "warm" if count in WARM else "hot"
    first = WHO_IS_ASKED[kind][0]
    asked, reason = [], ""
    for engine in WHO_IS_ASKED[kind]:
        why_not = ""
        if engine not in there:
            why_not = "no_model"
        elif engine in NEEDS_HISTORY and not has_history:
            why_not = "no_history"
        if engine in damaged:
            why_not = "artifact_damaged"
        if engine in off:
            why_not = "switched_off"
        if not why_not:
            asked.append(engine)
        elif engine == first:
            reason = why_not
    return asked, reason


def subsets(names):
    return [set(chosen) for n in range(len(names) + 1) for chosen in itertools.combinations(names, n)]


def decided(count, off, there, damaged=frozenset(), has_history=True):
    available = {engine: EngineFlags(engine in NEEDS_HISTORY) for engine in there}
    route = chain(Policy("plan", ROUTES, disabled=frozenset(off)), count, has_history, available, frozenset(damaged))
    return list(route.engines), route.skipped.get(route.primary, "")


@pytest.mark.parametrize("off", subsets(SWITCHABLE), ids=lambda off: "+".join(sorted(off)) or "all on")
def test_every_switch_count_missing_model_and_history(off):
    for count, there, has_history in itertools.product(COUNTS, subsets(ENGINES), (True, False)):
        case = (count, off, there, set(), has_history)
        assert decided(*case) == expected(*case), case


@pytest.mark.parametrize("damaged", subsets(ENGINES), ids=lambda damaged: "+".join(sorted(damaged)) or "sound")
def test_every_damage_switch_and_count(damaged):
    for count, off in itertools.product(COUNTS, subsets(SWITCHABLE)):
        case = (count, off, set(ENGINES) - damaged, damaged, True)
        assert decided(*case) == expected(*case), case


def test_the_hand_written_rows_of_the_plan():
    everything = set(ENGINES)
    rows = [
        # count, switched off, missing -> who answers first
        (0, set(), set(), "content_based"),
        (5, set(), set(), "als"),
        (5, {"als"}, set(), "two_tower"),
        (5, set(), {"als", "two_tower"}, "ensemble"),
        (5, {"als", "two_tower", "ensemble"}, set(), "content_based"),
        (20, set(), set(), "ensemble"),
        (20, {"ensemble"}, set(), "two_tower"),
        (20, {"ensemble"}, {"two_tower"}, "als"),
        (20, {"ensemble", "als", "two_tower"}, {"content_based"}, "popular"),
    ]
    for count, off, missing, first in rows:
        assert decided(count, off, everything - missing)[0][0] == first
    assert decided(20, set(), set()) == ([], "no_model")
