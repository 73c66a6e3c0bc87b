"""What a batch of environments adds to a process once it has met all documents of its pool.

    python -m benchmarks.memory.pool

prints it as JSON. It is a process of its own, and imports nothing but the environments.
"""

import argparse
import gc
import json
from typing import Any

import gymnasium
import numpy as np

import lightbulb_envs  # noqa: F401 # registers the ids
from benchmarks.memory.resident import resident_megabytes

ENV_ID = "Lightbulb/NewsSummariser-v0"
ROWS = 1024
DOCUMENTS = 10_000
STEPS = 100


def pool_memory(rows: int = ROWS, documents: int = DOCUMENTS, steps: int = STEPS) -> dict[str, Any]:
    """Returns megabytes after imports, once all documents were met, and once they were played."""
    after_imports = resident_megabytes()
    env: Any = gymnasium.make_vec(ENV_ID, num_envs=rows, copy=False, num_instances=documents)
    made = resident_megabytes()
    for start in range(0, documents, rows):
        env.reset(options={"instance": np.arange(start, start + rows) % documents})
    met = _settled()
    _play(env, steps)
    played = _settled()
    return {
        "environments": rows,
        "documents": documents,
        "megabytes": {
            "after imports": after_imports,
            "environments made": made,
            "all documents met": met,
            f"{steps} steps played": played,
            "most": resident_megabytes(kind="VmHWM"),
        },
        "added": round(max(met, played) - after_imports, 2),
    }


def _settled() -> float:
    gc.collect()
    return resident_megabytes()


def _play(env: Any, steps: int) -> None:
    """Takes random legal actions."""
    generator = np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    for _ in range(steps):
        mask = observation["action_mask"]
        actions = (generator.random(mask.shape) * mask).argmax(axis=1)
        observation = env.step(actions)[0]


def main() -> None:
    """Prints the memory of one batch."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory.pool")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    arguments = parser.parse_args()
    print(json.dumps(pool_memory(arguments.rows, arguments.documents)))


if __name__ == "__main__":
    main()
