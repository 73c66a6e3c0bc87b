"""What replaying a file of records costs, beside stepping the same actions.

    python -m benchmarks.replay [--episodes 10000] [--repeats 5]

plays episodes of lead-3 and of the random policy, and writes `benchmarks/results/replay.json`.
Both sides step the same engine with the same number of rows. Stepping starts with an open engine
and actions in memory, and looks at no reward; replaying reads the file, opens the engine and
compares every reward. They take turns, and seconds are of the processor, for machines are shared.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.learning import machine
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.baselines.table import make_baseline
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.record import read_records, records_of, versions, write_records
from lightbulb_envs.registry import make_engine
from lightbulb_envs.replay import ROWS, replay
from lightbulb_envs.rollout import Episode, roll_out

RESULTS = Path(__file__).parent / "results" / "replay.json"
ENV_ID = "Lightbulb/NewsSummariser-v0"
SETTINGS = {"split": "test"}
POLICIES = ("lead-3", "random")


def step_all(engine: Engine, episodes: Sequence[Episode]) -> None:
    """Steps the actions of episodes, as many at once as the engine has rows."""
    for start in range(0, len(episodes), engine.num_envs):
        block = episodes[start : start + engine.num_envs]
        rows = np.arange(len(block))
        engine.reset(rows, np.array([episode.instance for episode in block]))
        number = 0
        while len(rows):
            actions = np.array([block[row].actions[number] for row in rows.tolist()])
            step = engine.step(rows, actions)
            rows = rows[~(step.terminated | step.truncated)]
            number += 1


def replay_file(path: Path) -> None:
    """Replays a file; RuntimeError if it finds a difference."""
    report = replay(read_records(path))
    if report.differences:
        raise RuntimeError(f"{path} replays otherwise: {report.differences[0]}")


def seconds_of(function: Callable[..., None], *arguments: Any) -> float:
    """Returns the seconds of processor time that a call takes."""
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def measure(policy: str, count: int, repeats: int, folder: Path) -> dict[str, Any]:
    """Returns the seconds of both sides for one policy, and the ratio of their speeds."""
    engine = make_engine(ENV_ID, ROWS, **SETTINGS)
    episodes = roll_out(make_baseline(policy, engine), engine, np.arange(count), 0)
    path = folder / "episodes.jsonl"
    write_records(path, records_of(ENV_ID, SETTINGS, engine, episodes))
    stepping, replaying = [], []
    for _ in range(repeats):
        fresh = make_engine(ENV_ID, ROWS, **SETTINGS)
        stepping.append(seconds_of(step_all, fresh, episodes))
        replaying.append(seconds_of(replay_file, path))
    ratios = [own / other for own, other in zip(stepping, replaying, strict=True)]
    return {
        "steps": sum(len(episode.actions) for episode in episodes),
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "step_seconds": _spread(stepping),
        "replay_seconds": _spread(replaying),
        "speed_of_replay": _spread(ratios),
        "episodes_per_second": round(count / statistics.median(replaying)),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def main() -> None:
    """Measures both policies and writes the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay")
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for policy in POLICIES:
            results[policy] = measure(policy, arguments.episodes, arguments.repeats, Path(folder))
            print(policy, results[policy], flush=True)
    setting = {
        "env": ENV_ID,
        "settings": SETTINGS,
        "episodes": arguments.episodes,
        "rows": ROWS,
        "repeats": arguments.repeats,
    }
    write_json(
        RESULTS, {**setting, "policies": results, "machine": machine(), "versions": versions()}
    )


if __name__ == "__main__":
    main()
