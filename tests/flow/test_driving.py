"""Simulated people: their habits come from the seed alone, and an arm's effect is what was asked for."""

import re
from uuid import UUID

import numpy as np
import pytest

from backend.marketplace.driving.crowd import draw_crowd, visits_of_day
from backend.marketplace.driving.effects import NONE, Effects, parse_effects
from backend.marketplace.driving.reacting import Shown, reactions

SHOWN = [Shown(UUID(int=number), 1, is_hiring=True) for number in range(1, 11)]


def clicks(effects: Effects, n: int = 3_000) -> int:
    rng = np.random.default_rng(1)
    return sum(event == "click" for _ in range(n) for _, event in reactions(SHOWN, 1.0, effects, rng))


def test_an_effect_multiplies_what_it_names():
    assert parse_effects([]) == NONE
    assert parse_effects(["ctr=+5%", "conversion=-2.5%"]) == Effects(click=1.05, apply=0.975)
    assert clicks(Effects(click=1.5)) / clicks(NONE) == pytest.approx(1.5, rel=0.03)


@pytest.mark.parametrize("text", ["ctr", "ctr=5", "clicks=+5%", "ctr=+900%", "ctr=-101%", "ctr=nan%", ""])
def test_what_is_no_effect_is_refused_with_the_text(text):
    with pytest.raises(ValueError, match="^" + re.escape(repr(text))):
        parse_effects([text])


def test_the_same_seed_gives_the_same_visits():
    def one_day(seed: int) -> list[tuple[float, int]]:
        rng = np.random.default_rng(seed)
        return list(visits_of_day(draw_crowd(200, 0.5, rng), rng))

    assert one_day(1) == one_day(1) != one_day(2)
    assert one_day(1) == sorted(one_day(1))
    assert 60 <= len(one_day(1)) <= 140  # 100 are expected


def test_nobody_applies_where_there_is_no_position():
    rng = np.random.default_rng(1)
    shown = [Shown(each.item, 5, is_hiring=False) for each in SHOWN]
    done = [event for _ in range(200) for _, event in reactions(shown, 4.0, Effects(apply=5.0), rng)]
    assert "like" in done
    assert "apply" not in done
