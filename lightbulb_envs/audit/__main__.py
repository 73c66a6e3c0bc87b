"""`python -m lightbulb_envs.audit [ID ...]` prints what degenerate policies earn."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightbulb_envs.audit.matrix import ROLLOUTS, SPLIT, Cell, Column, audit, rewards_of
from lightbulb_envs.registry import ROWS

EPISODES = 200


def format_matrix(columns: Sequence[Column]) -> str:
    """Returns canaries by columns of ids and rewards, and what the marks stand for."""
    lines = [
        f"[{number}] {column.env_id}, reward {column.reward or 'of its own'}"
        for number, column in enumerate(columns, 1)
    ]
    names = list(dict.fromkeys(cell.canary for column in columns for cell in column.cells))
    width = max(len("reference heuristic"), *map(len, names))
    heads = "".join(f"{f'[{number}]':>9}" for number in range(1, len(columns) + 1))
    honest = "".join(f"{column.heuristic_score:8.1f} " for column in columns)
    lines += ["", f"{'':<{width}}{heads}", f"{'reference heuristic':<{width}}{honest}"]
    for name in names:
        found = [_find(column, name) for column in columns]
        texts = "".join(
            " " * 9 if cell is None else f"{cell.score.mean:8.1f}{_mark(cell)}" for cell in found
        )
        lines.append(f"{name:<{width}}{texts}".rstrip())
    return "\n".join([*lines, "", *_notes(columns)])


def _find(column: Column, name: str) -> Cell | None:
    return next((cell for cell in column.cells if cell.canary == name), None)


def _mark(cell: Cell) -> str:
    if cell.is_over:
        return "!"
    if not cell.is_excused or cell.limit.allowance is None:
        return " "
    return "?" if cell.limit.allowance.is_flaw else "*"


def _notes(columns: Sequence[Column]) -> Iterable[str]:
    """Returns the marks' meanings, each with what it is about."""
    notes = dict[str, None]()
    for number, column in enumerate(columns, 1):
        for cell in column.cells:
            if cell.score.mean > cell.limit.score:
                told = f"scores {cell.score.mean:.1f}, above {cell.limit.score:.1f}"
                notes[f"! {cell.canary} [{number}] {told}"] = None
            elif cell.beats_control:
                told = f"scores {cell.score.mean:.1f}, above its control's {cell.control:.1f}"
                notes[f"! {cell.canary} [{number}] {told}"] = None
            elif cell.is_excused and cell.limit.allowance is not None:
                notes[f"{_mark(cell)} {cell.canary}: {cell.limit.allowance.why}"] = None
    return notes or ["No canary is above its ceiling."]


def to_plain(columns: Sequence[Column], episodes: int) -> dict[str, Any]:
    """Returns what was measured, and on what, as plain data. Ceilings are in `ceilings.py`."""
    return {
        "split": SPLIT,
        "episodes": episodes,
        "random_rollouts": ROLLOUTS,
        "columns": [
            {
                "env_id": column.env_id,
                "reward": column.reward,
                "random_return": column.random_return,
                "oracle_return": column.oracle_return,
                "heuristic": column.heuristic,
                "heuristic_score": column.heuristic_score,
                "scores": {cell.canary: asdict(cell.score) for cell in column.cells},
            }
            for column in columns
        ],
    }


def main() -> None:
    """Plays the canaries; exit code 1 if one is above its ceiling."""
    parser = argparse.ArgumentParser(
        prog="python -m lightbulb_envs.audit",
        description="Print what degenerate policies score (random 0, oracle 100), id by id and "
        "reward by reward, and fail if one scores more than it may.",
    )
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help='ids, or "module:Id"; default: all registered ones'
    )
    parser.add_argument(
        "--episodes", type=int, default=EPISODES, help=f"{SPLIT} documents ({EPISODES})"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the matrix here")
    arguments = parser.parse_args()
    if arguments.episodes < 2:
        parser.error("--episodes must be 2 or more")
    columns: list[Column] = []
    try:
        for env_id in arguments.ids or list(ROWS):
            for reward in rewards_of(env_id):
                print(f"playing {env_id}, {reward or 'its reward'}", file=sys.stderr, flush=True)
                columns.append(audit(env_id, reward, arguments.episodes))
    except (ValueError, TypeError, ImportError) as error:
        print(f"lightbulb: {error}", file=sys.stderr)
        sys.exit(2)
    print(format_matrix(columns))
    if arguments.json is not None:
        told = json.dumps(to_plain(columns, arguments.episodes), indent=2, ensure_ascii=False)
        arguments.json.write_text(told + "\n", encoding="utf-8")
    if any(cell.is_over for column in columns for cell in column.cells):
        sys.exit(1)


if __name__ == "__main__":
    main()
