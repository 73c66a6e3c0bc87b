"""Sums that are the same on every version of Python."""

from collections.abc import Iterable


def add_in_order(values: Iterable[float]) -> float:
    """Returns values added one by one, from left to right.

    The built-in `sum` does this up to Python 3.11 and compensates for rounding from 3.12 on; a
    reward must not depend on that.
    """
    total = 0.0
    for value in values:
        total += value
    return total
