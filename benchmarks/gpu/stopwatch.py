"""How long a GPU takes, and what it holds meanwhile."""

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.throughput.race import digits, spread

WARM_UP = 3
_SIDE = 8192


def measure(run: Callable[[], object], repeats: int) -> dict[str, Any]:
    """Returns the milliseconds of a run, and the gigabytes that it adds at its height."""
    for _ in range(WARM_UP):
        run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    passed = []
    event: Any = torch.cuda.Event
    for _ in range(repeats):
        start, end = event(enable_timing=True), event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        passed.append(start.elapsed_time(end))
    added = torch.cuda.max_memory_allocated() - before
    return {"milliseconds": spread(passed), "gigabytes": digits(added / 1e9)}


def matmul_rate(repeats: int = 20) -> float:
    """Returns how many 10^12 operations a second a product of two large bfloat16 matrices has: what
    this GPU gives at best, now."""
    one, other = (torch.randn(_SIDE, _SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    told = measure(lambda: one @ other, repeats)
    return digits(2 * _SIDE**3 / told["milliseconds"]["median"] / 1e9)
