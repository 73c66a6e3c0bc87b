"""Whole environments: ours in batches and alone, against the obvious one and Gymnasium's batches.

All play the same episodes: four sentences in an order of their own, and then the next document. The
rows of a batch stand at different steps. A unit is a step that picks; resets are in its price.
"""

from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import SyncVectorEnv
from numpy.typing import NDArray

import lightbulb_envs
from benchmarks.throughput.obvious import ObviousEnv, read_documents
from benchmarks.throughput.race import Contestant, digits, race, told
from benchmarks.throughput.workloads import NEWSROOM, WIDE, pool_of

ENV_ID = "Lightbulb/NewsSummariser-v0"
OBVIOUS_ID = "Obvious/NewsSummariser-v0"
SCORERS = ("rouge-score-rs", "rouge-score")
POOL = 1000
PICKS = 4
SHORTEST = 6
"""Sentences that every article has."""


def _orders(rows: int) -> NDArray[np.int64]:
    """Returns the sentences that rows pick, (PICKS, rows)."""
    generator = np.random.default_rng(0)
    return np.array([generator.permutation(SHORTEST)[:PICKS] for _ in range(rows)]).T.copy()


def read(env: Any) -> Any:
    """Returns an environment that has met all documents of its pool, as those of its peers have."""
    rows = getattr(env, "num_envs", 1)
    pool = env.unwrapped.engine.num_instances
    for start in range(0, pool, rows):
        instances = np.arange(start, start + rows) % pool
        env.reset(options={"instance": instances if rows > 1 else int(instances[0])})
    return env


def batched(env: Any) -> Contestant:
    """Returns a vector environment at work, its rows at different steps of their episodes."""
    rows, stop = env.num_envs, int(env.single_action_space.n) - 1
    orders = _orders(rows)
    env.reset(seed=0)
    early = np.arange(rows) % PICKS  # the step at which a row stops for once
    for step in range(PICKS + 1):
        env.step(np.where(early == step, stop, orders[min(step, PICKS - 1)]))
    start = (early + 2) % (PICKS + 1)  # its reset follows, and then its first pick
    table = []
    for step in range(PICKS + 1):
        place = (step - start) % (PICKS + 1)  # where it is PICKS, the row is reset
        table.append(np.where(place < PICKS, orders[place % PICKS, np.arange(rows)], 0))

    def run() -> int:
        for actions in table:
            env.step(actions)
        return int(rows * PICKS)

    return run


def alone(env: gymnasium.Env[Any, Any]) -> Contestant:
    """Returns a single environment at work."""
    orders = [[int(pick) for pick in order] for order in _orders(32).T]
    env.reset(seed=0)

    def run() -> int:
        for order in orders:
            env.reset()
            for pick in order:
                env.step(pick)
        return len(orders) * PICKS

    return run


def race_environments(repeats: int) -> dict[str, Any]:
    """Returns the races of environments on a fixed pool, and the price of fresh documents."""
    results: dict[str, Any] = {}
    for workload in (NEWSROOM, *WIDE):
        with pool_of(workload, POOL) as pool:
            results |= _race_pool(workload, pool, repeats)
    results["fresh documents"] = _fresh(repeats)
    return results


def _race_pool(workload: str, pool: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Returns the races on one pool: in batches, and alone through gymnasium.make."""
    engine: Any = lightbulb_envs.make_engine(ENV_ID, 1, **pool)
    documents = read_documents(engine, POOL)
    results: dict[str, Any] = {}
    for rows in (64, 256, 1024) if workload == NEWSROOM else (256, 1024):
        contestants = {
            "ours": batched(read(gymnasium.make_vec(ENV_ID, num_envs=rows, copy=False, **pool))),
            "ours, observations copied": batched(
                read(gymnasium.make_vec(ENV_ID, num_envs=rows, **pool))
            ),
            **{f"obvious, {name}": alone(ObviousEnv(documents, name, engine)) for name in SCORERS},
        }
        if rows == 64:
            few = {**pool, "num_instances": 16}  # every single environment keeps its own
            contestants["Gymnasium's SyncVectorEnv over ours"] = batched(
                SyncVectorEnv([partial(_make_read, few)] * rows)
            )
        title = f"batch of {rows}; {workload}"
        results[title] = told(title, race(contestants, repeats), "ours")
    title = f"one environment, gymnasium.make; {workload}"
    gymnasium.register(
        OBVIOUS_ID, entry_point="benchmarks.throughput.obvious:ObviousEnv", max_episode_steps=64
    )
    try:
        contestants = {
            "ours": alone(_make_read(pool)),
            **{
                f"obvious, {name}": alone(
                    gymnasium.make(OBVIOUS_ID, documents=documents, scorer=name, engine=engine)
                )
                for name in SCORERS
            },
        }
        results[title] = told(title, race(contestants, repeats), "ours")
    finally:
        del gymnasium.registry[OBVIOUS_ID]
    return results


def _make_read(keywords: dict[str, Any]) -> gymnasium.Env[Any, Any]:
    env: gymnasium.Env[Any, Any] = read(gymnasium.make(ENV_ID, **keywords))
    return env


def _fresh(repeats: int) -> dict[str, Any]:
    """Returns how many documents a second episodes of fresh documents go through."""
    contestants = {
        f"batch of {rows}": batched(gymnasium.make_vec(ENV_ID, num_envs=rows, copy=False))
        for rows in (64, 256, 1024)
    }
    costs = race(contestants, repeats)
    rates = {name: digits(1e6 / (cost["median"] * PICKS)) for name, cost in costs.items()}
    print(f"fresh documents a second: {rates}", flush=True)
    return {"microseconds": costs, "documents_per_second": rates}
