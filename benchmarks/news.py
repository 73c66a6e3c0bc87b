"""Real news: a policy trained by reward alone beside Lead-3 and the greedy oracle.

    python -m benchmarks.news --data FOLDER [--runs FOLDER]

reads `cnndm_train.jsonl` and `cnndm_validation.jsonl` (fields id, article, summary) from FOLDER,
trains three seeds on the first file and the first 700 articles of the second, tests on the rest,
and writes `benchmarks/results/news.json`. ROUGE is computed by `rouge-score` itself, stemmed, on
the text of what was picked; all policies see the same sentences and pick at most three.

`--tune` trains on all but the last 100 training articles and writes what each budget returns on
those to `results/news_tuning.json`: it is how BUDGET was chosen.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.learning import machine, run_logged
from lightbulb_agents.run import Run
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_backbones.runs.metrics import read_metrics
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.registry import make_engine
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.score import mean_interval, paired_interval

RESULTS = Path(__file__).parent / "results" / "news.json"
TUNING = RESULTS.with_name("news_tuning.json")
ENV_ID = "Lightbulb/NewsSummariser-v0"
BUDGET = 25_000
TRIED = (12_500, 25_000, 50_000)
SEEDS = (0, 1, 2)
SENTENCES = 3
TRAINING_ROWS = 700
ROUGE = ("rouge1", "rouge2", "rougeLsum")


def train_run(run: Path, sources: dict[str, list[str]], budget: int, seed: int) -> Path:
    """Trains one run in a process of its own, unless it is finished; returns its folder."""
    if not (run / "results.json").is_file():
        command = [sys.executable, "-m", "lightbulb_agents.train", "--run-folder", str(run)]
        command += ["--budget", str(budget), "--seed", str(seed), "--threads", "1"]
        command += ["--settings", f"budget={SENTENCES}"]
        for split, paths in sources.items():
            command += [f"--source.{split}", *paths]
        if (run / "run.json").is_file():
            command.append("--resume")
        run_logged(command, run.with_suffix(".log"))
    return run


def tune(data: Path, runs: Path) -> None:
    """Measures every budget in TRIED on the last 100 training articles."""
    train, validation = f"jsonl:{data}/cnndm_train.jsonl", f"jsonl:{data}/cnndm_validation.jsonl"
    split = TRAINING_ROWS - 100
    sources = {
        "train": [train, f"{validation}[:{split}]"],
        "validation": [f"{validation}[{split}:{TRAINING_ROWS}]"],
        "test": [f"{validation}[{split}:{TRAINING_ROWS}]"],
    }
    returns = {}
    for budget in TRIED:
        scores = []
        for seed in SEEDS:
            run = train_run(runs / f"tune-{budget}-{seed}", sources, budget, seed)
            scores.append(float(read_metrics(run / "metrics.csv")[-1]["validation_return"]))
        print(f"{budget:>7,} steps: mean return {np.mean(scores):.4f}  {np.round(scores, 4)}")
        returns[str(budget)] = scores
    write_json(TUNING, {"returns": returns, "articles": 100, "seeds": list(SEEDS)})


def rouge_scores(engine: Engine, drafts: list[tuple[int, ...]]) -> NDArray[np.float64]:
    """Returns ROUGE-1, -2 and -Lsum (documents, 3) of drafts, in percent, by `rouge-score`."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(ROUGE, use_stemmer=True)
    rows = []
    for instance, draft in enumerate(drafts):
        document = engine.source.document(instance)
        text = "\n".join(document.sentences[sentence] for sentence in draft)
        scores = scorer.score(document.reference_text, text)
        rows.append([100 * scores[name].fmeasure for name in ROUGE])
    return np.array(rows)


def drafts_of(actions: list[tuple[int, ...]], stop: int) -> list[tuple[int, ...]]:
    """Returns the sentences that were picked, without STOP."""
    return [tuple(action for action in row if action != stop) for row in actions]


def benchmark(data: Path, runs: Path) -> dict[str, Any]:
    """Trains and tests; returns the results as plain data."""
    train, validation = f"jsonl:{data}/cnndm_train.jsonl", f"jsonl:{data}/cnndm_validation.jsonl"
    sources = {
        "train": [train, f"{validation}[:{TRAINING_ROWS}]"],
        "test": [f"{validation}[{TRAINING_ROWS}:]"],
    }
    done = [train_run(runs / f"news-{seed}", sources, BUDGET, seed) for seed in SEEDS]
    settings = {"source": sources, "split": "test", "budget": SENTENCES}
    settings |= Run.load(done[0]).reading_settings()
    engine = make_engine(ENV_ID, 64, **settings)
    instances = np.arange(engine.num_instances or 0)
    stop = engine.source.max_sentences
    scores = {}
    for name in ("lead-3", "centrality", "greedy", "oracle"):
        episodes = roll_out(make_baseline(name, engine), engine, instances)
        drafts = drafts_of([episode.actions for episode in episodes], stop)
        scores[name] = rouge_scores(engine, drafts)
    trained = []
    for run in done:
        lines = (run / "episodes.jsonl").read_text(encoding="utf-8").splitlines()
        actions = [tuple(json.loads(line)["actions"]) for line in lines]
        trained.append(rouge_scores(engine, drafts_of(actions, stop)))
    learnt_from = make_engine(ENV_ID, 1, **{**settings, "split": "train"}).num_instances or 0
    return {"training_articles": learnt_from} | summarise(scores, np.array(trained))


def summarise(
    scores: dict[str, NDArray[np.float64]], trained: NDArray[np.float64]
) -> dict[str, Any]:
    """Returns means, and what training gains on Lead-3: by seed, and over seeds and documents."""

    def named(values: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(ROUGE, np.round(values, 3).tolist(), strict=True))

    gaps = trained - scores["lead-3"]  # (seeds, documents, 3)
    return {
        "test_articles": trained.shape[1],
        "budget": BUDGET,
        "seeds": list(SEEDS),
        "baselines": {name: named(values.mean(axis=0)) for name, values in scores.items()},
        "trained": named(trained.mean(axis=(0, 1))),
        "trained_by_seed": [named(values.mean(axis=0)) for values in trained],
        "trained - lead-3": {
            name: asdict(paired_interval(gaps[:, :, number])) for number, name in enumerate(ROUGE)
        },
        "trained - lead-3, by seed": [
            {
                name: asdict(mean_interval(gap[:, number], np.random.default_rng(0)))
                for number, name in enumerate(ROUGE)
            }
            for gap in gaps
        ],
        "machine": machine(),
    }


def main() -> None:
    """Runs the benchmark or the tuning that came before it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.news")
    parser.add_argument("--data", type=Path, required=True, help="folder of the JSON lines files")
    parser.add_argument("--runs", type=Path, default=Path("runs/news"))
    parser.add_argument("--tune", action="store_true", help="compare budgets on training articles")
    arguments = parser.parse_args()
    if arguments.tune:
        tune(arguments.data, arguments.runs)
        return
    results = benchmark(arguments.data, arguments.runs)
    write_json(RESULTS, results)
    print(json.dumps({name: results[name] for name in ("baselines", "trained")}, indent=1))
    print(json.dumps(results["trained - lead-3"], indent=1))


if __name__ == "__main__":
    main()
