"""The statistics that benchmarks report, on numbers small enough to check."""

import json

import numpy as np
import pytest

from benchmarks.learning import Suite, summarise
from benchmarks.news import ROUGE, rouge_scores
from benchmarks.news import summarise as summarise_news
from benchmarks.tables import load
from lightbulb_envs import make_engine
from lightbulb_envs.score import seeds_interval


def test_an_interval_over_seeds_by_hand():
    interval = seeds_interval([80.0, 82.0, 84.0])
    half = 4.3027 * 2.0 / np.sqrt(3)
    assert (interval.mean, interval.low) == (82.0, pytest.approx(82.0 - half, abs=1e-3))
    with pytest.raises(ValueError, match="three or more"):
        seeds_interval([1.0, 2.0])


def _fake_run(folder, score, returns):
    (folder / "checkpoints" / "5").mkdir(parents=True)
    (folder / "checkpoints" / "latest.json").write_text('{"name": "5"}')
    state = {"steps": 5, "seconds": 2.4}
    (folder / "checkpoints" / "5" / "state.json").write_text(json.dumps(state))
    (folder / "run.json").write_text('{"versions": {}}')
    (folder / "metrics.csv").write_text("steps,score\n0,1.5\n5,50.25\n")
    entries = [{"name": "trained", "score": {"mean": score}}, {"name": "x", "score": {"mean": 3}}]
    (folder / "results.json").write_text(json.dumps({"entries": entries, "episodes": 2}))
    for name, values in returns.items():
        lines = [{"instance": n, "rewards": [value]} for n, value in enumerate(values)]
        path = folder / f"episodes{name}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in reversed(lines)))
    return folder


def test_a_suite_is_summed_up_from_its_runs(tmp_path):
    runs = [
        _fake_run(
            tmp_path / str(seed),
            80.0 + seed,
            {"": [0.5, 0.7, 0.6], "-lead-3": [0.1, 0.2, 0.15], "-centrality": [0.6, 0.7, 0.65]},
        )
        for seed in range(3)
    ]
    summary = summarise(Suite("s", "Lightbulb/NewsSummariser-v0", "short", (0, 1, 2)), runs)
    assert summary["score"]["mean"] == 81.0
    assert summary["differences"]["trained - lead-3"]["mean"] == pytest.approx(0.45)
    assert summary["differences"]["trained - centrality"]["mean"] == pytest.approx(-0.05)
    assert summary["curves"][0] == [[0, 1.5], [5, 50.25]]
    assert summary["steps"] == [5, 5, 5]


def test_rouge_on_real_news_is_that_of_rouge_score(news_file):
    engine = make_engine("Lightbulb/NewsSummariser-v0", 1, source=f"jsonl:{news_file}")
    scores = rouge_scores(engine, [(0, 1), ()])
    assert scores.shape == (2, 3)
    assert scores[0].min() > 0
    assert scores[1].tolist() == [0.0, 0.0, 0.0]
    summary = summarise_news({"lead-3": np.ones((4, 3))}, np.full((3, 4, 3), 2.0))
    gap = summary["trained - lead-3"]["rouge2"]
    assert (gap["low"], gap["mean"], gap["high"]) == (1.0, 1.0, 1.0)
    assert list(summary["trained"]) == list(ROUGE)


def test_committed_results_meet_what_was_asked_of_the_levels():
    scores = {
        int(level): {entry["name"]: entry["score"]["mean"] for entry in results["entries"]}
        for level, results in load("levels").items()
    }
    assert scores[1]["lead-3"] >= 80
    for level in (2, 4):
        assert scores[level]["lead-3"] < 50
        assert scores[level]["centrality"] < 70
    for level in scores:
        heuristics = max(scores[level]["lead-3"], scores[level]["centrality"])
        assert scores[level]["ceiling"] > heuristics + 5


def test_committed_results_meet_what_was_asked_of_learning():
    results = load("learning")
    seeds = {"easy-short": 3, "v0-short": 5, "v0-long": 5, "hard-short": 3}
    assert set(results) == {*seeds, "machine"}
    for name, count in seeds.items():
        assert len(set(results[name]["seeds"])) == len(results[name]["scores"]) == count
        assert results[name]["documents"] == 500
    for heuristic in ("lead-3", "centrality"):
        assert results["v0-short"]["differences"][f"trained - {heuristic}"]["low"] > 0
    long = results["v0-long"]
    assert long["score"]["mean"] >= min(85, 0.9 * long["baselines"]["ceiling"])


def test_committed_results_on_real_news_are_no_worse_than_lead_3():
    results = load("news")
    assert results["test_articles"] == 298
    assert len(results["trained_by_seed"]) == 3
    for gap in results["trained - lead-3"].values():
        assert gap["high"] >= 0
