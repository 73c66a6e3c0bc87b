"""A run can be evaluated again, on other documents and ids, and clear lines say when it cannot."""

import dataclasses
import json
import sys

import gymnasium
import pytest

import lightbulb_envs
from lightbulb_agents.config import SourceFlags, TrainConfig
from lightbulb_agents.evaluate import EvaluateConfig, evaluate_run
from lightbulb_agents.evaluate import main as evaluate_main
from lightbulb_agents.train import run_training


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A very short run on the newsroom."""
    folder = tmp_path_factory.mktemp("runs") / "a"
    run_training(TrainConfig(run_folder=folder, budget="300", rows=32, test_episodes=12))
    return folder


def test_evaluation_repeats_the_table_of_the_run(run):
    results, _ = evaluate_run(EvaluateConfig(run, episodes=12))
    before = json.loads((run / "results.json").read_text())
    found = {entry.name: entry.episode_return.mean for entry in results.entries}
    assert found == {e["name"]: e["episode_return"]["mean"] for e in before["entries"]}


def test_a_policy_can_be_evaluated_on_other_ids_splits_and_settings(run):
    for env_id, split in (("Lightbulb/NewsSummariser-Hard-v0", "test"), (None, "ood")):
        results, records = evaluate_run(EvaluateConfig(run, env_id, split, episodes=4))
        assert len(records) == 4
        assert results.split == split
    results, _ = evaluate_run(EvaluateConfig(run, episodes=4, settings=("budget=2",)))
    assert results.settings["budget"] == 2


def test_a_policy_refuses_text_in_a_vocabulary_that_it_does_not_know(run, news_file):
    with pytest.raises(ValueError, match="vocabulary_digest asks for"):
        evaluate_run(EvaluateConfig(run, source=(f"jsonl:{news_file}",), episodes=4))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--episodes", "0"], "episodes must be 1 or more"),
        (["--split", "dev"], "split must be one of"),
        (["--settings", "budget=x"], "budget must be an integer or None, got 'x'"),
        (["--settings", "split=ood"], "takes no split: use --split"),
        (["--source", "jsonl:/no/such"], "is no file"),
    ],
)
def test_bad_input_to_an_evaluation_ends_in_one_clear_line(run, monkeypatch, flags, message):
    monkeypatch.setattr(sys, "argv", ["evaluate", str(run), *flags])
    with pytest.raises(SystemExit, match=message) as caught:
        evaluate_main()
    assert str(caught.value).startswith("lightbulb: ")


def test_an_evaluation_writes_over_no_other(run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["evaluate", str(run), "--episodes", "2"])
    for name in ("evaluation-NewsSummariser-v0-test", "evaluation-NewsSummariser-v0-test-2"):
        evaluate_main()
        assert f"{name}.json" in capsys.readouterr().out
        assert (run / f"{name}.episodes.jsonl").is_file()


def test_an_evaluation_on_somebody_elses_id_is_written_beside_the_others(run, monkeypatch, capsys):
    row = dataclasses.replace(
        lightbulb_envs.find_row("Lightbulb/NewsSummariser-v0"), id="Test/Other-v0"
    )
    lightbulb_envs.register(row)
    flags = ["--env", row.id, "--episodes", "2"]
    monkeypatch.setattr(sys, "argv", ["evaluate", str(run), *flags])
    try:
        evaluate_main()
    finally:
        del lightbulb_envs.ROWS[row.id]
        del gymnasium.registry[row.id]
    assert "evaluation-Test-Other-v0-test.json" in capsys.readouterr().out


READ = "Lightbulb/SentimentAnalysis-v0"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A very short run of reading."""
    folder = tmp_path_factory.mktemp("runs") / "reader"
    run_training(TrainConfig(env=READ, agent="dqn", run_folder=folder, budget="300", rows=32,
                             test_episodes=8))  # fmt: skip
    return folder


def test_a_reader_is_evaluated_where_its_actions_are_the_same_and_nowhere_else(reader):
    results, _ = evaluate_run(EvaluateConfig(reader, "Lightbulb/SentimentAnalysis-Cue-v0", "ood"))
    assert set(results.entry("trained").metrics) == {"accuracy", "share_read", "macro_f1"}
    with pytest.raises(ValueError, match="chooses one of 3 actions, and here there are 13"):
        evaluate_run(EvaluateConfig(reader, "Lightbulb/SentimentAnalysis-Skim-v0"))


def test_what_is_next_after_simulated_reviews_is_ood(tmp_path, capsys):
    run_training(TrainConfig(env=READ, run_folder=tmp_path / "run", budget="200", rows=32,
                             test_episodes=4))  # fmt: skip
    assert "--split ood" in capsys.readouterr().out


def test_a_run_keeps_what_its_labels_mean(tmp_path, write_jsonl):
    def reviews(name, *labels):
        texts = ("We liked it.", "It was cold.")
        rows = [{"text": text, "label": one} for text, one in zip(texts, labels, strict=True)]
        return f"jsonl:{write_jsonl(rows * 4, name)}"

    folder = tmp_path / "run"
    train = SourceFlags(train=(reviews("train.jsonl", "yes", "no"),))
    run_training(TrainConfig(env=READ, run_folder=folder, budget="200", rows=32, source=train,
                             test_episodes=4))  # fmt: skip
    assert json.loads((folder / "run.json").read_text())["labels"] == ["no", "yes"]
    others = reviews("others.jsonl", "good", "bad")
    with pytest.raises(ValueError, match="the label must be one of no, yes, got 'good'"):
        evaluate_run(EvaluateConfig(folder, source=(others,)))
    results, _ = evaluate_run(EvaluateConfig(folder, source=(reviews("b.jsonl", "no", "yes"),)))
    assert results.settings["labels"] == ["no", "yes"]
