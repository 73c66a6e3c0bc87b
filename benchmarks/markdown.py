"""Committed results, and tables of them in Markdown."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
NOT_MEASURED = "*Not measured yet.*"
"""Stands for a table that has no results yet."""


def load(name: str) -> Any:
    """Returns a file of results."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def table(header: list[str], rows: list[list[str]], *, of_text: bool = False) -> str:
    """Returns a table; all columns but the first stand to the right, unless they hold text."""
    aligned = ["---"] + ["---" if of_text else "---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, aligned, *rows])


def span(interval: dict[str, float], digits: int = 1) -> tuple[str, str]:
    """Returns a mean and its interval as text."""
    mean, low, high = (f"{interval[name]:.{digits}f}" for name in ("mean", "low", "high"))
    return mean, f"({low} to {high})"
