"""Text environments that do other work: TextArena's GuessTheNumber, reasoning-gym's easy tasks.

They make, tell and score other things than ours does, one at a time and as strings, so a ratio of
costs would say nothing: only the order of magnitude is told. A unit is a guess in TextArena, with
what is observed of it and, as its documentation has it, a new environment for every game; in
reasoning-gym an item and the score of its answer; in ours a step that picks.
"""

import math
import random
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import gymnasium
import reasoning_gym
import textarena

from benchmarks.throughput.environments import ENV_ID, POOL, alone, batched, read
from benchmarks.throughput.race import Contestant, race

NOTE = "Other work than ours: orders of magnitude only."
PEERS = ("textarena", "reasoning-gym")
GAME = "GuessTheNumber-v0"
TASKS = ("basic_arithmetic", "chain_sum", "letter_counting", "spell_backward")
BATCH = 256
_GAMES = 8
_ITEMS = 32
_DATASET = 1 << 20


def race_others(repeats: int, seconds: float = 0.2, pool: int = POOL) -> dict[str, Any]:
    """Returns what units of everybody's own work cost, and by how many powers of ten it is ours."""
    ours = {
        f"ours, batch of {BATCH}": batched(
            read(gymnasium.make_vec(ENV_ID, num_envs=BATCH, copy=False, num_instances=pool))
        ),
        "ours, one environment": alone(read(gymnasium.make(ENV_ID, num_instances=pool))),
    }
    others = {
        f"TextArena, {GAME}": guessing(),
        **{f"reasoning-gym, {task}": answering(task) for task in TASKS},
    }
    costs = race({**ours, **others}, repeats, seconds)
    powers = {
        name: {other: power_of_ten(costs[other], costs[name]) for other in others} for name in ours
    }
    for name, told in powers.items():
        listed = ", ".join(f"{other} 10^{power}" for other, power in told.items())
        print(f"{name}: {costs[name]['median']:.2g} us; {listed} times it. {NOTE}", flush=True)
    return {
        "note": NOTE,
        "microseconds": costs,
        "orders_of_magnitude": powers,
        "versions": {name: version(name) for name in PEERS},
    }


def power_of_ten(cost: Mapping[str, float], own: Mapping[str, float]) -> int:
    """Returns the power of ten that is nearest to the ratio of two medians."""
    return round(math.log10(cost["median"] / own["median"]))


def guessing() -> Contestant:
    """Returns TextArena's game, played by halving what is left."""

    def run() -> int:
        return sum(play_game(textarena.make(GAME)) for _ in range(_GAMES))

    random.seed(0)  # the game draws its numbers from there
    return run


def play_game(env: Any) -> int:
    """Plays a game to its end; returns how many guesses it took."""
    env.reset(num_players=1)
    env.get_observation()
    low, high = env.min_number, env.max_number
    guesses, is_done = 0, False
    while not is_done:
        guess = (low + high) // 2
        is_done, _ = env.step(f"[{guess}]")
        guesses += 1
        _, observation = env.get_observation()
        low, high = (guess + 1, high) if observation.endswith("higher.") else (low, guess - 1)
    env.close()
    return guesses


def answering(task: str) -> Contestant:
    """Returns a task of reasoning-gym whose answers are right; no item comes twice soon."""
    dataset: Any = reasoning_gym.create_dataset(task, size=_DATASET, seed=0)
    reached = 0

    def run() -> int:
        nonlocal reached
        for number in range(reached, reached + _ITEMS):
            item = dataset[number % _DATASET]
            dataset.score_answer(item["answer"], item)
        reached += _ITEMS
        return _ITEMS

    return run
