"""A full disk and a folder that may not be written to are told, and what was there is kept."""

import csv
import errno
import os
import shutil
from typing import Any, BinaryIO

import pytest

from lightbulb_agents import train
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.report import draw_learning_curve, write_report
from lightbulb_agents.training import COLUMNS
from lightbulb_backbones.runs.metrics import Metrics, read_metrics
from lightbulb_envs.sources import text_cache
from lightbulb_envs.sources.source import SourceConfig, open_source

ID = "Lightbulb/NewsSummariser-v0"


def _fill(disk: Any, patch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize("name", ["checkpoint", "records", "results", "vocabulary"])
def test_a_full_disk_is_told_and_keeps_what_was_there(name, written, disk, monkeypatch):
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
    metrics = Metrics(disk.folder, COLUMNS)
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


@pytest.mark.parametrize("name", ["checkpoint", "records", "results", "vocabulary"])
def test_a_read_only_folder_is_told_and_keeps_what_was_there(written, disk):
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


@pytest.mark.slow
@pytest.mark.parametrize("size", ["64k", "200k", "500k"])
def test_training_on_a_full_disk_ends_in_one_line_and_goes_on_with_more_room(size, disk, commands):
    if not disk.is_mounted:
        pytest.skip("no disk can be mounted here")
    disk.remount(f"size={size}")
    run = disk.folder / "run"
    code, told = commands.finish(commands.train(run))
    assert code == 1
    last = told.strip().splitlines()[-1]
    assert last.startswith(f"lightbulb: {run}/")
    assert "cannot be written: the disk is full: make room" in last
    assert "Traceback" not in told
    assert not list(run.rglob("*.unfinished"))
    disk.remount("size=64m")
    assert commands.finish(commands.train(run))[0] == 0
    assert (run / "results.json").is_file()
