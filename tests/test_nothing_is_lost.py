"""What was written is whole, or was not written: full disks, read-only folders, Ctrl-C, kills.

Stops come at every line of the code that writes, in this process, and at random moments of whole
programs, in others.
"""

import csv
import errno
import functools
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import lightbulb_envs
from lightbulb_agents import checkpoint, train
from lightbulb_agents.checkpoint import (
    has_checkpoint,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
    write_json,
)
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.metrics import Metrics, read_metrics
from lightbulb_agents.report import draw_learning_curve, write_report
from lightbulb_envs import record, subwords, whole_file
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.record import EpisodeRecord, read_records, records_of, write_records
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.sources import text_cache
from lightbulb_envs.sources.source import SourceConfig, open_source
from lightbulb_envs.sources.text_cache import entry_key, load_entry, store_entry
from lightbulb_envs.subwords import SubwordVocabulary

ID = "Lightbulb/NewsSummariser-v0"
WRITERS = {one.__file__ for one in (checkpoint, record, subwords, whole_file, text_cache)}
KEY = entry_key("nothing is lost")


def _network(version: int) -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
    """Returns a network whose weights are all `version`, and its optimizer."""
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.0)
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    torch.nn.init.constant_(network.weight, version)
    return network, optimizer


def _save(folder: Path, version: int) -> None:
    save_checkpoint(folder, version, *_network(version), {"steps": version})


def _load(folder: Path) -> int:
    """Returns the version of the newest checkpoint, having read all of it; 0 if there is none."""
    if not has_checkpoint(folder):
        return 0
    network, optimizer = _network(0)
    steps = load_checkpoint(latest_checkpoint(folder), network, optimizer)[0]["steps"]
    assert (network.weight == steps).all()
    return int(steps)


@functools.cache
def _records(version: int) -> list[EpisodeRecord]:
    """Returns the records of four episodes in which as many sentences are picked."""
    engine = lightbulb_envs.make_engine(ID, 1)
    return records_of(ID, {}, engine, roll_out(Lead(version), engine, np.arange(4)))


def _write_records(folder: Path, version: int) -> None:
    write_records(folder / "episodes.jsonl", _records(version))


def _read_records(folder: Path) -> int:
    path = folder / "episodes.jsonl"
    records = read_records(path) if path.exists() else []
    assert len(records) in (0, 4)
    return len(records[0].actions) - 1 if records else 0  # the last action stops


def _write_vocabulary(folder: Path, version: int) -> None:
    SubwordVocabulary.train(["one " * 9 if version == 1 else "two " * 9]).save(
        folder / "tokenizer.json"
    )


def _read_vocabulary(folder: Path) -> int:
    path = folder / "tokenizer.json"
    if not path.exists():
        return 0
    digests = [
        SubwordVocabulary.train(["one " * 9 if version == 1 else "two " * 9]).digest
        for version in (1, 2)
    ]
    return digests.index(SubwordVocabulary.load(path).digest) + 1


def _write_json(folder: Path, version: int) -> None:
    write_json(folder / "results.json", [version] * 1000)


def _read_json(folder: Path) -> int:
    path = folder / "results.json"
    (version,) = set(json.loads(path.read_text())) if path.exists() else {0}
    return int(version)


@dataclass(frozen=True)
class Written:
    """Something that is written in versions 1, 2, ..., and read; 0 where there is none."""

    write: Callable[[Path, int], None]
    read: Callable[[Path], int]


WRITTEN = {
    "checkpoint": Written(_save, _load),
    "records": Written(_write_records, _read_records),
    "results": Written(_write_json, _read_json),
}


class KilledError(BaseException):
    """Stands for a kill: nobody tidies up after it."""


def _stopped_at(line: int, error: type[BaseException], act: Callable[[], None]) -> bool:
    """Does something until a line of WRITERS, counted from 1; returns whether it came so far."""
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in WRITERS:
            return None
        seen += event == "line"
        if seen == line and event == "line":
            raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except error:
        return True
    finally:
        sys.settrace(before)
    return False


# A stop in the line that ends a `with` leaves its file to be closed later.
_LEFT_OPEN = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@_LEFT_OPEN
@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("stop", ["Ctrl-C", "kill"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_stop_at_any_line_leaves_the_old_or_the_new(name, stop, before, tmp_path, monkeypatch):
    written = WRITTEN[name]
    error = KilledError if stop == "kill" else KeyboardInterrupt
    outcomes = set()
    for line in itertools.count(1):
        folder = tmp_path / str(line)
        folder.mkdir()
        if before:
            written.write(folder, 1)
        with monkeypatch.context() as patch:
            if stop == "kill":
                _leave_all_behind(patch)
            write = functools.partial(written.write, folder, before + 1)
            is_stopped = _stopped_at(line, error, write)
        outcomes.add(written.read(folder))
        written.write(folder, before + 1)
        assert written.read(folder) == before + 1
        assert not list(folder.rglob("*.unfinished"))
        if not is_stopped:
            break
    assert outcomes == {before, before + 1}
    assert line > 8


def _leave_all_behind(patch: pytest.MonkeyPatch) -> None:
    """Makes tidying up after a kill impossible, as it is."""

    def guard(function: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **keywords: Any) -> Any:
            if isinstance(sys.exc_info()[1], KilledError):
                raise KilledError
            return function(*arguments, **keywords)

        return guarded

    for place, name in ((shutil, "rmtree"), (Path, "unlink"), (Path, "rename"), (Path, "replace")):
        patch.setattr(place, name, guard(getattr(place, name)))


@_LEFT_OPEN
@pytest.mark.parametrize("stop", ["Ctrl-C", "kill"])
def test_a_stop_at_any_line_leaves_no_half_an_entry_in_the_cache(stop, tmp_path, monkeypatch):
    error = KilledError if stop == "kill" else KeyboardInterrupt
    arrays = {"numbers": np.arange(50)}
    outcomes = set()
    for line in itertools.count(1):
        monkeypatch.setenv(text_cache.VARIABLE, str(tmp_path / str(line)))
        with monkeypatch.context() as patch:
            if stop == "kill":
                _leave_all_behind(patch)
            is_stopped = _stopped_at(line, error, lambda: store_entry(KEY, arrays))
        loaded = load_entry(KEY)  # damage would be told by a warning, which is an error here
        outcomes.add(loaded is not None)
        assert loaded is None or np.array_equal(loaded["numbers"], arrays["numbers"])
        store_entry(KEY, arrays)
        assert load_entry(KEY) is not None
        if not is_stopped:
            break
    assert outcomes == {False, True}


def test_a_checkpoint_that_was_cut_short_is_left_as_its_error_says(tmp_path):
    for version in (1, 2):
        _save(tmp_path, version)
    damaged = latest_checkpoint(tmp_path)
    for file in sorted(damaged.iterdir()):
        whole = file.read_bytes()
        for length in range(0, len(whole), 97):
            file.write_bytes(whole[:length])
            with pytest.raises(ValueError, match=rf"^{file} is damaged \(.*; the checkpoint .* is"):
                _load(tmp_path)
        file.write_bytes(whole)
        assert _load(tmp_path) == 2
    (damaged / "network.safetensors").unlink()
    older = tmp_path / "checkpoints" / f"{1:012d}"
    latest = tmp_path / "checkpoints" / "latest.json"
    with pytest.raises(ValueError, match="network.safetensors is not there; ") as caught:
        _load(tmp_path)
    advice = f"the checkpoint {older} is whole: to go on from it, remove {damaged} and {latest}"
    assert str(caught.value).endswith(advice)
    shutil.rmtree(damaged)
    latest.unlink()
    assert _load(tmp_path) == 1
    _save(tmp_path, 2)
    assert _load(tmp_path) == 2


def test_going_on_from_an_older_checkpoint_never_loses_what_is_saved_next(tmp_path):
    for version in (1, 2, 9):
        _save(tmp_path, version)
    write_json(tmp_path / "checkpoints" / "latest.json", {"name": f"{2:012d}"})
    (tmp_path / "checkpoints" / f"{11:012d}.unfinished").mkdir()
    for version in (3, 4, 5):
        _save(tmp_path, version)
        assert _load(tmp_path) == version
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [f"{4:012d}", f"{5:012d}", "latest.json"]


def test_a_row_of_metrics_that_was_cut_short_is_dropped_and_written_again(tmp_path):
    metrics = Metrics(tmp_path)
    for steps in (0, 10):
        metrics.write({"steps": steps, "score": 1.5, "learning_rate": 0.25})
    metrics.close()
    path = tmp_path / "metrics.csv"
    whole = path.read_text()
    last = whole.rstrip("\n").rindex("\n") + 1
    for length in range(last, whole.rindex(",") + 1):
        path.write_text(whole[:length])
        assert [row["steps"] for row in read_metrics(path)] == ["0"]
    Metrics(tmp_path, resumed_at=0).close()
    with path.open(newline="") as file:
        assert [row["steps"] for row in csv.DictReader(file)] == ["0"]


@dataclass(frozen=True)
class Disk:
    """A folder on a disk of its own."""

    folder: Path
    is_mounted: bool

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk where it may be mounted, else a folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    can_mount = os.name == "posix" and os.geteuid() == 0 and shutil.which("mount") is not None
    is_mounted = can_mount and _finish(command)[0] == 0
    yield Disk(folder, is_mounted)
    if is_mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(disk: Disk, patch: pytest.MonkeyPatch) -> None:
    """Leaves no room on a disk; where it could not be mounted, lets it say so."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if not disk.is_mounted:
        patch.setattr(os, "fsync", full)
        patch.setattr(csv.DictWriter, "writerow", full)
        return
    with (
        (disk.folder / "filler").open("wb", buffering=0) as file,
        pytest.raises(OSError, match="No space left"),
    ):
        _write_without_end(file)


def _write_without_end(file: BinaryIO) -> None:
    while True:
        file.write(bytes(4096))


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """A short run, and what its report was written from."""
    written: list[tuple[Any, ...]] = []

    def seen(*arguments: Any) -> None:
        written.append(arguments)
        write_report(*arguments)

    run = tmp_path_factory.mktemp("reported") / "run"
    sizes = Sizes(width=16, article_layers=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "write_report", seen)
        train.run_training(
            TrainConfig(run_folder=run, budget="100", rows=16, test_episodes=2, sizes=sizes)
        )
    return written[0]


DOCUMENTS = {
    **WRITTEN,
    "vocabulary": Written(_write_vocabulary, _read_vocabulary),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_full_disk_is_told_and_keeps_what_was_there(name, disk, monkeypatch):
    written = DOCUMENTS[name]
    if name == "vocabulary" and disk.is_mounted:
        disk.remount("size=128k")
    written.write(disk.folder, 1)
    with monkeypatch.context() as patch:
        _fill(disk, patch)
        before = sorted(disk.folder.rglob("*"))
        message = rf"^{disk.folder}/.* cannot be written: the disk is full: make room"
        with pytest.raises(OSError, match=message):
            written.write(disk.folder, 2)
        assert sorted(disk.folder.rglob("*")) == before
        assert written.read(disk.folder) == 1
    (disk.folder / "filler").unlink(missing_ok=True)
    written.write(disk.folder, 2)
    assert written.read(disk.folder) == 2


def test_a_full_disk_keeps_the_rows_of_metrics_that_are_whole(disk, monkeypatch):
    metrics = Metrics(disk.folder)
    metrics.write({"steps": 0, "score": 1.5})
    with monkeypatch.context() as patch:
        _fill(disk, patch)
        # TensorBoard's own thread would have an exception of its own.
        patch.setattr(metrics._board, "add_scalar", lambda *_: None)
        with pytest.raises(OSError, match=r"metrics\.csv cannot be written: the disk is full"):
            _write_rows(metrics)
        rows = [int(row["steps"]) for row in read_metrics(disk.folder / "metrics.csv")]
        assert rows == list(range(len(rows)))
        assert rows
    (disk.folder / "filler").unlink(missing_ok=True)
    metrics.close()


def _write_rows(metrics: Metrics) -> None:
    for steps in range(1, 1000):
        metrics.write({"steps": steps, "score": 1.5})


def test_a_full_disk_is_told_by_the_cache_and_opening_goes_on(disk, news_file, monkeypatch):
    monkeypatch.setenv(text_cache.VARIABLE, str(disk.folder / "cache"))
    message = r"cannot be kept in .* \(No space left on device\).*=FOLDER, or turn the cache off"
    with monkeypatch.context() as patch:
        _fill(disk, patch)
        with pytest.warns(UserWarning, match=message):
            read = open_source(SourceConfig(source=f"jsonl:{news_file}"))
    assert read.num_documents == 12
    assert [path for path in (disk.folder / "cache").iterdir() if path.is_file()] == []


def test_a_full_disk_keeps_the_report_that_was_there(disk, reported, monkeypatch):
    run, *rest = reported
    shutil.copy(run / "metrics.csv", disk.folder)
    (disk.folder / "report.html").write_text("the report before")
    rows = read_metrics(run / "metrics.csv")
    (disk.folder / "learning_curve.png").write_bytes(b"the curve before")
    with monkeypatch.context() as patch:
        _fill(disk, patch)
        for name, write in (
            ("report.html", lambda: write_report(disk.folder, *rest)),
            (
                "learning_curve.png",
                lambda: draw_learning_curve(
                    rows, ID, "validation", disk.folder / "learning_curve.png"
                ),
            ),
        ):
            with pytest.raises(OSError, match=f"{name} cannot be written: the disk is full"):
                write()
    assert (disk.folder / "report.html").read_text() == "the report before"
    assert (disk.folder / "learning_curve.png").read_bytes() == b"the curve before"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_read_only_folder_is_told_and_keeps_what_was_there(name, disk):
    written = DOCUMENTS[name]
    if not disk.is_mounted and os.geteuid() == 0:
        pytest.skip("root may write anywhere, and nothing can be mounted here")
    if disk.is_mounted:
        disk.remount("size=128k")
    written.write(disk.folder, 1)
    folders = [disk.folder, *(path for path in disk.folder.rglob("*") if path.is_dir())]
    if disk.is_mounted:
        disk.remount("ro")
    else:
        for folder in folders:
            folder.chmod(0o500)
    try:
        message = rf"^{disk.folder}/.* cannot be written: .*choose another"
        with pytest.raises(OSError, match=message):
            written.write(disk.folder, 2)
        assert written.read(disk.folder) == 1
    finally:
        if not disk.is_mounted:
            for folder in folders:
                folder.chmod(0o700)


def _command(run: Path) -> list[str]:
    """Returns the command that trains in a folder, or goes on there."""
    flags = ["--budget", "1500", "--rows", "16", "--test-episodes", "3", "--sizes.width", "16"]
    command = [sys.executable, "-m", "lightbulb_agents.train", *flags, "--run-folder", str(run)]
    return [*command, "--resume"] if (run / "run.json").is_file() else command


def _finish(command: list[str], **keywords: Any) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **keywords)
    return done.returncode, done.stderr


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
def test_training_that_is_stopped_at_any_moment_goes_on_to_the_same_end(which, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    start = time.monotonic()
    assert _finish(_command(whole))[0] == 0
    seconds = time.monotonic() - start
    generator = random.Random(f"{which}")
    codes = {signal.SIGINT: (130, -signal.SIGINT, 0), signal.SIGKILL: (-signal.SIGKILL, 0)}[which]
    seen = set()
    for moment in (0.1, 0.5, 0.9):
        wait = seconds * (moment + generator.uniform(-0.1, 0.1))
        code, told = _stop(_command(stopped), which, wait)
        seen.add(code)
        assert code in codes, told
        assert "Traceback" not in told
        if code == 130:
            assert "Stopped. The same command with --resume goes on from the last" in told
        if has_checkpoint(stopped):
            load_file(latest_checkpoint(stopped) / "network.safetensors")
    assert seen - {0}
    assert _finish(_command(stopped))[0] == 0
    ends = [latest_checkpoint(run) for run in (whole, stopped)]
    assert ends[0].name == ends[1].name
    for name in ("network", "optimizer"):
        one, other = (load_file(end / f"{name}.safetensors") for end in ends)
        assert all(one[part].equal(other[part]) for part in one)
    names = ("results.json", "report.html", "episodes.jsonl")
    assert all((stopped / name).is_file() for name in names)
    assert (whole / "episodes.jsonl").read_bytes() == (stopped / "episodes.jsonl").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("size", ["64k", "200k", "500k"])
def test_training_on_a_full_disk_ends_in_one_line_and_goes_on_with_more_room(size, disk):
    if not disk.is_mounted:
        pytest.skip("no disk can be mounted here")
    disk.remount(f"size={size}")
    run = disk.folder / "run"
    code, told = _finish(_command(run))
    assert code == 1
    last = told.strip().splitlines()[-1]
    assert last.startswith(f"lightbulb: {run}/")
    assert "cannot be written: the disk is full: make room" in last
    assert "Traceback" not in told
    assert not list(run.rglob("*.unfinished"))
    disk.remount("size=64m")
    assert _finish(_command(run))[0] == 0
    assert (run / "results.json").is_file()


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
def test_a_replay_that_is_stopped_says_so_and_begins_again(tmp_path):
    engine = lightbulb_envs.make_engine(ID, 256)
    path, pipe = tmp_path / "episodes.jsonl", tmp_path / "pipe"
    write_records(path, records_of(ID, {}, engine, roll_out(Lead(2), engine, np.arange(3000))))
    before = path.read_bytes()
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "lightbulb_envs.replay", str(pipe)]
    generator = random.Random(0)
    codes = []
    for _ in range(5):
        process = subprocess.Popen(command, stdout=-1, stderr=-1, text=True)
        with process, pipe.open("wb", buffering=0) as file:  # open as soon as it reads
            try:
                file.write(before)
                file.close()
                time.sleep(generator.random())
            finally:
                process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=120)
        codes.append(process.returncode)
        assert "Traceback" not in told
        message = "\nStopped. Nothing was written; the same command begins again\n"
        assert told == (message if process.returncode == 130 else "")
    assert set(codes) <= {0, 130, -signal.SIGINT}  # the last as Python ends, with all done
    assert 130 in codes
    assert _finish([*command[:-1], str(path)])[0] == 0
    assert path.read_bytes() == before
