"""Evaluating a run: `python -m lightbulb_agents.evaluate RUN --split test --episodes 500`.

`hf:FOLDER` in the place of RUN is a language model of `transformers` in a local folder.
"""

from lightbulb_backbones.runs.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from lightbulb_agents.language_actor import AnswerCounts, History, LanguageActor
from lightbulb_agents.language_folder import load_language_model
from lightbulb_agents.language_model import LanguageConfig
from lightbulb_agents.run import Run
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_backbones.runs.command import ending_clearly
from lightbulb_backbones.runs.limits import check_least, check_most
from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines import baselines_of, heuristics_of, make_baseline
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.metrics import summed_up
from lightbulb_envs.record import EpisodeRecord, records_of, write_records
from lightbulb_envs.registry import find_row, make_engine
from lightbulb_envs.rollout import Episode, roll_out
from lightbulb_envs.score import Interval, mean_interval, random_returns, score_interval
from lightbulb_envs.settings import parse_settings
from lightbulb_envs.whole_file import explained

_ROWS = 128


@dataclass(frozen=True)
class Entry:
    """One line of a table of results."""

    name: str
    episode_return: Interval
    score: Interval
    """Normalised: random 0, oracle 100."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What else was measured, if anything; see `lightbulb_envs.metrics`."""


@dataclass(frozen=True)
class Results:
    """Baselines and a policy on the same documents."""

    env_id: str
    split: str
    episodes: int
    settings: dict[str, Any]
    oracle_methods: dict[str, int]
    """How the oracle found its drafts: "exact" or "beam-16", and how often."""
    entries: tuple[Entry, ...]
    differences: dict[str, Interval]
    """Trained minus each heuristic, in return, paired by document."""
    notes: tuple[str, ...] = ()
    answers: AnswerCounts | None = None
    """How a language model answered, if it is one."""

    def entry(self, name: str) -> Entry:
        """Returns the entry of that name."""
        return next(entry for entry in self.entries if entry.name == name)


def evaluate(
    engine: Engine,
    env_id: str,
    split: str,
    settings: dict[str, Any],
    instances: NDArray[np.int64],
    actors: dict[str, Actor],
    seed: int = 0,
) -> tuple[Results, dict[str, list[Episode]]]:
    """Plays baselines and actors on the same instances; returns the results and the episodes."""
    heuristics = heuristics_of(engine)
    played = {
        name: roll_out(make_baseline(name, engine), engine, instances, seed) for name in heuristics
    }
    played |= {name: roll_out(actor, engine, instances, seed) for name, actor in actors.items()}
    has_ceiling = engine.source.has_facts and "ceiling" in baselines_of(engine)
    for name in ("ceiling", "oracle") if has_ceiling else ("oracle",):
        played[name] = roll_out(make_baseline(name, engine), engine, instances, seed)
    returns = {
        name: np.array([episode.episode_return for episode in episodes])
        for name, episodes in played.items()
    }
    random = random_returns(engine, instances, seed=seed)

    def generator() -> np.random.Generator:
        return np.random.default_rng(seed)

    entries = [
        Entry(
            name,
            mean_interval(values, generator()),
            score_interval(values, random, returns["oracle"], generator()),
            _metrics(played.get(name, [])),
        )
        for name, values in {"random": random, **returns}.items()
    ]
    differences = {
        f"{actor} - {heuristic}": mean_interval(returns[actor] - returns[heuristic], generator())
        for actor in actors
        for heuristic in heuristics
    }
    results = Results(
        env_id=env_id,
        split=split,
        episodes=len(instances),
        settings=settings,
        oracle_methods=_oracle_methods(engine, instances),
        entries=tuple(entries),
        differences=differences,
    )
    return results, played


def _metrics(episodes: list[Episode]) -> dict[str, float]:
    return summed_up([episode.metrics for episode in episodes if episode.metrics])


def _oracle_methods(engine: Engine, instances: NDArray[np.int64]) -> dict[str, int]:
    """Counts how the oracle's drafts of the instances were found."""
    counts: Counter[str] = Counter()
    for start in range(0, len(instances), engine.num_envs):
        block = instances[start : start + engine.num_envs]
        rows = np.arange(len(block))
        engine.reset(rows, block)
        counts.update(engine.oracle_method(row) for row in rows.tolist())
    return dict(counts)


def format_table(results: Results) -> str:
    """Returns the results as a table for a terminal."""
    lines = [
        f"{results.env_id}, split {results.split}, {results.episodes} documents "
        "(score: random 0, oracle 100; 95 % bootstrap intervals over documents)",
        "",
        f"{'':<18}{'return':>8}{'95 % interval':>18}{'score':>9}{'95 % interval':>18}",
    ]
    for entry in results.entries:
        reward, score = entry.episode_return, entry.score
        name = {"ceiling": "readable ceiling"}.get(entry.name, entry.name)
        lines.append(
            f"{name:<18}{reward.mean:>8.3f}{f'{reward.low:.3f} to {reward.high:.3f}':>18}"
            f"{score.mean:>9.1f}{f'{score.low:.1f} to {score.high:.1f}':>18}"
        )
    lines += ["", *_metric_lines(results)]
    for name, gap in results.differences.items():
        lines.append(f"{name}: return {gap.mean:+.3f}, paired {gap.low:+.3f} to {gap.high:+.3f}")
    found = ", ".join(f"{method} for {count}" for method, count in results.oracle_methods.items())
    lines.append(f"oracle: {found} of the documents")
    if results.answers is not None:
        lines.append(f"language model: {results.answers}")
    lines.extend(results.notes)
    return "\n".join(lines)


def _metric_lines(results: Results) -> list[str]:
    """Returns a table of what else was measured, and a blank line; nothing if nothing was."""
    measured = {entry.name: entry.metrics for entry in results.entries if entry.metrics}
    if not measured:
        return []
    names = list(dict.fromkeys(name for one in measured.values() for name in one))
    lines = [f"{'':<18}" + "".join(f"{name.replace('_', ' '):>19}" for name in names)]
    for entry, found in measured.items():
        told = (f"{found[name]:.3f}" if name in found else "" for name in names)
        lines.append(f"{entry:<18}" + "".join(f"{one:>19}" for one in told))
    return [*lines, ""]


def results_to_json(results: Results) -> dict[str, Any]:
    """Returns results as plain data."""
    return asdict(results)


@dataclass(frozen=True)
class EvaluateConfig:
    """Evaluate the policy of a run, or a language model, beside the baselines, on documents of a
    split."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder that training left; or hf:FOLDER, a language model in a local folder, as
    `save_pretrained` of transformers writes it."""
    env: str | None = None
    """Environment id. Default: the run's own; a language model has none."""
    split: str = "test"
    """Split whose documents are read."""
    episodes: int = 500
    """Documents, one episode each."""
    seed: int = 0
    """Seed of the random baseline, of the intervals, and of a language model's draws."""
    source: tuple[str, ...] = ()
    """Documents to read instead of the run's, such as newsroom or jsonl:news.jsonl."""
    settings: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=JSON ...")] = ()
    """Other keywords of the environment, such as budget=3."""
    output: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where results are written. Default: the run's folder; for a language model, runs/ and the
    name of its folder."""
    history: History = "chat"
    """What a language model is told: "chat", the episode so far, or "state", what is known now."""
    language: Annotated[LanguageConfig, tyro.conf.arg(name="")] = field(
        default_factory=LanguageConfig
    )

    def folder(self) -> Path:
        """Returns where results are written."""
        if self.output is not None:
            return self.output
        if not _is_language(self):
            return self.run
        return Path("runs") / _language_folder(self).resolve().name


def evaluate_run(config: EvaluateConfig) -> tuple[Results, list[EpisodeRecord]]:
    """Evaluates a run, or a language model, as the config says."""
    check_least(config, episodes=1, seed=0)
    check_most(config, episodes=1_000_000)
    policy = _language_policy(config) if _is_language(config) else _run_policy(config)
    env_id, settings, split = policy.env_id, policy.settings, config.split
    settings["split"] = split
    if config.source:
        settings["source"] = list(config.source)
        if config.source != ("newsroom",) and "split" not in settings.get("fields", {}):
            settings["split"], split = None, "files"  # the files named are read whole
    rows = min(_ROWS, config.episodes)
    engine = make_engine(env_id, rows, **settings)
    actor = policy.make(engine)
    available = engine.num_instances
    episodes = config.episodes if available is None else min(config.episodes, available)
    actors = {policy.name: actor}
    results, played = evaluate(
        engine, env_id, split, settings, np.arange(episodes), actors, config.seed
    )
    notes = []
    if episodes < config.episodes:
        notes.append(f"asked for {config.episodes} documents, and the source has {episodes}")
    if isinstance(actor, LanguageActor):
        notes.append(f"{config.run}: {actor.model}, history {config.history}")
        results = replace(results, answers=actor.counts)
    results = replace(results, notes=tuple(notes))
    return results, records_of(env_id, settings, engine, played[policy.name])


@dataclass(frozen=True)
class _Policy:
    """What is evaluated."""

    name: str
    """What the table calls it."""
    env_id: str
    settings: dict[str, Any]
    make: Callable[[Engine], Actor]
    """Makes the actor; ValueError if it cannot read or act in the engine."""


def _run_policy(config: EvaluateConfig) -> _Policy:
    """Returns the policy of a run folder."""
    own = EvaluateConfig(config.run)
    if (config.language, config.history) != (own.language, own.history):
        raise ValueError(
            f"{config.run} is a run, and flags such as --batch, --history or --temperature are for "
            f"language models, {_LANGUAGE}FOLDER: leave them out"
        )
    run = Run.load(config.run, config.env)
    env_id = config.env or run.env_id
    row = find_row(env_id)
    if row.head != run.head:
        raise ValueError(
            f"the run acts through a {run.head!r} head and {env_id} needs a {row.head!r} head"
        )
    settings = dict(run.settings) if env_id == run.env_id else _of_documents(run.settings)
    settings |= parse_settings(config.settings, _REFUSED) | run.reading_settings()
    return _Policy("trained", env_id, settings, run.make_actor)


def _language_policy(config: EvaluateConfig) -> _Policy:
    """Returns the policy of a language model."""
    if config.env is None:
        raise ValueError(
            "a language model was trained on none of the environments: name one, such as "
            "--env Lightbulb/NewsSummariser-v0"
        )
    find_row(config.env)
    flags = {name: _REFUSED[name] for name in ("split", "source")}
    settings = parse_settings(config.settings, flags)

    def make(engine: Engine) -> LanguageActor:
        model = load_language_model(_language_folder(config), config.language)
        return LanguageActor(model, engine, history=config.history)

    return _Policy("language model", config.env, settings, make)


_LANGUAGE = "hf:"


def _is_language(config: EvaluateConfig) -> bool:
    return str(config.run).startswith(_LANGUAGE)


def _language_folder(config: EvaluateConfig) -> Path:
    return Path(str(config.run).removeprefix(_LANGUAGE))


_REFUSED = {
    "split": "use --split",
    "source": "use --source",
    "tokenizer": "it is the run's own",
    "vocabulary_digest": "it is the run's own",
    "labels": "they are the run's own",
}
"""Keywords that --settings takes not, and why."""


def _of_documents(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings that say what is read, leaving the task to another id."""
    return {
        name: settings[name]
        for name in ("source", "fields", "on_error", "features")
        if name in settings
    }


def _free_path(folder: Path, results: Results) -> Path:
    """Returns where an evaluation is written: over none that is there."""
    env = results.env_id.rpartition(":")[2].removeprefix("Lightbulb/").replace("/", "-")
    name = f"evaluation-{env}-{results.split}"
    path, number = folder / f"{name}.json", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}.json"
    return path


def main() -> None:
    """Evaluates a run from the command line: exit code 1 for bad input, 130 when it is stopped."""
    with ending_clearly("The same command begins again"):
        config = tyro.cli(EvaluateConfig, prog="python -m lightbulb_agents.evaluate")
        if not _is_language(config):
            torch.set_num_threads(1)  # such networks are too small for more
        results, records = evaluate_run(config)
        print(format_table(results))
        with explained(config.folder()):
            config.folder().mkdir(parents=True, exist_ok=True)
        path = _free_path(config.folder(), results)
        write_json(path, results_to_json(results))
        write_records(path.with_suffix(".episodes.jsonl"), records)
        print(f"written to {path} and, episode by episode, {path.with_suffix('.episodes.jsonl')}")


if __name__ == "__main__":
    main()
