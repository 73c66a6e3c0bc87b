"""One live line on a terminal; elsewhere a line every ten seconds."""

import sys
import time

_LIVE_SECONDS = 0.2
_PLAIN_SECONDS = 10.0


class LiveLine:
    """A line of progress on stderr.

    Args:
        total: steps there are.
        done: steps that were taken before now, which say nothing of the speed.
        unit: what is counted a second.
    """

    def __init__(self, total: int, done: int, unit: str = "steps"):
        self._total = total
        self._unit = unit
        self._start = time.monotonic()
        self._first = done
        self._last = 0.0
        self._is_terminal = sys.stderr.isatty()

    def show(self, steps: int, told: str, units_a_step: float | int = 1) -> None:
        """Shows how far it is, what is told, the speed and the time left."""
        now = time.monotonic()
        wait = _LIVE_SECONDS if self._is_terminal else _PLAIN_SECONDS
        if now - self._last < wait and steps < self._total:
            return
        self._last = now
        speed = (steps - self._first) / max(now - self._start, 1e-9)
        left = max(self._total - steps, 0) / max(speed, 1e-9)
        line = (
            f"{steps:>11,} of {self._total:,} steps ({min(steps / self._total, 1):4.0%})   "
            f"{told}   {speed * units_a_step:,.0f} {self._unit}/s   "
            f"{int(left) // 60}:{int(left) % 60:02d} left"
        )
        print(f"\r{line}\033[K" if self._is_terminal else line, end="", file=sys.stderr, flush=True)
        if not self._is_terminal:
            print(file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the live line."""
        if self._is_terminal:
            print(file=sys.stderr, flush=True)
