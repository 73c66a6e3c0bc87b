"""Fresh copies of what rows observe, at the cost of moving the numbers.

Arrays of megabytes that are made and freed at every step go back to the system one by one, and
touching their pages anew costs several times what the copying does. Copies of about one size are
therefore cut from a single block, which stays with the process. Small arrays have memory of their
own, so that who keeps only masks does not keep articles with them.
"""

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.engine import Observation

_MUCH = 1 << 19
"""Bytes of the largest array from which on a block is worth its trouble."""
_ALIKE = 4
"""Arrays share a block that are at most as many times smaller than the largest."""
_LINE = 64
"""Bytes to whose multiples arrays are aligned: a cache line."""


def rows_of(views: Observation, rows: NDArray[np.int64]) -> Observation:
    """Returns fresh arrays (n, ...) of n of the rows of arrays (N, ...).

    Raises:
        IndexError: there is no such row.
    """
    count = len(next(iter(views.values())))
    largest = max(array.nbytes for array in views.values())
    if largest < _MUCH or len(rows) != count or not np.array_equal(rows, np.arange(count)):
        return {name: array[rows] for name, array in views.items()}
    shared = [name for name, array in views.items() if array.nbytes * _ALIKE >= largest]
    sizes = [-(-views[name].nbytes // _LINE) * _LINE for name in shared]
    block = np.empty(sum(sizes), dtype=np.uint8)
    copies = {name: array.copy() for name, array in views.items() if name not in shared}
    start = 0
    for name, size in zip(shared, sizes, strict=True):
        array = views[name]
        copies[name] = np.ndarray(array.shape, array.dtype, block, start)
        copies[name][...] = array
        start += size
    return {name: copies[name] for name in views}
