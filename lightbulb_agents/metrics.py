"""What a run measures as it learns: rows of a CSV, TensorBoard scalars, and a progress line."""

import csv
import io
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from lightbulb_envs.whole_file import explained, write_whole

COLUMNS = (
    "steps",
    "episodes",
    "seconds",
    "score",
    "validation_return",
    "training_return",
    "episode_length",
    "actor_loss",
    "value_loss",
    "entropy",
    "learning_rate",
    "epsilon",
)
_PLAIN_LINE_SECONDS = 10.0


class Metrics:
    """Writes metrics.csv and TensorBoard events; rows past `resumed_at` steps are dropped first."""

    def __init__(self, run: Path, resumed_at: int | None = None):
        self._path = run / "metrics.csv"
        self.rows: list[dict[str, str]] = []
        if resumed_at is not None and self._path.is_file():
            self.rows = [row for row in read_metrics(self._path) if int(row["steps"]) <= resumed_at]
        lines = io.StringIO(newline="")
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self._path, [lines.getvalue().encode("utf-8")])
        purge = None if resumed_at is None else resumed_at + 1
        self._events = run / "tensorboard"
        with explained(self._events):
            self._board = SummaryWriter(str(self._events), purge_step=purge)

    def write(self, values: Mapping[str, float]) -> None:
        """Adds a row; a column that `values` does not name stays empty."""
        row = {name: _text(values[name]) if name in values else "" for name in COLUMNS}
        self.rows.append(row)
        with explained(self._path), self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS).writerow(row)
        with explained(self._events):
            for name in values:
                self._board.add_scalar(name, values[name], int(values["steps"]))
            self._board.flush()

    def close(self) -> None:
        """Closes the event file."""
        with explained(self._events):
            self._board.close()


def read_metrics(path: Path) -> list[dict[str, str]]:
    """Returns the rows of a metrics.csv; a last row that was cut off is left out.

    Raises:
        ValueError: a row that does not hold numbers, named by file and line.
    """
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        try:
            for row in reader:
                if None not in row.values():
                    _check_row(row)
                    rows.append(row)
        except (csv.Error, ValueError) as error:
            raise ValueError(
                f"{path}, line {reader.line_num}: {error}; remove the line, which only draws the "
                "learning curve"
            ) from error
    return rows


def _check_row(row: dict[str, str]) -> None:
    """Raises ValueError unless a row holds numbers, and steps among them."""
    if "steps" not in row:
        raise ValueError(f"no column steps, only {', '.join(map(str, row))}")
    for name, value in row.items():
        try:
            float(value) if value or name == "steps" else None
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must be a number, got {value!r}") from error


def _text(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"


class ProgressLine:
    """One live line on a terminal; elsewhere a line every ten seconds."""

    def __init__(self, total: int, done: int, split: str):
        self._total = total
        self._split = split
        self._start = time.monotonic()
        self._first = done
        self._last = 0.0
        self._is_terminal = sys.stderr.isatty()

    def show(self, steps: int, score: float | None, training_return: float) -> None:
        """Shows how far training is, its score, its speed and the time left."""
        now = time.monotonic()
        wait = 0.2 if self._is_terminal else _PLAIN_LINE_SECONDS
        if now - self._last < wait and steps < self._total:
            return
        self._last = now
        speed = (steps - self._first) / max(now - self._start, 1e-9)
        left = max(self._total - steps, 0) / max(speed, 1e-9)
        known = f"{score:5.1f}" if score is not None else "    –"
        line = (
            f"{steps:>11,} of {self._total:,} steps ({min(steps / self._total, 1):4.0%})   "
            f"{self._split} score {known}   training return {training_return:.3f}   "
            f"{speed:,.0f} steps/s   {int(left) // 60}:{int(left) % 60:02d} left"
        )
        print(f"\r{line}\033[K" if self._is_terminal else line, end="", file=sys.stderr, flush=True)
        if not self._is_terminal:
            print(file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the live line."""
        if self._is_terminal:
            print(file=sys.stderr, flush=True)


def as_floats(rows: list[dict[str, str]], column: str) -> list[float]:
    """Returns a column of metrics rows as numbers."""
    values: list[Any] = [row[column] for row in rows]
    return [float(value) for value in values]
