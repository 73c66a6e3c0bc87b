"""Sums that are the same on every version of Python and on every processor."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def add_in_order(values: Iterable[float]) -> float:
    """Returns values added one by one, from left to right.

    The built-in `sum` does this up to Python 3.11 and compensates for rounding from 3.12 on; a
    reward must not depend on that.
    """
    total = 0.0
    for value in values:
        total += value
    return total


def product_in_order(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the product (..., M, P) of matrices (..., M, N) and (..., N, P), added in order of N.

    What `@` returns depends on the processor in its last digits, for BLAS adds in an order and with
    roundings of that processor's own; which of two actions is better must not.
    """
    total = left[..., :, :1] * right[..., :1, :]
    for term in range(1, right.shape[-2]):
        total += left[..., :, term, None] * right[..., None, term, :]
    return total
