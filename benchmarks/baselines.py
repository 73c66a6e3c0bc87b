"""What the baselines score on test documents of every id and level.

    python -m benchmarks.baselines [--episodes 1000] [--only NAME ...]

writes `benchmarks/results/baselines.json`, from which the cards' tables are made. The returns on
the first documents are kept too, so that a test can compute them anew.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from lightbulb_agents.evaluate import evaluate, format_table, results_to_json
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.record import versions
from lightbulb_envs.registry import make_engine

RESULTS = Path(__file__).parent / "results" / "baselines.json"
ROWS = 128
KEPT = 20
"""Documents whose returns are kept one by one."""
_V0 = "Lightbulb/NewsSummariser-v0"
_SENTIMENT = "Lightbulb/SentimentAnalysis-v0"
ENVIRONMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "level 0": (_V0, {"level": 0}),
    "Easy": ("Lightbulb/NewsSummariser-Easy-v0", {}),
    "v0": (_V0, {}),
    "level 3": (_V0, {"level": 3}),
    "Hard": ("Lightbulb/NewsSummariser-Hard-v0", {}),
    "MultiDoc": ("Lightbulb/NewsSummariser-MultiDoc-v0", {}),
    "Slate": ("Lightbulb/NewsSummariser-Slate-v0", {}),
    "Subset": ("Lightbulb/NewsSummariser-Subset-v0", {}),
    "Tokens": ("Lightbulb/NewsSummariser-Tokens-v0", {}),
    "Text": ("Lightbulb/NewsSummariser-Text-v0", {}),
    "reviews of level 0": (_SENTIMENT, {"level": 0}),
    "reviews of level 1": (_SENTIMENT, {"level": 1}),
    "Sentiment v0": (_SENTIMENT, {}),
    "reviews of level 3": (_SENTIMENT, {"level": 3}),
    "Sentiment Hard": ("Lightbulb/SentimentAnalysis-Hard-v0", {}),
    "Sentiment Cue": ("Lightbulb/SentimentAnalysis-Cue-v0", {}),
    "Sentiment Bandit": ("Lightbulb/SentimentAnalysis-Bandit-v0", {}),
    "Sentiment Skim": ("Lightbulb/SentimentAnalysis-Skim-v0", {}),
    "Sentiment Aspect": ("Lightbulb/SentimentAnalysis-Aspect-v0", {}),
    "Sentiment Text": ("Lightbulb/SentimentAnalysis-Text-v0", {}),
    "Sentiment Calibrated": ("Lightbulb/SentimentAnalysis-Calibrated-v0", {}),
}
"""Ids and levels by the names that tables give them."""


def play(name: str, episodes: int) -> dict[str, Any]:
    """Returns what the baselines score in an environment, and their first returns."""
    env_id, own = ENVIRONMENTS[name]
    settings = {**own, "split": "test"}
    engine = make_engine(env_id, ROWS, **settings)
    results, played = evaluate(engine, env_id, "test", settings, np.arange(episodes), {})
    print(f"{name}\n{format_table(results)}\n", flush=True)
    first = {
        actor: [episode.episode_return for episode in episodes_[:KEPT]]
        for actor, episodes_ in played.items()
    }
    return {**results_to_json(results), "first_returns": first, "versions": versions()}


def main() -> None:
    """Plays the baselines and writes what they score."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines")
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--only", nargs="*", choices=list(ENVIRONMENTS))
    arguments = parser.parse_args()
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name in arguments.only or ENVIRONMENTS:
        known[name] = play(name, arguments.episodes)
        write_json(RESULTS, {each: known[each] for each in ENVIRONMENTS if each in known})


if __name__ == "__main__":
    main()
