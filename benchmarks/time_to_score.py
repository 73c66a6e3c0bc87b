"""Processor time until a policy scores 80: ours, a PPO in a single file, and MaskablePPO.

    python -m benchmarks.time_to_score [--jobs 2] [--runs FOLDER] [--only CONTESTANT ...]

All train the same network on `NewsSummariser-v0`, each on one thread. Ours and MaskablePPO are
tuned on the same grid; the single file takes what is best for ours. The best trial of each then
runs with other seeds. A trial is a process of its own and leaves one file; one that is finished is
not repeated, so the command can be stopped and started at will. Results:
`benchmarks/results/time_to_score.json`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from benchmarks.learning import machine, run_logged
from benchmarks.throughput.single_file_ppo import SingleFilePPO
from benchmarks.throughput.stable_baselines import ROWS, STEPS, StableBaselines
from lightbulb_agents.actor_critic import ActorCriticConfig
from lightbulb_agents.config import BUDGETS, TrainConfig
from lightbulb_agents.network import ArticleNetwork
from lightbulb_agents.training import VALIDATION_DOCUMENTS, Training, Validation
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.record import versions
from lightbulb_envs.score import seeds_interval

RESULTS = Path(__file__).parent / "results" / "time_to_score.json"
ENV_ID = "Lightbulb/NewsSummariser-v0"
TARGET = 80.0
EVERY = 10_000
"""Environment steps between two measurements of the score; their time does not count."""
TUNING_SEED, TUNING_SECONDS = 100, 400.0
SEEDS, SECONDS = (0, 1, 2), 1200.0
GRID = tuple(product((1e-3, 2e-3), (256, 1024), (2, 4)))
"""Learning rate, steps of a minibatch, passes over a rollout. The rest are our defaults."""


class Learner(Protocol):
    """What learns rollout by rollout."""

    @property
    def network(self) -> ArticleNetwork:
        """The network that learns."""

    @property
    def steps(self) -> int:
        """Environment steps so far."""

    def update(self) -> dict[str, float]:
        """Collects one rollout and learns from it."""


CONTESTANTS: dict[str, Callable[[TrainConfig], Learner]] = {
    "ours": lambda config: Training(config, {}),
    "single-file PPO": SingleFilePPO,
    "MaskablePPO": lambda config: StableBaselines("MaskablePPO", config),
}
TUNED_AS = {"ours": "ours", "single-file PPO": "ours", "MaskablePPO": "MaskablePPO"}
"""Contestant → whose best trial it takes its settings from."""


@dataclass(frozen=True)
class Trial:
    """One run until it scores `TARGET`, has spent its time, or has come to the end of its steps."""

    contestant: str
    seed: int
    seconds: float
    """Processor time that it may spend."""
    learning_rate: float
    minibatch: int
    epochs: int

    def config(self) -> TrainConfig:
        """Returns the training config; rates fall to zero over the short budget."""
        learning = ActorCriticConfig(self.learning_rate, self.epochs, self.minibatch)
        return TrainConfig(env=ENV_ID, budget="short", seed=self.seed, learning=learning)

    def file(self, runs: Path) -> Path:
        """Returns where its result lies."""
        name = f"{self.contestant.replace(' ', '-')}-{self.learning_rate:g}-{self.minibatch}"
        return runs / f"{name}-{self.epochs}-seed{self.seed}-{self.seconds:g}s.json"


def run_trial(trial: Trial) -> dict[str, Any]:
    """Returns the trial with its curve: steps, seconds of processor time, validation score."""
    config = trial.config()
    validation = Validation.prepare(ENV_ID, {})
    learner = CONTESTANTS[trial.contestant](config)
    curve: list[list[float]] = []
    spent = 0.0
    while True:
        is_over = spent >= trial.seconds or learner.steps >= config.steps()
        if is_over or learner.steps >= EVERY * len(curve):
            _, score = validation.measure(learner.network)
            curve.append([learner.steps, round(spent, 2), round(score, 2)])
            print(*curve[-1], flush=True)
            is_over |= score >= TARGET
        if is_over:
            break
        started = time.process_time()
        learner.update()
        spent += time.process_time() - started
    return {**asdict(trial), "seconds_to_score": crossing(curve), "curve": curve}


def crossing(curve: Sequence[Sequence[float]]) -> float | None:
    """Returns when the score came to TARGET, on a line between two measurements; None if never."""
    before: Sequence[float] = (0, 0.0, -float("inf"))
    for point in curve:
        if point[2] >= TARGET:
            share = (TARGET - before[2]) / (point[2] - before[2]) if before[1] < point[1] else 1.0
            return round(before[1] + share * (point[1] - before[1]), 2)
        before = point
    return None


def finished(trial: Trial, runs: Path) -> dict[str, Any]:
    """Returns a trial's result, after it has run in a process of its own unless it has before."""
    file = trial.file(runs)
    if not file.is_file():
        print(trial, flush=True)
        told = json.dumps(asdict(trial))
        command = [sys.executable, "-m", "benchmarks.time_to_score", "--trial", told]
        run_logged([*command, "--runs", str(runs)], file.with_suffix(".log"))
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return result


def trials_of(contestant: str) -> list[Trial]:
    """Returns the trials with which a contestant is tuned."""
    return [Trial(contestant, TUNING_SEED, TUNING_SECONDS, *settings) for settings in GRID]


def best(results: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Returns the fastest result; if none came to the score, the one that ended with the best."""

    def rank(result: dict[str, Any]) -> tuple[float, float]:
        seconds = result["seconds_to_score"]
        return (float("inf") if seconds is None else seconds, -result["curve"][-1][2])

    return min(results, key=rank)


def with_seeds(contestant: str, tuned: dict[str, Any]) -> list[Trial]:
    """Returns the trials that count, with the settings of a tuned one."""
    known = {name: tuned[name] for name in ("learning_rate", "minibatch", "epochs")}
    first = Trial(contestant=contestant, seed=0, seconds=SECONDS, **known)
    return [replace(first, seed=seed) for seed in SEEDS]


def summarise(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the times of trials that differ by their seed; null for those that never came there.

    The mean and its 95 % Student interval count those at what they had spent: a lower bound.
    """
    spent = [
        result["curve"][-1][1] if result["seconds_to_score"] is None else result["seconds_to_score"]
        for result in results
    ]
    return {
        "seconds": [result["seconds_to_score"] for result in results],
        "is_lower_bound": any(result["seconds_to_score"] is None for result in results),
        "interval": asdict(seeds_interval(spent)),
        "runs": list(results),
    }


def race(contestants: Sequence[str], runs: Path, jobs: int) -> dict[str, Any]:
    """Returns what every contestant was tuned on and how long its seeds took."""
    with ThreadPoolExecutor(jobs) as pool:

        def results_of(trials: Sequence[Trial]) -> Callable[[], list[dict[str, Any]]]:
            started = [pool.submit(finished, trial, runs) for trial in trials]
            return lambda: [future.result() for future in started]

        tuning = {name: results_of(trials_of(name)) for name in {TUNED_AS[n] for n in contestants}}
        tried = {name: results() for name, results in tuning.items()}
        chosen = {name: best(tried[TUNED_AS[name]]) for name in contestants}
        seeds = {name: results_of(with_seeds(name, chosen[name])) for name in contestants}
        return {
            name: {
                "tuned_as": TUNED_AS[name],
                "trials": tried[name] if TUNED_AS[name] == name else [],
                **summarise(seeds[name]()),
            }
            for name in contestants
        }


def main() -> None:
    """Races all contestants and writes the results; some of them, and writes none."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_to_score")
    parser.add_argument("--jobs", type=int, default=2, help="trials at the same time (2)")
    parser.add_argument("--runs", type=Path, default=Path("runs/time_to_score"))
    parser.add_argument("--only", nargs="*", choices=list(CONTESTANTS), help="write no results")
    parser.add_argument("--trial", help="run one trial, written as JSON")
    arguments = parser.parse_args()
    if arguments.trial:
        trial = Trial(**json.loads(arguments.trial))
        arguments.runs.mkdir(parents=True, exist_ok=True)
        write_json(trial.file(arguments.runs), run_trial(trial))
        return
    found = race(arguments.only or list(CONTESTANTS), arguments.runs, arguments.jobs)
    for name, result in found.items():
        print(name, result["seconds"], result["interval"], flush=True)
    if arguments.only:
        return
    means = {name: result["interval"]["mean"] for name, result in found.items()}
    setting = {
        "env": ENV_ID,
        "target": TARGET,
        "documents": VALIDATION_DOCUMENTS,
        "measured_every": EVERY,
        "decay_steps": BUDGETS["short"],
        "tuning": {"seed": TUNING_SEED, "seconds": TUNING_SECONDS, "trials": len(GRID)},
        "seeds": list(SEEDS),
        "seconds": SECONDS,
        "stable_baselines": {"rows": ROWS, "steps": STEPS},
    }
    ratio = {name: round(means["ours"] / mean, 3) for name, mean in means.items() if name != "ours"}
    told = {**setting, "contestants": found, "ours_against": ratio}
    write_json(RESULTS, {**told, "machine": machine(), "versions": versions()})


if __name__ == "__main__":
    main()
