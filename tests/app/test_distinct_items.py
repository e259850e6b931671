"""Counting different items by sketches that can be united."""

import pytest

from recommender_app.measurement.distinct import N_REGISTERS, DistinctItems


def counted(*names) -> DistinctItems:
    items = DistinctItems()
    items.add(names)
    return items


def test_few_items_are_counted_exactly():
    assert DistinctItems().count() == 0
    assert counted("tea").count() == 1
    assert counted("tea", "sea", "tea", "ink").count() == 3
    assert counted(*map(str, range(20))).count() == 20


@pytest.mark.parametrize("n", [150, 1_000, 10_000, 30_000, 250_000])
def test_many_are_counted_within_five_percent(n):
    assert counted(*map(str, range(n))).count() == pytest.approx(n, rel=0.05)


def test_sketches_unite_and_are_as_large_as_ever():
    first, second = counted("tea", "sea"), counted("sea", "ink", "rye")
    united = DistinctItems(first.sketch())
    united.unite(second.sketch())
    assert united.count() == 4
    assert len(united.sketch()) == N_REGISTERS
    united.unite(second.sketch())
    assert united.count() == 4


def test_what_is_folded_early_is_counted_all_the_same():
    items = DistinctItems()
    for start in range(0, 250_000, 50_000):
        items.add(map(str, range(start, start + 50_000)))
    assert items.sketch() == counted(*map(str, range(250_000))).sketch()
