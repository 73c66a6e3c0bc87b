"""Training as a user runs it: folders, resuming, reports, real text, and clear refusals."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lightbulb_agents import evaluate, train
from lightbulb_agents.config import SourceFlags, TrainConfig
from lightbulb_agents.evaluate import EvaluateConfig, evaluate_run
from lightbulb_agents.run import Run
from lightbulb_agents.train import run_training
from lightbulb_agents.training import Training, Validation
from lightbulb_backbones.runs.checkpoint import latest_checkpoint

SMALL = {"budget": "1500", "rows": 64, "test_episodes": 12, "threads": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on the newsroom."""
    folder = tmp_path_factory.mktemp("runs") / "a"
    run_training(TrainConfig(run_folder=folder, **SMALL))
    return folder


def test_a_run_leaves_what_it_promises(run):
    for name in (
        "run.json",
        "metrics.csv",
        "learning_curve.png",
        "results.json",
        "episodes.jsonl",
        "report.html",
        "checkpoints/latest.json",
    ):
        assert (run / name).is_file(), name
    assert list((run / "tensorboard").iterdir())
    assert not list(run.rglob("*.pt")) + list(run.rglob("*.pkl"))


def test_results_hold_baselines_and_the_trained_policy(run):
    results = json.loads((run / "results.json").read_text())
    names = [entry["name"] for entry in results["entries"]]
    assert names == ["random", "lead-3", "centrality", "trained", "ceiling", "oracle"]
    assert results["split"] == "test"
    assert results["episodes"] == 12
    scores = {entry["name"]: entry["score"]["mean"] for entry in results["entries"]}
    assert (scores["random"], scores["oracle"]) == (0.0, pytest.approx(100.0))
    for entry in results["entries"]:
        assert entry["episode_return"]["low"] <= entry["episode_return"]["mean"]


def test_the_curve_starts_at_step_zero_and_ends_at_the_budget(run):
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["steps"]) for row in rows]
    assert steps[0] == 0
    assert steps == sorted(set(steps))
    assert steps[-1] >= 1500
    assert all(row["score"] for row in rows)


def test_episode_records_replay_to_their_rewards(run):
    import lightbulb_envs

    row = np.zeros(1, dtype=np.int64)
    for line in (run / "episodes.jsonl").read_text().splitlines()[:3]:
        record = json.loads(line)
        engine = lightbulb_envs.make_engine(record["env_id"], 1, **record["settings"])
        engine.reset(row, np.array([record["instance"]]))
        paid = [float(engine.step(row, np.array([a])).reward[0]) for a in record["actions"]]
        assert paid == record["rewards"]


class _Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_report_is_one_page_that_needs_nothing_else(run):
    page = _Page((run / "report.html").read_text(encoding="utf-8"))
    assert page.tags.count("article") == 3
    assert "script" not in page.tags
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert len(page.links) == 1


def test_a_second_run_does_not_write_over_the_first(run):
    with pytest.raises(FileExistsError, match="--resume"):
        run_training(TrainConfig(run_folder=run, **SMALL))


def test_a_finished_run_resumes_to_nothing_more(run):
    before = (latest_checkpoint(run) / "network.safetensors").read_bytes()
    run_training(TrainConfig(run_folder=run, resume=True, **SMALL))
    assert (latest_checkpoint(run) / "network.safetensors").read_bytes() == before


def test_resuming_with_other_flags_names_them(run):
    with pytest.raises(ValueError, match=r"other flags \(seed was 0, sizes.width was 64\)"):
        run_training(
            TrainConfig(
                run_folder=run,
                resume=True,
                seed=4,
                sizes=type(TrainConfig().sizes)(width=32),
                **SMALL,
            )
        )


def test_resuming_nothing_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run to resume"):
        run_training(TrainConfig(run_folder=tmp_path, resume=True, **SMALL))


def test_real_text_goes_the_same_way(news_file, tmp_path):
    source = SourceFlags(train=(f"jsonl:{news_file}[:8]",), test=(f"jsonl:{news_file}[8:]",))
    folder = tmp_path / "real"
    results = run_training(
        TrainConfig(run_folder=folder, source=source, settings=("budget=3",), **SMALL)
    )
    assert [entry.name for entry in results.entries][-1] == "oracle"
    assert "ceiling" not in {entry.name for entry in results.entries}
    assert results.episodes == 4
    assert (folder / "tokenizer.json").is_file()
    again, _ = evaluate_run(EvaluateConfig(folder, episodes=10))
    assert again.episodes == 4
    assert "source has 4" in again.notes[0]
    run = Run.load(folder)
    assert run.reading_settings()["vocabulary_digest"] == run.vocabulary_digest


def test_hostile_text_stays_text_in_the_report(write_jsonl, tmp_path):
    rows = [
        {"article": f"<script>alert({n})</script> & more. Two {n}.", "summary": f"Two {n}."}
        for n in range(6)
    ]
    path = write_jsonl(rows)
    source = SourceFlags(train=(f"jsonl:{path}",), test=(f"jsonl:{path}",))
    folder = tmp_path / "hostile"
    run_training(TrainConfig(run_folder=folder, source=source, settings=("budget=2",), **SMALL))
    page = _Page((folder / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags


def test_a2c_and_the_transformer_train_too(tmp_path):
    results = run_training(
        TrainConfig(run_folder=tmp_path / "b", agent="a2c", backbone="transformer", **SMALL)
    )
    assert np.isfinite(results.entry("trained").episode_return.mean)


def test_training_reads_the_training_split_and_the_curve_another():
    training = Training(TrainConfig(**SMALL), {})
    assert training.engine.source.split == "train"
    validation = Validation.prepare(training.config.env, {})
    assert validation.engine.source.split == validation.split == "validation"


def test_rates_fall_as_the_budget_is_used_up(run):
    with (run / "metrics.csv").open() as file:
        rates = [
            float(row["learning_rate"]) for row in csv.DictReader(file) if row["learning_rate"]
        ]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < rates[0] / 2


@pytest.mark.parametrize("threads", [1, 2])
def test_two_runs_of_one_seed_have_the_same_weights(threads):
    ends = []
    for _ in range(2):
        training = Training(TrainConfig(**{**SMALL, "budget": "90000", "threads": threads}), {})
        for _ in range(3):
            training.update()
        ends.append([parameter.detach().clone() for parameter in training.network.parameters()])
    torch.set_num_threads(1)
    assert all(one.equal(other) for one, other in zip(*ends, strict=True))


def test_a_run_without_a_checkpoint_begins_again(tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    def die(*_):
        raise KilledError

    flags = {**SMALL, "budget": "100", "test_episodes": 2}
    monkeypatch.setattr(Validation, "prepare", die)
    with pytest.raises(KilledError):
        run_training(TrainConfig(run_folder=tmp_path / "run", **flags))
    monkeypatch.undo()
    run_training(TrainConfig(run_folder=tmp_path / "run", resume=True, **flags))
    assert (tmp_path / "run" / "results.json").is_file()


def test_resuming_never_writes_over_the_checkpoint_it_read(run, monkeypatch):
    def fail(*_):
        raise AssertionError("saved without a step")

    monkeypatch.setattr(Training, "save", fail)
    run_training(TrainConfig(run_folder=run, resume=True, **SMALL))


def test_resuming_in_another_vocabulary_is_refused(write_jsonl, tmp_path):
    def rows(word):
        return [{"article": f"{word} {n}. Two {n}.", "summary": f"Two {n}."} for n in range(6)]

    source = SourceFlags(train=(f"jsonl:{write_jsonl(rows('One'))}",))
    config = TrainConfig(run_folder=tmp_path / "run", source=source, **SMALL)
    training = Training(config, config.env_settings())
    training.save(tmp_path / "run")
    write_jsonl(rows("Quite other text"))
    changed = Training(config, config.env_settings())
    with pytest.raises(ValueError, match="the training files have changed since"):
        changed.restore(tmp_path / "run")


@pytest.mark.parametrize("module", [train, evaluate])
def test_help_names_every_flag(module, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["command", "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    flags = {
        train: ("--env", "--agent", "--backbone", "--budget", "--seed", "--resume", "--source."),
        evaluate: ("--env", "--split", "--episodes"),
    }
    printed = capsys.readouterr().out
    for flag in flags[module]:
        assert flag in printed


def test_bad_input_on_the_command_line_ends_in_one_clear_line(tmp_path):
    command = [sys.executable, "-m", "lightbulb_agents.train", "--env", "Lightbulb/No-v0"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("lightbulb: no environment is called 'Lightbulb/No-v0'")
    assert "Traceback" not in done.stderr


def _command(folder: Path, *more: str) -> list[str]:
    flags = ["--budget", "40000", "--rows", "128", "--threads", "1", "--test-episodes", "5"]
    command = [sys.executable, "-m", "lightbulb_agents.train", *flags]
    return [*command, "--run-folder", str(folder), *more]


def _finished(run: Path) -> set[str]:
    """Returns the names of a run's finished checkpoints."""
    return {path.name for path in (run / "checkpoints").glob("0*") if path.suffix == ""}


@pytest.mark.slow
def test_a_run_killed_and_resumed_has_the_weights_of_one_that_was_not(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(_command(whole), check=True, capture_output=True)
    for attempt in range(2):
        more = ["--resume"] if attempt else []
        process = subprocess.Popen(
            _command(killed, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        seen = _finished(killed)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if _finished(killed) - seen - {"000000000000"}:
                break
            time.sleep(0.05)
        time.sleep(0.7)  # somewhere between two checkpoints
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        steps = int(latest_checkpoint(killed).name)
        assert 0 < steps < 40_000
    subprocess.run(_command(killed, "--resume"), check=True, capture_output=True)
    ends = [latest_checkpoint(folder) for folder in (whole, killed)]
    assert ends[0].name == ends[1].name
    one, other = (load_file(end / "network.safetensors") for end in ends)
    assert all(one[name].equal(other[name]) for name in one)
    one, other = (load_file(end / "optimizer.safetensors") for end in ends)
    assert all(one[name].equal(other[name]) for name in one)
    curves = [(folder / "metrics.csv").read_text().splitlines() for folder in (whole, killed)]
    scores = [[(r["steps"], r["score"]) for r in csv.DictReader(lines)] for lines in curves]
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_forty_thousand_steps_beat_the_heuristics(tmp_path):
    results = run_training(
        TrainConfig(run_folder=tmp_path / "run", budget="40000", threads=2, test_episodes=200)
    )
    for name in ("lead-3", "centrality"):
        assert results.differences[f"trained - {name}"].low > 0
