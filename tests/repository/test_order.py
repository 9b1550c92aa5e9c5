"""Which tests begin first."""

from __future__ import annotations

from itertools import product

import pytest

from tests.order import long_first


def is_long(item: int) -> bool:
    return item >= 100


@pytest.mark.parametrize("shares", [1, 2, 3, 4, 7])
def test_every_test_runs_once_and_the_order_of_the_others_stays(shares: int) -> None:
    for many, long in product((0, 1, 2, 5, 11, 100), (0, 1, 3, 8)):
        items = [*range(many), *range(100, 100 + long)]
        ordered = long_first(items, is_long, shares)
        assert sorted(ordered) == items
        assert [item for item in ordered if not is_long(item)] == [*range(many)]


def test_each_test_process_begins_with_its_part_of_the_long_ones() -> None:
    assert long_first([0, 1, 100, 2, 101, 3, 102, 4, 5], is_long, 3) == [100, 0, 1, 101, 2, 3, 102, 4, 5]
