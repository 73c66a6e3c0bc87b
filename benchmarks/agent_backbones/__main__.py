"""What agents learn with each backbone in the same time, one thread each.

    python -m benchmarks.agent_backbones [--only NAME ...] [--runs FOLDER] [--jobs 1]

trains what `TRAINED` lists, one process a run. How many steps a backbone takes in the time that all
have is measured first, by a short training of each, and kept: a run is told in steps, so that it
can be repeated. The models that `hf:` reads are made first too: a tiny language expert that has
read articles of the newsroom's split `train`, and the same with fresh weights.

Every run leaves a file in `benchmarks/results/agent_backbones` and is not repeated if that is
there; one that was interrupted goes on.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.agent_backbones.runs import (
    AGENT,
    ARTICLES,
    FOLDER,
    PRETRAINED,
    PRETRAINING,
    TRAINED,
    UNTRAINED,
    Trained,
)
from benchmarks.learning import Suite, finished_run, kept, machine, run_logged
from lightbulb_backbones.runs.checkpoint import latest_checkpoint, read_state
from lightbulb_envs.whole_file import write_whole


def backbone_flag(backbone: str, runs: Path) -> str:
    """Returns what training takes for a backbone."""
    return f"hf:{runs / backbone / 'model'}" if backbone in (PRETRAINED, UNTRAINED) else backbone


def suite_of(trained: Trained, steps: int, runs: Path) -> Suite:
    """Returns the runs of so many steps."""
    flags = ("--backbone", backbone_flag(trained.backbone, runs))
    env = f"Lightbulb/{trained.task}"
    return Suite(trained.name, env, str(steps), trained.seeds, AGENT, flags=flags)


def pretrain(runs: Path) -> None:
    """Makes the models that are read from folders, unless they are there."""
    from benchmarks.backbones.search import newsroom_text

    text = runs / "newsroom.txt"
    held = runs / "newsroom-held.txt"
    if not text.is_file():
        runs.mkdir(parents=True, exist_ok=True)
        held.write_text(newsroom_text("validation", 500), encoding="utf-8")
        # Last and whole: it says that both are there.
        write_whole(text, [newsroom_text("train", ARTICLES).encode()])
    learnt = runs / PRETRAINED
    if not (learnt / "results.json").is_file():
        command = [sys.executable, "-m", "lightbulb_backbones.pretrain", "--data", str(text)]
        command += ["--validation", str(held), "--steps", str(PRETRAINING)]
        command += ["--run-folder", str(learnt)]
        command += ["--resume"] if (learnt / "run.json").is_file() else []
        run_logged(command, runs / f"{PRETRAINED}.log")
    untrained = runs / UNTRAINED / "model"
    if not (untrained / "tokenizer.json").is_file():  # which is written last
        forget(learnt / "model", untrained)


def forget(learnt: Path, untrained: Path, seed: int = 0) -> None:
    """Writes a model with its tokenizer and the size of another, and fresh weights."""
    import torch
    from transformers import AutoTokenizer

    from lightbulb_backbones.language import LanguageExpertForCausalLM
    from lightbulb_backbones.language_config import LanguageExpertConfig

    torch.manual_seed(seed)
    config = LanguageExpertConfig.from_pretrained(learnt)
    LanguageExpertForCausalLM(config).save_pretrained(untrained)
    AutoTokenizer.from_pretrained(learnt).save_pretrained(untrained)


def steps_of(trained: Trained, runs: Path) -> int:
    """Returns how many steps are taken in the time there is, measured once."""

    def measure() -> dict[str, Any]:
        trial = suite_of(trained, trained.trial, runs)
        run = runs / "trials" / trained.name
        command = [sys.executable, "-m", "lightbulb_agents.train", "--env", trial.env]
        command += ["--agent", trial.agent, "--budget", trial.budget, *trial.flags]
        command += ["--test-episodes", "1", "--threads", "1", "--run-folder", str(run)]
        if not (run / "results.json").is_file():
            command += ["--resume"] if (run / "run.json").is_file() else []
            run_logged(command, run.with_suffix(".log"))
        state = read_state(latest_checkpoint(run))
        return {name: state[name] for name in ("steps", "seconds")} | {"machine": machine()}

    told = kept(FOLDER / "speed" / f"{trained.name}.json", measure)
    return int(told["steps"] / told["seconds"] * trained.seconds)


def main() -> None:
    """Trains what is not there yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agent_backbones")
    parser.add_argument("--only", nargs="*", choices=list(TRAINED), metavar="NAME")
    parser.add_argument("--runs", type=Path, default=Path("runs/agent_backbones"))
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time (1)")
    given = parser.parse_args()
    pretrain(given.runs)
    chosen = [TRAINED[name] for name in given.only or TRAINED]
    suites = [suite_of(one, steps_of(one, given.runs), given.runs) for one in chosen]
    with ThreadPoolExecutor(given.jobs) as pool:
        started = [
            (suite.name, seed, pool.submit(finished_run, suite, seed, given.runs, FOLDER))
            for suite in suites
            for seed in suite.seeds
        ]
    for name, seed, future in started:
        told = future.result()
        print(f"{name}-{seed}: {told['test']['score']:.1f} in {told['seconds']} s")


if __name__ == "__main__":
    main()
