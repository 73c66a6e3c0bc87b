"""Training from the command line: `python -m lightbulb_agents.train`.

Without flags it trains on `Lightbulb/NewsSummariser-v0` for about two minutes on a core,
evaluates on unseen documents and leaves a run folder with a report.
"""

from lightbulb_backbones.runs.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tyro

from lightbulb_agents.agent import task_to_json
from lightbulb_agents.config import TrainConfig, config_to_json
from lightbulb_agents.evaluate import (
    Results,
    evaluate,
    format_table,
    results_to_json,
)
from lightbulb_agents.joint_training import JointTraining, train_jointly
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_agents.report import draw_learning_curve, write_report
from lightbulb_agents.run import Run
from lightbulb_agents.training import Training, Validation, train
from lightbulb_backbones.runs.checkpoint import has_checkpoint, write_json
from lightbulb_backbones.runs.command import ending_clearly
from lightbulb_backbones.runs.metrics import read_metrics
from lightbulb_backbones.runs.resuming import check_folder
from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines import heuristics_of
from lightbulb_envs.record import records_of, versions, write_records
from lightbulb_envs.registry import make_engine
from lightbulb_envs.whole_file import explained

_ROWS = 128


def run_training(config: TrainConfig) -> Results:
    """Trains, evaluates and reports as the config says; returns the table of the test documents.

    Raises:
        FileExistsError: the run folder holds a run already, and `resume` is off.
        ValueError: `resume` is on, and the run was started with other flags.
    """
    run = config.folder()
    settings = config.env_settings()
    _check_folder(run, config)
    training = Training(config, settings)
    print(f"Training {config.algorithm()} on {config.env}, {config.steps():,} steps, into {run}")
    resumed = config.resume and has_checkpoint(run)
    reading = _write_run(run, config, settings, training, resumed=resumed)
    if resumed:
        training.restore(run)
        print(f"Going on after {training.steps:,} steps")
    elif config.resume:
        print("It holds no checkpoint yet: starting at step 0")
    validation = Validation.prepare(config.env, {**settings, **reading})
    train(training, validation, run, resumed=resumed)
    return _finish(run, config, {**settings, **reading}, training, validation)


def run_joint_training(config: TrainConfig) -> dict[str, Results]:
    """Trains an agent on several environments; returns the tables of test documents by their ids.

    Raises:
        FileExistsError, ValueError: as of `run_training`.
    """
    run = config.folder()
    _check_folder(run, config)
    joint = JointTraining(config)
    told = " and ".join(f"{task.algorithm} on {task.env_id}" for task in joint.tasks)
    print(f"Training {told}, over one encoder, {config.steps():,} steps each, into {run}")
    resumed = config.resume and has_checkpoint(run)
    if not resumed:
        with explained(run):
            run.mkdir(parents=True, exist_ok=True)
        tasks = [task_to_json(task) for task in joint.tasks]
        write_json(run / "run.json", {"tasks": tasks, **_origin(config)})
    validations, reading = {}, {}
    for name, training in joint.trainings.items():
        own = training.config
        reading[name] = _write_run(
            run / name, own, {}, training, resumed=resumed, more={"is_of_agent": True}
        )
        validations[name] = Validation.prepare(own.env, reading[name])
    if resumed:
        joint.restore(run)
        print(f"Going on after {joint.steps:,} steps")
    elif config.resume:
        print("It holds no checkpoint yet: starting at step 0")
    train_jointly(joint, validations, run, resumed=resumed)
    return {
        training.config.env: _finish(
            run / name, training.config, reading[name], training, validations[name]
        )
        for name, training in joint.trainings.items()
    }


def _finish(
    run: Path,
    config: TrainConfig,
    settings: dict[str, Any],
    training: Training,
    validation: Validation,
) -> Results:
    """Draws the learning curve, evaluates and reports."""
    rows = read_metrics(run / "metrics.csv")
    draw_learning_curve(rows, config.env, validation.split, run / "learning_curve.png")
    split = _test_split(settings)
    results = _evaluate(run, config, {**settings, "split": split}, training, validation.split)
    print()
    print(format_table(results))
    print()
    print(f"Report: {run / 'report.html'}")
    is_simulated = training.engine.source.num_documents is None
    other = "ood" if is_simulated else split
    print(f"Next:   {sys.executable} -m lightbulb_agents.evaluate {run} --split {other}")
    return results


def _check_folder(run: Path, config: TrainConfig) -> None:
    now = versions() | _learning_versions()
    check_folder(run, config_to_json(config), now, is_resumed=config.resume)


def _write_run(
    run: Path,
    config: TrainConfig,
    settings: dict[str, Any],
    training: Training,
    *,
    resumed: bool,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Writes what a run is, and `more`; returns the settings with which its tokens are told."""
    with explained(run):
        run.mkdir(parents=True, exist_ok=True)
    vocabulary = training.vocabulary
    if not resumed:
        if hasattr(vocabulary, "save"):
            vocabulary.save(run / "tokenizer.json")
        write_json(
            run / "run.json",
            {
                "env_id": config.env,
                "settings": settings,
                "algorithm": config.algorithm(),
                "head": training.row.head,
                "network": training.network.described(config.network()).to_json(),
                "layout": training.layout.to_json(),
                "vocabulary_size": vocabulary.size,
                "vocabulary_digest": vocabulary.digest,
                "labels": list(getattr(training.engine, "labels", ())),
                **_origin(config),
                **more,
            },
        )
    return Run.load(run).reading_settings()


def _origin(config: TrainConfig) -> dict[str, Any]:
    """Returns how a run came to be."""
    return {
        "config": config_to_json(config),
        "command": ["python", "-m", "lightbulb_agents.train", *sys.argv[1:]],
        "versions": versions() | _learning_versions(),
    }


def _learning_versions() -> dict[str, str]:
    import tianshou
    import torch
    import transformers

    return {
        "torch": torch.__version__,
        "tianshou": tianshou.__version__,
        "transformers": transformers.__version__,
    }


def _test_split(settings: dict[str, Any]) -> str:
    source = settings.get("source")
    if isinstance(source, dict) and "test" not in source:
        print("No --source.test: the table is of documents that were trained on", file=sys.stderr)
        return "train"
    return "test"


def _evaluate(
    run: Path,
    config: TrainConfig,
    settings: dict[str, Any],
    training: Training,
    validation_split: str,
) -> Results:
    """Evaluates the trained network, and writes results, episode records and the report."""
    engine = make_engine(config.env, _ROWS, **settings)
    available = engine.num_instances
    count = config.test_episodes if available is None else min(config.test_episodes, available)
    actors: dict[str, Actor] = {"trained": NeuralActor(training.network)}
    Run.load(run).check(engine)
    split = str(settings["split"])
    instances = np.arange(count)
    print(f"Playing {count} {split} documents …")
    results, played = evaluate(engine, config.env, split, settings, instances, actors)
    note = (
        f"trained for {training.steps:,} steps in {training.seconds:,.0f} s "
        f"on {config.threads} thread(s)"
    )
    if config.learning.imitate is not None:
        share = config.learning.imitation
        note += f", the first {share:.0%} of them imitating {config.learning.imitate}"
    results = replace(results, notes=(note,))
    for name in ("trained", *heuristics_of(engine)):
        records = records_of(config.env, settings, engine, played[name])
        suffix = "" if name == "trained" else f"-{name}"
        write_records(run / f"episodes{suffix}.jsonl", records)
    write_report(run, config, results, engine, played["trained"], validation_split)
    write_json(run / "results.json", results_to_json(results))  # last: it says that all is there
    return results


def main() -> None:
    """Trains from the command line: exit code 1 for bad input, 130 when it is stopped."""
    with ending_clearly("The same command with --resume goes on from the last checkpoint"):
        config = tyro.cli(TrainConfig, prog="python -m lightbulb_agents.train")
        if config.also:
            run_joint_training(config)
        else:
            run_training(config)


if __name__ == "__main__":
    main()
