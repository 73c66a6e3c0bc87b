"""The numbers that occur in news, and how they are written.

Numbers have two digits that count (12, 340, 5,600, 78,000) or are years. A fact holds a number's
index; facts draw from contiguous ranges of indexes, so no float decides what is written.
"""

import bisect

from lightbulb_envs.sources.newsroom.desk import NumberStyle

NUMBERS: tuple[int, ...] = (
    *range(1, 100),
    *(step * scale for scale in (10, 100, 1000, 10000) for step in range(10, 100)),
)
YEARS: tuple[int, ...] = tuple(range(1880, 2020))
VALUES: tuple[int, ...] = NUMBERS + YEARS
_SPELLED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def index_range(low: int, high: int, style: NumberStyle) -> tuple[int, int]:
    """Returns (first index, count) of the numbers from `low` to `high`, both included."""
    table, offset = (YEARS, len(NUMBERS)) if style == "year" else (NUMBERS, 0)
    first = bisect.bisect_left(table, low)
    count = bisect.bisect_right(table, high) - first
    if count < 1:
        raise ValueError(f"no number is written between {low} and {high} in style {style!r}")
    return offset + first, count


def write_number(index: int, style: NumberStyle) -> str:
    """Returns the text of a number: "seven", "7", "12,000" or "1987"."""
    value = VALUES[index]
    if style == "count" and value < 10:
        return _SPELLED[value - 1]
    if index >= len(NUMBERS) or value < 1000:
        return str(value)
    return f"{value // 1000},{value % 1000:03d}"
