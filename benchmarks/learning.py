"""What agents learn: training runs over seeds, and what they score on test and ood documents.

    python -m benchmarks.learning [--only SUITE ...] [--runs FOLDER] [--jobs 2]

trains what `SUITES` lists, one process a run, and writes `benchmarks/results/learning.json`. A run
that is finished is not repeated and one that was interrupted goes on, so the command can be
stopped and started at will. What a finished run measured is kept in `results/learning_runs` until
its suite is whole: with that folder another machine goes on with the seeds that are left.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_backbones.runs.metrics import read_metrics
from lightbulb_envs.score import paired_interval, seeds_interval

RESULTS = Path(__file__).parent / "results" / "learning.json"
FINISHED = RESULTS.with_name("learning_runs")
"""What finished runs measured whose suites are not whole, a file each."""
KEPT = 20
"""Test episodes of a suite's first run whose actions and rewards are kept."""


@dataclass(frozen=True)
class Suite:
    """Runs that differ by their seed alone."""

    name: str
    env: str
    budget: str
    seeds: tuple[int, ...]
    agent: str = "ppo"
    settings: tuple[str, ...] = ()
    """Keywords that are not the id's own, as `--settings` takes them."""
    flags: tuple[str, ...] = ()
    """Other flags of training."""
    joint: tuple[tuple[str, str], ...] = ()
    """Ids and sub-agents of the agent of several of which this is one; () where it is alone."""

    def run_folder(self, seed: int, folder: Path) -> Path:
        """Returns the folder of a run, which that of an agent of several shares with its others."""
        name = f"agent-{self.budget}" if self.joint else self.name
        return folder / f"{name}-{seed}"

    def part(self, run: Path) -> Path:
        """Returns the folder in which a run's results for this suite are."""
        return run / self.env.removeprefix("Lightbulb/") if self.joint else run


_THREE, _FIVE = (0, 1, 2), (0, 1, 2, 3, 4)
_READ, _READ_AS = "Lightbulb/SentimentAnalysis-v0", "Lightbulb/SentimentAnalysis-{}-v0"
_WRITE = "Lightbulb/NewsSummariser-Tokens-v0"
_BOTH = (("Lightbulb/NewsSummariser-v0", "ppo"), (_READ, "dqn"))
"""One agent of both base ids, a sub-agent of each kind."""
SUITES = (
    Suite("level0-short", "Lightbulb/NewsSummariser-v0", "short", _THREE, settings=("level=0",)),
    Suite("easy-short", "Lightbulb/NewsSummariser-Easy-v0", "short", _THREE),
    Suite("v0-short", "Lightbulb/NewsSummariser-v0", "short", _FIVE),
    Suite("v0-long", "Lightbulb/NewsSummariser-v0", "long", _FIVE),
    Suite("level3-short", "Lightbulb/NewsSummariser-v0", "short", _THREE, settings=("level=3",)),
    Suite("hard-short", "Lightbulb/NewsSummariser-Hard-v0", "short", _THREE),
    Suite("multidoc-short", "Lightbulb/NewsSummariser-MultiDoc-v0", "short", _THREE),
    Suite("slate-short", "Lightbulb/NewsSummariser-Slate-v0", "short", _THREE),
    Suite("subset-short", "Lightbulb/NewsSummariser-Subset-v0", "short", _THREE),
    Suite("tokens-short", _WRITE, "short", _THREE, flags=("--learning.imitate", "oracle")),
    Suite("tokens-alone-short", _WRITE, "short", _THREE),
    Suite("v0-dqn-long", "Lightbulb/NewsSummariser-v0", "long", _FIVE, "dqn"),
    Suite("sentiment-ppo-short", _READ, "short", _THREE),
    Suite("sentiment-dqn-short", _READ, "short", _THREE, "dqn"),
    Suite("sentiment-ppo-long", _READ, "long", _FIVE),
    Suite("sentiment-dqn-long", _READ, "long", _FIVE, "dqn"),
    *(
        Suite(
            f"sentiment-{name.lower()}-{agent}-short", _READ_AS.format(name), "short", _THREE, agent
        )
        for name in ("Hard", "Cue", "Bandit", "Skim", "Aspect")
        for agent in ("ppo", "dqn")
    ),
    *(
        Suite(f"agent-{agent}-short", env, "short", _THREE, agent, joint=_BOTH)
        for env, agent in _BOTH
    ),
    Suite("sentiment-calibrated-ppo-short", _READ_AS.format("Calibrated"), "short", _THREE),
)


_LOCKS: defaultdict[str, Lock] = defaultdict(Lock)


def finished_run(
    suite: Suite, seed: int, folder: Path, finished: Path = FINISHED
) -> dict[str, Any]:
    """Returns what a run measured, for which it is trained unless it is finished or kept."""
    path = finished / f"{suite.name}-{seed}.json"
    return kept(path, lambda: measured(suite, _train_run(suite, seed, folder)))


def _train_run(suite: Suite, seed: int, folder: Path) -> Path:
    """Trains one run in a process of its own, unless it is finished; returns its folder."""
    run = suite.run_folder(seed, folder)
    part = suite.part(run)
    with _LOCKS[str(run)]:  # suites of one agent wait for the same run
        if not (part / "results.json").is_file():
            _train(suite, seed, run)
        if not _ood_file(suite, part).is_file():
            command = ["-m", "lightbulb_agents.evaluate", str(part), "--split", "ood"]
            run_logged([sys.executable, *command], run.with_suffix(".log"))
    return part


def _ood_file(suite: Suite, run: Path) -> Path:
    return run / f"evaluation-{suite.env.removeprefix('Lightbulb/')}-ood.json"


def _train(suite: Suite, seed: int, run: Path) -> None:
    (env, agent), *others = suite.joint or ((suite.env, suite.agent),)
    command = [sys.executable, "-m", "lightbulb_agents.train", "--env", env, "--agent", agent]
    if others:
        command += ["--also", *(one for one, _ in others)]
        command += ["--also-agent", *(one for _, one in others)]
    command += [
        "--budget",
        suite.budget,
        "--seed",
        str(seed),
        "--threads",
        "1",
    ]
    command += ["--run-folder", str(run)]
    if suite.settings:
        command += ["--settings", *suite.settings]
    command += suite.flags
    if (run / "run.json").is_file():
        command.append("--resume")
    print(f"{suite.name}, seed {seed}", flush=True)
    run_logged(command, run.with_suffix(".log"))


def run_logged(command: list[str], log: Path) -> None:
    """Runs a command; what it prints goes to a file, which the error names if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: see {log}")


def measured(suite: Suite, run: Path) -> dict[str, Any]:
    """Returns what one finished run measured, with the returns that suites compare in pairs."""
    result = json.loads((run / "results.json").read_text(encoding="utf-8"))
    ood = json.loads(_ood_file(suite, run).read_text(encoding="utf-8"))
    state = _last_state(suite, run)
    names = [name.removeprefix("trained - ") for name in result["differences"]]
    return {
        "documents": result["episodes"],
        "steps": state["steps"],
        "seconds": round(state["seconds"]),
        "curve": _curve(run),
        "test": {"score": _score(result), **_others(result)},
        "ood": {"score": _score(ood), **_others(ood)},
        "returns": {
            "trained": _returns(run / "episodes.jsonl"),
            **{name: _returns(run / f"episodes-{name}.jsonl") for name in names},
        },
        "first_episodes": _first_episodes(run / "episodes.jsonl"),
        "machine": machine(),
        "versions": json.loads((run / "run.json").read_text(encoding="utf-8"))["versions"],
    }


def summarise(suite: Suite, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the scores of a suite's runs with their intervals over seeds."""
    trained = np.array([run["returns"]["trained"] for run in runs])
    differences = {}
    for name in runs[0]["returns"]:
        if name != "trained":
            played = np.array([run["returns"][name] for run in runs])
            differences[f"trained - {name}"] = asdict(paired_interval(trained - played))
    return {
        "env": suite.env,
        "settings": list(suite.settings),
        "flags": list(suite.flags),
        "agent": suite.agent,
        "joint": [list(one) for one in suite.joint],
        "budget": suite.budget,
        "seeds": list(suite.seeds),
        "documents": runs[0]["documents"],
        "steps": [run["steps"] for run in runs],
        "seconds": [run["seconds"] for run in runs],
        "machines": [run["machine"] for run in runs],
        "threads": 1,
        "curves": [run["curve"] for run in runs],
        **_over_seeds([run["test"] for run in runs]),
        "ood": _over_seeds([run["ood"] for run in runs]),
        "differences": differences,
        "first_episodes": runs[0]["first_episodes"],
        "versions": runs[0]["versions"],
    }


def _over_seeds(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the scores of one split, with what else was measured of trained agents, by seed."""
    scores = [one["score"] for one in told]
    return {
        "scores": scores,
        "score": asdict(seeds_interval(scores)),
        "baselines": told[0]["baselines"],
        "metrics": {name: [one["metrics"][name] for one in told] for name in told[0]["metrics"]},
    }


def _first_episodes(path: Path) -> list[dict[str, Any]]:
    """Returns a run's episodes on the first test documents: enough to replay their rewards."""
    lines = path.read_text(encoding="utf-8").splitlines()
    records = sorted((json.loads(line) for line in lines), key=lambda one: int(one["instance"]))
    return [{name: one[name] for name in ("instance", "actions", "rewards")} for one in records][
        :KEPT
    ]


def _others(result: dict[str, Any]) -> dict[str, Any]:
    """Returns what a result says but for its score."""
    entries = {entry["name"]: entry for entry in result["entries"]}
    trained = entries.pop("trained")
    return {
        "baselines": {name: entry["score"]["mean"] for name, entry in entries.items()},
        "metrics": trained.get("metrics", {}),
    }


def _curve(run: Path) -> list[list[float]]:
    """Returns the learning curve of a run as pairs of steps and validation score."""
    rows = read_metrics(run / "metrics.csv")
    return [[int(row["steps"]), round(float(row["score"]), 2)] for row in rows]


def _last_state(suite: Suite, run: Path) -> dict[str, Any]:
    part = run.name
    run = run.parent if suite.joint else run
    name = json.loads((run / "checkpoints" / "latest.json").read_text(encoding="utf-8"))["name"]
    path = run / "checkpoints" / name / "state.json"
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return state["tasks"][part] if suite.joint else state


def _score(result: dict[str, Any]) -> float:
    return float(next(e["score"]["mean"] for e in result["entries"] if e["name"] == "trained"))


def _returns(path: Path) -> list[float]:
    """Returns the returns of an episode file, by instance."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [sum(record["rewards"]) for record in sorted(records, key=lambda r: int(r["instance"]))]


def kept(path: Path, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Returns what a file of results says, which is measured and written if it is not there."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, measure())
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def machine() -> dict[str, Any]:
    """Returns what the runs ran on, as far as it matters to their seconds."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return {"processor": model, "cores": os.cpu_count(), "gpu": None}


def main() -> None:
    """Trains the suites and writes what they scored."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning")
    parser.add_argument("--only", nargs="*", choices=[suite.name for suite in SUITES])
    parser.add_argument("--runs", type=Path, default=Path("runs/learning"))
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time (2)")
    arguments = parser.parse_args()
    chosen = [suite for suite in SUITES if not arguments.only or suite.name in arguments.only]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        started = {
            suite.name: [
                pool.submit(finished_run, suite, seed, arguments.runs) for seed in suite.seeds
            ]
            for suite in chosen
        }
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    known |= {
        suite.name: summarise(suite, [future.result() for future in started[suite.name]])
        for suite in chosen
    }
    in_order = {suite.name: known[suite.name] for suite in SUITES if suite.name in known}
    write_json(RESULTS, in_order)
    for suite in chosen:
        for seed in suite.seeds:
            (FINISHED / f"{suite.name}-{seed}.json").unlink()
        print(suite.name, known[suite.name]["score"])


if __name__ == "__main__":
    main()
