"""What a run measures as it learns: rows of a CSV, and TensorBoard scalars."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from lightbulb_envs.whole_file import explained, write_whole


class Metrics:
    """Writes metrics.csv and TensorBoard events; rows past `resumed_at` steps are dropped first.

    Args:
        columns: of metrics.csv, "steps" among them.
    """

    def __init__(self, run: Path, columns: Sequence[str], resumed_at: int | None = None):
        self._columns = columns
        self._path = run / "metrics.csv"
        self.rows: list[dict[str, str]] = []
        if resumed_at is not None and self._path.is_file():
            self.rows = [row for row in read_metrics(self._path) if int(row["steps"]) <= resumed_at]
        lines = io.StringIO(newline="")
        writer = csv.DictWriter(lines, columns)
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self._path, [lines.getvalue().encode("utf-8")])
        purge = None if resumed_at is None else resumed_at + 1
        self._events = run / "tensorboard"
        with explained(self._events):
            self._board = SummaryWriter(str(self._events), purge_step=purge)

    def write(self, values: Mapping[str, float | int]) -> None:
        """Adds a row; a column that `values` does not name stays empty."""
        row = {name: _text(values[name]) if name in values else "" for name in self._columns}
        self.rows.append(row)
        with explained(self._path), self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow(row)
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


def _text(value: float | int) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"


def as_floats(rows: list[dict[str, str]], column: str) -> list[float]:
    """Returns a column of metrics rows as numbers."""
    values: list[Any] = [row[column] for row in rows]
    return [float(value) for value in values]
