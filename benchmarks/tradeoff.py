"""Reading and being right: what the best reader trades, price by price, on test reviews.

    python -m benchmarks.tradeoff [--episodes 2000]

writes `benchmarks/results/tradeoff.json`: accuracy and the share read of the best reader there can
be for each of COSTS, and of baselines at the id's own price. `python -m benchmarks.tables` draws
what trained agents do beside it, in `docs/tradeoff.svg`.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.metrics import summed_up
from lightbulb_envs.registry import make_engine
from lightbulb_envs.rollout import roll_out

RESULTS = Path(__file__).parent / "results" / "tradeoff.json"
ENV_ID = "Lightbulb/SentimentAnalysis-v0"
COSTS = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 1.0)
KEPT = 20
"""Reviews whose returns are kept one by one."""


def measure(name: str, episodes: int, **settings: Any) -> dict[str, Any]:
    """Returns what a baseline gets right and reads, and its first returns."""
    engine = make_engine(ENV_ID, 256, split="test", **settings)
    played = roll_out(make_baseline(name, engine), engine, np.arange(episodes))
    metrics = summed_up([episode.metrics for episode in played])
    first = [episode.episode_return for episode in played[:KEPT]]
    return {"accuracy": metrics["accuracy"], "share_read": metrics["share_read"], "first": first}


def main() -> None:
    """Plays the best reader at every price."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tradeoff")
    parser.add_argument("--episodes", type=int, default=2000)
    episodes = parser.parse_args().episodes
    curve = [{"cost": cost, **measure("oracle", episodes, read_cost=cost)} for cost in COSTS]
    names = ("lexicon", "lexicon, all read")
    baselines = {name: measure(name, episodes) for name in names}
    write_json(RESULTS, {"episodes": episodes, "best": curve, "baselines": baselines})
    for one in curve:
        print(
            f"price {one['cost']:g}: accuracy {one['accuracy']:.3f}, read {one['share_read']:.3f}"
        )


if __name__ == "__main__":
    main()
