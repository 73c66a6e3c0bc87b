"""Training from the command line: `python -m lightbulb_agents.train`.

Without flags it trains on `Lightbulb/NewsSummariser-v0` for about two minutes on two cores,
evaluates on unseen documents and leaves a run folder with a report.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from lightbulb_agents.checkpoint import write_json
from lightbulb_agents.config import TrainConfig, config_to_json, differing
from lightbulb_agents.evaluate import (
    HEURISTICS,
    Results,
    Run,
    evaluate,
    format_table,
    results_to_json,
)
from lightbulb_agents.metrics import read_metrics
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_agents.report import draw_learning_curve, write_report
from lightbulb_agents.training import Training, Validation, train
from lightbulb_envs.actor import Actor
from lightbulb_envs.record import records_of, versions, write_records
from lightbulb_envs.registry import make_engine

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
    print(f"Training {config.algorithm()} on {config.env}, {config.steps():,} steps, into {run}")
    training = Training(config, settings)
    reading = _write_run(run, config, settings, training)
    if config.resume:
        training.restore(run)
        print(f"Going on after {training.steps:,} steps")
    validation = Validation.prepare(config.env, {**settings, **reading})
    train(training, validation, run, resumed=config.resume)
    draw_learning_curve(read_metrics(run / "metrics.csv"), config.env, run / "learning_curve.png")

    split = _test_split(settings)
    print(f"Playing {config.test_episodes} {split} documents …")
    results = _evaluate(run, config, {**settings, **reading, "split": split}, training)
    print()
    print(format_table(results))
    print()
    print(f"Report:    {run / 'report.html'}")
    print(f"Run again: python -m lightbulb_agents.evaluate {run} --split ood")
    return results


def _check_folder(run: Path, config: TrainConfig) -> None:
    marker = run / "run.json"
    if not config.resume:
        if marker.exists():
            raise FileExistsError(
                f"{run} holds a run already: go on with it with --resume, choose another folder "
                "with --run-folder, or remove it"
            )
        return
    if not marker.exists():
        raise FileNotFoundError(f"{run} holds no run to resume")
    before = json.loads(marker.read_text(encoding="utf-8"))["config"]
    changed = differing(before, config_to_json(config))
    if changed:
        raise ValueError(
            f"the run in {run} was started with other flags ({', '.join(changed)}): a resumed run "
            "must be the same run; give the flags that it was started with"
        )


def _write_run(
    run: Path, config: TrainConfig, settings: dict[str, Any], training: Training
) -> dict[str, Any]:
    """Writes what a run is; returns the settings with which its tokens are told."""
    run.mkdir(parents=True, exist_ok=True)
    vocabulary = training.vocabulary
    if hasattr(vocabulary, "save") and not (run / "tokenizer.json").exists():
        vocabulary.save(run / "tokenizer.json")
    if not config.resume:
        write_json(
            run / "run.json",
            {
                "env_id": config.env,
                "settings": settings,
                "algorithm": config.algorithm(),
                "head": training.row.head,
                "network": config.network().to_json(),
                "vocabulary_size": vocabulary.size,
                "vocabulary_digest": vocabulary.digest,
                "config": config_to_json(config),
                "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
                "versions": versions() | _learning_versions(),
            },
        )
    return Run.load(run).reading_settings()


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
    run: Path, config: TrainConfig, settings: dict[str, Any], training: Training
) -> Results:
    """Evaluates the trained network, and writes results, episode records and the report."""
    engine = make_engine(config.env, _ROWS, **settings)
    available = engine.num_instances
    count = config.test_episodes if available is None else min(config.test_episodes, available)
    actors: dict[str, Actor] = {"trained": NeuralActor(training.network)}
    split = str(settings["split"])
    instances = np.arange(count)
    results, played = evaluate(engine, config.env, split, settings, instances, actors)
    note = (
        f"trained for {training.steps:,} steps in {training.seconds:,.0f} s "
        f"on {config.threads} thread(s)"
    )
    results = replace(results, notes=(note,))
    write_json(run / "results.json", results_to_json(results))
    for name in ("trained", *HEURISTICS):
        records = records_of(config.env, settings, played[name])
        suffix = "" if name == "trained" else f"-{name}"
        write_records(run / f"episodes{suffix}.jsonl", records)
    write_report(run, config, results, engine, played["trained"])
    return results


def main() -> None:
    """Trains from the command line; bad input ends in one clear line."""
    config = tyro.cli(TrainConfig, prog="python -m lightbulb_agents.train")
    try:
        run_training(config)
    except (ValueError, TypeError, FileExistsError, FileNotFoundError) as error:
        sys.exit(f"lightbulb: {error}")


if __name__ == "__main__":
    main()
