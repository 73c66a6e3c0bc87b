"""Agents have every backbone for the same time, and what they score stands in a table."""

import json
import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.agent_backbones import __main__ as command
from benchmarks.agent_backbones import report, runs
from lightbulb_backbones.pretrain import run_pretraining
from lightbulb_backbones.pretraining.config import PretrainConfig, TextConfig
from lightbulb_envs.registry import ROWS


def test_every_task_is_learnt_with_every_backbone_for_the_same_time():
    assert {f"Lightbulb/{task}" for task in runs.TASKS} <= set(ROWS)
    for task in runs.TASKS:
        own = [one for one in runs.TRAINED.values() if one.task == task]
        assert {one.backbone for one in own} >= set(runs.BACKBONES)
        short = [one for one in own if one.backbone != runs.SMALL]
        assert {(one.seconds, one.seeds) for one in short} == {(runs.SECONDS, runs.SEEDS)}


def test_steps_are_those_of_the_time_there_is_and_measured_once(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "FOLDER", tmp_path / "results")
    one = runs.Trained(runs.PICKS, "bag", seconds=100, trial=300)
    steps = command.steps_of(one, tmp_path)
    told = json.loads((tmp_path / "results" / "speed" / f"{one.name}.json").read_text())
    assert told["steps"] >= 300
    assert steps == int(100 * told["steps"] / told["seconds"])
    shutil.rmtree(tmp_path / "trials")
    monkeypatch.setattr(command, "run_logged", None)
    assert command.steps_of(one, tmp_path) == steps


def test_an_untrained_model_is_the_pretrained_ones_size_with_other_weights(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("All is well, said the mayor. " * 100)
    config = PretrainConfig(
        text=TextConfig(data=(str(text),), length=24),
        settings=("hidden_size=16", "num_attention_heads=2"),
        steps=2,
        batch=2,
        run_folder=tmp_path / "run",
    )
    run_pretraining(config)
    command.forget(tmp_path / "run" / "model", tmp_path / "untrained")
    learnt, fresh = (
        (AutoModelForCausalLM.from_pretrained(one), AutoTokenizer.from_pretrained(one))
        for one in (tmp_path / "run" / "model", tmp_path / "untrained")
    )
    assert learnt[1].get_vocab() == fresh[1].get_vocab()
    weights = [dict(one.named_parameters()) for one, _ in (learnt, fresh)]
    assert {name: w.shape for name, w in weights[0].items()} == {
        name: w.shape for name, w in weights[1].items()
    }
    name = "model.embed.weight"
    assert not torch.equal(weights[0][name], weights[1][name])


def test_models_are_made_of_articles_that_no_score_is_of_and_once(tmp_path, monkeypatch):
    splits, started = [], []

    def text_of(split, count):
        splits.append((split, count))
        return f"{split} all is well."

    def run_logged(line, log):
        started.append(line)
        run = tmp_path / runs.PRETRAINED
        run.mkdir(exist_ok=True)
        (run / "run.json").write_text("{}")
        if len(started) == 2:
            (run / "results.json").write_text("{}")

    def forget(learnt, untrained):
        untrained.mkdir(parents=True)
        (untrained / "tokenizer.json").write_text(str(learnt))

    monkeypatch.setattr("benchmarks.backbones.search.newsroom_text", text_of)
    monkeypatch.setattr(command, "run_logged", run_logged)
    monkeypatch.setattr(command, "forget", forget)
    command.pretrain(tmp_path)
    (tmp_path / runs.UNTRAINED / "model" / "tokenizer.json").unlink()
    (tmp_path / runs.UNTRAINED / "model").rmdir()
    command.pretrain(tmp_path)  # the first time was interrupted
    command.pretrain(tmp_path)
    assert splits == [("validation", 500), ("train", runs.ARTICLES)]
    assert ["--resume" in line for line in started] == [False, True]
    line = started[0]
    for flag, value in {
        "--data": tmp_path / "newsroom.txt",
        "--validation": tmp_path / "newsroom-held.txt",
        "--steps": runs.PRETRAINING,
    }.items():
        assert line[line.index(flag) + 1] == str(value)
    assert (tmp_path / "newsroom.txt").read_text() == "train all is well."
    assert (tmp_path / "newsroom-held.txt").read_text() == "validation all is well."
    model = tmp_path / runs.UNTRAINED / "model" / "tokenizer.json"
    assert model.read_text() == str(tmp_path / runs.PRETRAINED / "model")


def test_the_table_has_what_is_whole_and_an_interval_where_there_are_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "FOLDER", tmp_path)
    for name, seeds in ((f"{runs.PICKS}-bag", 3), (f"{runs.PICKS}-mamba", 2)):
        for seed in range(seeds):
            told = {"steps": 1000, "seconds": 300 + seed}
            scores = {split: {"score": 50.0 + 10 * seed} for split in ("test", "ood")}
            runs.TRAINED[name].results(seed).write_text(json.dumps(told | scores))
    small = runs.TRAINED[f"{runs.PICKS}-language-small"].results(0)
    one = {"steps": 9, "seconds": 2700, "test": {"score": 1.0}, "ood": {"score": 2.0}}
    small.write_text(json.dumps(one))
    interval = "**60.0** (35.2 to 84.8)"
    assert report.agent_backbones_table(runs.PICKS).splitlines()[2:] == [
        f"| `bag` | 3 | 1,000 | 300 to 302 | {interval} | {interval} |",
        "| `language:small` | 1 | 9 | 2,700 | **1.0** | **2.0** |",
    ]
    assert report.agent_backbones_table(runs.READS) == "*Not measured yet.*"


@pytest.mark.parametrize("backbone", [runs.PRETRAINED, runs.UNTRAINED])
def test_models_of_folders_are_named_by_them(backbone, tmp_path):
    suite = command.suite_of(runs.TRAINED[f"{runs.READS}-{backbone}"], 10, tmp_path)
    assert suite.flags == ("--backbone", f"hf:{tmp_path / backbone / 'model'}")
    assert (suite.agent, suite.budget) == ("auto", "10")
