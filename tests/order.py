"""In which order tests begin: what takes long first, so that no process has it left when the others are done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def long_first(items: Sequence[Item], is_long: Callable[[Item], bool], shares: int) -> list[Item]:
    """The items in their order, but for the long ones, which are spread over the beginnings of all shares.

    ``shares``: of how many test processes; each begins with as many neighboring items as the others.
    """
    long, others = [item for item in items if is_long(item)], [item for item in items if not is_long(item)]
    ordered: list[Item] = []
    for share in range(shares):
        first = long[share::shares]
        size = (len(items) - len(ordered)) // (shares - share)
        rest = max(0, size - len(first))
        ordered += [*first, *others[:rest]]
        others = others[rest:]
    return ordered
