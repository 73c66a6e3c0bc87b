"""Real sentiment: SST-2, labelled by agents that learn from rewards alone, from scratch.

    python -m benchmarks.sst2 --data FOLDER [--runs FOLDER]

reads `sst2_train.jsonl`, `sst2_train_phrases.jsonl` (the phrases of the same sentences) and
`sst2_validation.jsonl` (fields id, text, label) from FOLDER, trains three seeds on the phrases,
tests on the validation sentences, and writes `benchmarks/results/sst2.json`: in one step over the
whole sentence (Bandit), and four words at a time at a price. Tokens are the lower-case words of the
training phrases. It is written after every run, and a run that it has is not repeated.

`--tune` trains on nine tenths of the training sentences' phrases, tests on the other tenth and
writes what every share of hidden words of TRIED gets right there to `results/sst2_tuning.json`, by
which DROPOUT is chosen. Phrases that stand in a sentence of that tenth are left out. WEIGHT_DECAY,
and that tokens are lower-case words, were chosen on the same tenth before, by single runs.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from benchmarks.learning import machine, run_logged
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.score import seeds_interval

RESULTS = Path(__file__).parent / "results" / "sst2.json"
TUNING = RESULTS.with_name("sst2_tuning.json")
BANDIT, READING = "Lightbulb/SentimentAnalysis-Bandit-v0", "Lightbulb/SentimentAnalysis-v0"
SEEDS, TUNING_SEEDS = (0, 1, 2), (100, 101)
BUDGET, READING_BUDGET = 600_000, 1_800_000
TRIED = (0.0, 0.3, 0.5)
"""Shares of words that are hidden while it learns."""
DROPOUT = 0.3
WEIGHT_DECAY = 1.0
CHUNK_WORDS, READ_COST = 4, 0.02
WORDS = 20_000
"""Words that have a number of their own, at most."""
_TENTH = 10


def train_run(
    run: Path, env: str, paths: dict[str, Path], seed: int, dropout: float, settings: Sequence[str]
) -> dict[str, Any]:
    """Trains one run in a process of its own, unless it is finished; returns its results."""
    if not (run / "results.json").is_file():
        budget = BUDGET if env == BANDIT else READING_BUDGET
        command = [sys.executable, "-m", "lightbulb_agents.train", "--run-folder", str(run)]
        command += ["--env", env, "--agent", "ppo", "--budget", str(budget), "--seed", str(seed)]
        command += ["--threads", "1", "--learning.weight-decay", str(WEIGHT_DECAY)]
        command += ["--sizes.dropout", str(dropout), "--test-episodes", "1000000"]
        tokenizer = write_tokenizer(paths["train"], run.with_suffix(".tokenizer.json"))
        command += ["--settings", 'on_error="skip"', f"tokenizer={json.dumps(str(tokenizer))}"]
        command += settings
        for split, path in paths.items():
            command += [f"--source.{split}", f"jsonl:{path}"]
        if (run / "run.json").is_file():
            command.append("--resume")
        run_logged(command, run.with_suffix(".log"))
    results: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    entry: dict[str, Any] = next(one for one in results["entries"] if one["name"] == "trained")
    name = json.loads((run / "checkpoints" / "latest.json").read_text(encoding="utf-8"))["name"]
    state = json.loads((run / "checkpoints" / name / "state.json").read_text(encoding="utf-8"))
    return {
        "return": entry["episode_return"]["mean"],
        **entry["metrics"],
        "texts": results["episodes"],
        "seconds": round(state["seconds"]),
        "steps": state["steps"],
        "machine": machine(),
    }


def write_tokenizer(path: Path, to: Path) -> Path:
    """Writes a tokenizer of the lower-case words that texts have more than once; returns where."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[unk]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(
        vocab_size=WORDS, min_frequency=2, special_tokens=["[pad]", "[unk]"], show_progress=False
    )
    tokenizer.train_from_iterator((row["text"] for row in _read(path)), trainer)
    to.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(to))
    return to


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _words(text: str) -> str:
    words = re.findall(r"[^\W_]+", text.lower())
    return f" {' '.join(words)} "


def without(phrases: Sequence[dict[str, Any]], held: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the phrases whose words stand in none of the texts that are held out."""
    everything = "\n".join(_words(text) for text in held)
    return [one for one in phrases if _words(one["text"]) not in everything]


def tune(data: Path, runs: Path) -> None:
    """Measures every share of hidden words on a tenth of the training sentences."""
    sentences = _read(data / "sst2_train.jsonl")
    held = sentences[::_TENTH]
    kept = without(_read(data / "sst2_train_phrases.jsonl"), [one["text"] for one in held])
    own = _write(runs / "tune" / "held.jsonl", held)
    paths = {"train": _write(runs / "tune" / "phrases.jsonl", kept), "validation": own, "test": own}
    found: dict[str, Any] = {}
    for dropout in TRIED:
        told = [
            train_run(runs / f"tune-{100 * dropout:g}-{seed}", BANDIT, paths, seed, dropout, ())
            for seed in TUNING_SEEDS
        ]
        found[f"{dropout:g}"] = [one["accuracy"] for one in told]
        print(f"{dropout:g} of the words hidden: accuracy {found[f'{dropout:g}']}", flush=True)
    write_json(TUNING, {"accuracy": found, "sentences": len(held), "seeds": list(TUNING_SEEDS)})


def measure(data: Path, runs: Path) -> None:
    """Trains on all phrases and tests on the validation sentences."""
    test = data / "sst2_validation.jsonl"
    # The learning curve is drawn on training sentences: nothing is chosen by it.
    train = data / "sst2_train_phrases.jsonl"
    paths = {"train": train, "validation": data / "sst2_train.jsonl", "test": test}
    reading = (f"chunk_words={CHUNK_WORDS}", f"read_cost={READ_COST}", "max_sentences=16")
    labels = [row["label"] for row in _read(test)]
    about = {
        "majority": max(labels.count(label) for label in set(labels)) / len(labels),
        "weight_decay": WEIGHT_DECAY,
        "dropout": DROPOUT,
        "phrases": True,
        "seeds": list(SEEDS),
    }
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    found: dict[str, Any] = {}
    for name, env, settings in (("bandit", BANDIT, ()), ("reading", READING, reading)):
        task = {"env": env, "settings": list(settings)}
        told = runs_before(known, name, task, about)
        for seed in SEEDS[len(told) :]:
            told.append(train_run(runs / f"{name}-{seed}", env, paths, seed, DROPOUT, settings))
            write_json(RESULTS, {**found, "unfinished": {name: {**task, "runs": told}}, **about})
        found[name] = {
            **task,
            "runs": told,
            **{
                metric: asdict(seeds_interval([one[metric] for one in told]))
                for metric in ("accuracy", "macro_f1", "share_read", "return")
            },
        }
        print(name, found[name]["accuracy"], found[name]["share_read"], flush=True)
        write_json(RESULTS, {**found, **about})


def runs_before(
    known: dict[str, Any], name: str, task: dict[str, Any], about: dict[str, Any]
) -> list[dict[str, Any]]:
    """Returns what runs of a task measured that results have already, of the same set-up."""
    alike = all(known.get(key) == value for key, value in about.items())
    before = known.get(name) or known.get("unfinished", {}).get(name)
    if not alike or before is None or any(before[key] != value for key, value in task.items()):
        return []
    runs: list[dict[str, Any]] = before["runs"]
    return runs


def main() -> None:
    """Tunes, or measures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sst2")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs/sst2"))
    parser.add_argument("--tune", action="store_true")
    arguments = parser.parse_args()
    (tune if arguments.tune else measure)(arguments.data, arguments.runs)


if __name__ == "__main__":
    main()
