"""Baselines on the validation split of every level: what the levels were frozen by.

    python -m benchmarks.levels [--episodes 500] [--only NAME ...]

writes `benchmarks/results/levels.json` and `review_levels.json`. Nothing here is trained.
"""

import argparse
from pathlib import Path

import numpy as np

from lightbulb_agents.evaluate import evaluate, format_table, results_to_json
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.registry import make_engine
from lightbulb_envs.sources.newsroom.levels import LEVELS
from lightbulb_envs.sources.reviews.levels import LEVELS as REVIEW_LEVELS

RESULTS = Path(__file__).parent / "results"
TASKS = {
    "levels": ("Lightbulb/NewsSummariser-v0", len(LEVELS)),
    "review_levels": ("Lightbulb/SentimentAnalysis-v0", len(REVIEW_LEVELS)),
}
"""Name of the results → the id whose levels they are, and how many."""


def main() -> None:
    """Plays the baselines and writes what they score."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.levels")
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--only", nargs="*", choices=list(TASKS))
    arguments = parser.parse_args()
    for name in arguments.only or TASKS:
        env_id, levels = TASKS[name]
        by_level = {}
        for level in range(levels):
            settings = {"level": level, "split": "validation"}
            engine = make_engine(env_id, 128, **settings)
            instances = np.arange(arguments.episodes)
            results, _ = evaluate(engine, env_id, "validation", settings, instances, {})
            print(f"{env_id}, level {level}\n{format_table(results)}\n", flush=True)
            by_level[str(level)] = results_to_json(results)
        write_json(RESULTS / f"{name}.json", by_level)


if __name__ == "__main__":
    main()
