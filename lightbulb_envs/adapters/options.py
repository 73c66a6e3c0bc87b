"""What `reset(options=...)` may hold; options that are not ours are left alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def requested_instances(options: dict[str, Any] | None, rows: int) -> NDArray[np.int64] | None:
    """Returns the instance of every row in options["instance"], None if it is not there."""
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f'options must be a dict, such as {{"instance": 7}}, got {options!r}')
    if not options or options.get("instance") is None:
        return None
    wanted = np.asarray(options["instance"])
    if not np.issubdtype(wanted.dtype, np.integer) or wanted.shape not in ((), (rows,)):
        raise ValueError(
            f'options["instance"] must be an integer or {rows} of them, got {options["instance"]!r}'
        )
    return np.broadcast_to(wanted, (rows,)).astype(np.int64)


def requested_rows(options: dict[str, Any] | None, rows: int) -> NDArray[np.int64]:
    """Returns the rows that options["reset_mask"] asks to reset, all if it is not there."""
    mask = options.get("reset_mask") if options else None
    if mask is None:
        return np.arange(rows)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (rows,):
        raise ValueError(
            f'options["reset_mask"] must be a boolean array of the shape ({rows},), got {mask!r}'
        )
    if not mask.any():
        raise ValueError('options["reset_mask"] must ask for at least one row')
    return np.flatnonzero(mask)
