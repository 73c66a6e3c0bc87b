"""Baselines on the validation split of every level: what the levels were frozen by.

    python -m benchmarks.levels [--episodes 500]

writes `benchmarks/results/levels.json`. Nothing here is trained.
"""

import argparse
from pathlib import Path

import numpy as np

from lightbulb_agents.checkpoint import write_json
from lightbulb_agents.evaluate import evaluate, format_table, results_to_json
from lightbulb_envs.registry import make_engine
from lightbulb_envs.sources.newsroom.levels import LEVELS

RESULTS = Path(__file__).parent / "results" / "levels.json"
ENV_ID = "Lightbulb/NewsSummariser-v0"


def main() -> None:
    """Plays the baselines and writes what they score."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.levels")
    parser.add_argument("--episodes", type=int, default=500)
    arguments = parser.parse_args()
    by_level = {}
    for level in range(len(LEVELS)):
        settings = {"level": level, "split": "validation"}
        engine = make_engine(ENV_ID, 128, **settings)
        instances = np.arange(arguments.episodes)
        results, _ = evaluate(engine, ENV_ID, "validation", settings, instances, {})
        print(f"level {level}\n{format_table(results)}\n", flush=True)
        by_level[str(level)] = results_to_json(results)
    write_json(RESULTS, by_level)


if __name__ == "__main__":
    main()
