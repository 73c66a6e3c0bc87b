"""Whole programs that are stopped at a random moment go on, or begin again, to the same end."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

import lightbulb_envs
from lightbulb_backbones.runs.checkpoint import (
    has_checkpoint,
    latest_checkpoint,
)
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.record import records_of, write_records
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.sources import text_cache

ID = "Lightbulb/NewsSummariser-v0"


def _stop(command: list[str], which: signal.Signals, seconds: float) -> tuple[int, str]:
    """Sends a signal to a command after a while; returns its exit code and what it said."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with process:
        time.sleep(seconds)
        process.send_signal(which)
        _, told = process.communicate(timeout=300)
    return process.returncode, told


@pytest.mark.slow
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGKILL])
def test_training_that_is_stopped_at_any_moment_goes_on_to_the_same_end(which, commands, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    start = time.monotonic()
    assert commands.finish(commands.train(whole))[0] == 0
    seconds = time.monotonic() - start
    generator = random.Random(f"{which}")
    codes = {signal.SIGINT: (130, -signal.SIGINT, 0), signal.SIGKILL: (-signal.SIGKILL, 0)}[which]
    seen = set()
    for moment in (0.1, 0.5, 0.9):
        wait = seconds * (moment + generator.uniform(-0.1, 0.1))
        code, told = _stop(commands.train(stopped), which, wait)
        seen.add(code)
        assert code in codes, told
        assert "Traceback" not in told
        if code == 130:
            assert "Stopped. The same command with --resume goes on from the last" in told
        if has_checkpoint(stopped):
            load_file(latest_checkpoint(stopped) / "network.safetensors")
    assert seen - {0}
    assert commands.finish(commands.train(stopped))[0] == 0
    ends = [latest_checkpoint(run) for run in (whole, stopped)]
    assert ends[0].name == ends[1].name
    for name in ("network", "optimizer"):
        one, other = (load_file(end / f"{name}.safetensors") for end in ends)
        assert all(one[part].equal(other[part]) for part in one)
    names = ("results.json", "report.html", "episodes.jsonl")
    assert all((stopped / name).is_file() for name in names)
    assert (whole / "episodes.jsonl").read_bytes() == (stopped / "episodes.jsonl").read_bytes()


OPEN = """
import sys, warnings
from lightbulb_envs.sources.source import SourceConfig, open_source
warnings.simplefilter("error")
print("ready", flush=True)
sys.stdin.readline()
source = open_source(SourceConfig(source="jsonl:" + sys.argv[1]))
print(source.digest, source.vocabulary.digest)
"""


@pytest.mark.slow
def test_two_processes_fill_one_cache_and_one_is_killed_at_any_moment(
    write_jsonl, tmp_path, monkeypatch
):
    rows = [
        {"article": f"Word{row} of {row * row} was said. " * 30, "summary": f"Word{row}."}
        for row in range(400)
    ]
    path = write_jsonl(rows)
    generator = random.Random(0)
    answers, kills = set(), 0
    seconds = 0.0
    for attempt in range(7):
        cache = tmp_path / f"cache-{attempt}"
        monkeypatch.setenv(text_cache.VARIABLE, str(cache))
        first, second = (_opening(path) for _ in range(2))
        start = time.monotonic()
        for process in (first, second):
            process.stdin.write("\n")
            process.stdin.flush()
        if attempt:
            time.sleep(seconds * generator.random())
            first.kill()
        told, errors = second.communicate(timeout=120)
        assert (second.returncode, errors) == (0, "")
        if not attempt:
            seconds = time.monotonic() - start
        answers.add(told.split("\n")[-2])
        first.communicate(timeout=120)
        kills += first.returncode == -signal.SIGKILL
        again = _opening(path)  # from the cache, in which there is nothing but whole entries
        told, errors = again.communicate("\n", timeout=120)
        assert (again.returncode, errors) == (0, "")
        answers.add(told.split("\n")[-2])
        assert len(list(cache.glob("*.tokenised"))) == 1
    assert kills
    assert len(answers) == 1


def _opening(path: Path) -> subprocess.Popen:
    """Returns a process that opens a file when it is written to, once it is ready to."""
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
def test_a_replay_that_is_stopped_says_so_and_begins_again(commands, tmp_path):
    engine = lightbulb_envs.make_engine(ID, 256)
    path, pipe = tmp_path / "episodes.jsonl", tmp_path / "pipe"
    write_records(path, records_of(ID, {}, engine, roll_out(Lead(2), engine, np.arange(3000))))
    before = path.read_bytes()
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "lightbulb_envs.replay", str(pipe)]
    codes = []
    for wait in (0.0, 0.05, 0.2, 0.5, 1.0):  # a fast machine may be done before the later ones
        process = subprocess.Popen(command, stdout=-1, stderr=-1, text=True)
        with process, pipe.open("wb", buffering=0) as file:  # open as soon as it reads
            try:
                file.write(before)
                file.close()
                time.sleep(wait)
            finally:
                process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=120)
        codes.append(process.returncode)
        assert "Traceback" not in told
        message = "\nStopped. Nothing was written; the same command begins again\n"
        # Python ends as killed where it heard Ctrl-C while it compiled a class, and after its end.
        is_said = {0: (False,), 130: (True,), -signal.SIGINT: (False, True)}
        assert (told == message) in is_said[process.returncode]
        assert told in ("", message)
    assert {130, -signal.SIGINT} & set(codes)
    assert commands.finish([*command[:-1], str(path)])[0] == 0
    assert path.read_bytes() == before
