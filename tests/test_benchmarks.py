"""The statistics that benchmarks report, on numbers small enough to check."""

import json
import shutil

import numpy as np
import pytest

from benchmarks import tradeoff
from benchmarks.baselines import ENVIRONMENTS, KEPT
from benchmarks.learning import FINISHED, SUITES, Suite, finished_run, measured, summarise
from benchmarks.markdown import load
from benchmarks.news import ROUGE, rouge_scores
from benchmarks.news import summarise as summarise_news
from lightbulb_envs import make_engine
from lightbulb_envs.baselines import baselines_of, make_baseline
from lightbulb_envs.record import EpisodeRecord
from lightbulb_envs.replay import replay
from lightbulb_envs.score import mean_returns, random_returns, seeds_interval
from lightbulb_envs.settings import parse_settings

MEASURED = tuple(suite for suite in SUITES if suite.name in load("learning"))
"""Suites whose runs are all there."""


def test_an_interval_over_seeds_by_hand():
    interval = seeds_interval([80.0, 82.0, 84.0])
    half = 4.3027 * 2.0 / np.sqrt(3)
    assert (interval.mean, interval.low) == (82.0, pytest.approx(82.0 - half, abs=1e-3))
    with pytest.raises(ValueError, match="three or more"):
        seeds_interval([1.0, 2.0])


def _fake_run(folder, score, returns, metrics=None):
    (folder / "checkpoints" / "5").mkdir(parents=True)
    (folder / "checkpoints" / "latest.json").write_text('{"name": "5"}')
    state = {"steps": 5, "seconds": 2.4}
    (folder / "checkpoints" / "5" / "state.json").write_text(json.dumps(state))
    (folder / "run.json").write_text('{"versions": {}}')
    (folder / "metrics.csv").write_text("steps,score\n0,1.5\n5,50.25\n")
    entries = [{"name": "x", "score": {"mean": 3}}, {"name": "trained", "score": {"mean": score}}]
    entries[1] |= {"metrics": metrics} if metrics else {}
    gaps = {f"trained - {name[1:]}": {} for name in returns if name}
    results = {"entries": entries, "episodes": 2, "differences": gaps}
    (folder / "results.json").write_text(json.dumps(results))
    elsewhere = [{"name": "trained", "score": {"mean": score - 50}}]
    path = folder / "evaluation-NewsSummariser-v0-ood.json"
    path.write_text(json.dumps({"entries": elsewhere}))
    for name, values in returns.items():
        lines = [
            {"instance": n, "actions": [n], "rewards": [value]} for n, value in enumerate(values)
        ]
        path = folder / f"episodes{name}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in reversed(lines)))
    return folder


SUITE = Suite("s", "Lightbulb/NewsSummariser-v0", "short", (0, 1, 2))
RETURNS = {"": [0.5, 0.7, 0.6], "-lead-3": [0.1, 0.2, 0.15], "-centrality": [0.6, 0.7, 0.65]}


def test_a_suite_is_summed_up_from_its_runs(tmp_path):
    runs = [
        measured(SUITE, _fake_run(tmp_path / str(seed), 80.0 + seed, RETURNS)) for seed in range(3)
    ]
    summary = summarise(SUITE, runs)
    assert summary["score"]["mean"] == 81.0
    assert summary["differences"]["trained - lead-3"]["mean"] == pytest.approx(0.45)
    assert summary["differences"]["trained - centrality"]["mean"] == pytest.approx(-0.05)
    assert summary["curves"][0] == [[0, 1.5], [5, 50.25]]
    assert summary["steps"] == [5, 5, 5]
    assert summary["ood"]["score"]["mean"] == 31.0
    assert summary["first_episodes"][1] == {"instance": 1, "actions": [1], "rewards": [0.7]}
    assert summary["baselines"] == {"x": 3}


def test_another_machine_goes_on_with_the_seeds_that_are_left(tmp_path):
    runs, kept = tmp_path / "runs", tmp_path / "kept"
    run = _fake_run(runs / "s-1", 81.0, RETURNS)
    first = finished_run(SUITE, 1, runs, kept)
    assert first == measured(SUITE, run)
    shutil.rmtree(runs)
    assert finished_run(SUITE, 1, runs, kept) == first


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
    assert set(results) == {suite.name for suite in MEASURED}
    for suite in MEASURED:
        found = results[suite.name]
        assert len(set(found["seeds"])) == len(found["scores"]) == len(suite.seeds) >= 3
        assert len(found["ood"]["scores"]) == len(suite.seeds)
        assert found["documents"] == 500
    unfinished = {path.stem.rpartition("-")[0] for path in FINISHED.glob("*.json")}
    assert unfinished <= {suite.name for suite in SUITES} - results.keys()
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


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_committed_returns_of_the_baselines_are_those_of_twenty_documents_played_again(name):
    env_id, settings = ENVIRONMENTS[name]
    results = load("baselines")[name]
    engine = make_engine(env_id, KEPT, **settings, split="test")
    instances = np.arange(KEPT)
    assert results["episodes"] == 1000
    assert set(results["first_returns"]) == baselines_of(engine).keys() - {"random", "greedy"}
    for actor, returns in results["first_returns"].items():
        assert mean_returns(make_baseline(actor, engine), engine, instances).tolist() == returns
    # Random draws other actions here; over so many episodes its mean is close.
    entry = next(entry for entry in results["entries"] if entry["name"] == "random")
    played = random_returns(engine, instances)
    spread = played.std(ddof=1) / np.sqrt(KEPT)
    assert abs(played.mean() - entry["episode_return"]["mean"]) < 5 * spread


@pytest.mark.parametrize("suite", MEASURED, ids=lambda suite: suite.name)
def test_committed_episodes_of_what_was_learnt_are_paid_what_they_say(suite):
    episodes = load("learning")[suite.name]["first_episodes"]
    settings = {**parse_settings(suite.settings, {}), "split": "test"}
    engine = make_engine(suite.env, 1, **settings)
    records = [
        EpisodeRecord(
            env_id=suite.env,
            settings=settings,
            instance=episode["instance"],
            actions=tuple(episode["actions"]),
            rewards=tuple(episode["rewards"]),
            truncated=False,
            documents=engine.source.digest,
        )
        for episode in episodes
    ]
    assert [record.instance for record in records] == list(range(20))
    assert replay(records).differences == ()


def test_the_best_readers_trade_is_that_of_reviews_played_again():
    results = load("tradeoff")
    for one in results["best"][::3]:
        found = tradeoff.measure("oracle", tradeoff.KEPT, read_cost=one["cost"])
        assert found["first"] == one["first"]
    for name, one in results["baselines"].items():
        assert tradeoff.measure(name, tradeoff.KEPT)["first"] == one["first"]
    read = [one["share_read"] for one in results["best"]]
    assert read == sorted(read, reverse=True)


def test_what_is_measured_of_agents_is_told_by_seed(tmp_path):
    metrics = ({"accuracy": share, "share_read": 0.5} for share in (0.7, 0.8, 0.9))
    runs = [
        measured(SUITE, _fake_run(tmp_path / str(seed), 80.0, RETURNS, one))
        for seed, one in enumerate(metrics)
    ]
    told = summarise(SUITE, runs)
    assert told["metrics"] == {"accuracy": [0.7, 0.8, 0.9], "share_read": [0.5, 0.5, 0.5]}
    assert told["ood"]["metrics"] == {}
