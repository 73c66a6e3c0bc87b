"""What is written and read, disks of their own, and commands: what these tests share."""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lightbulb_envs
from lightbulb_backbones.runs.checkpoint import (
    has_checkpoint,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
    write_json,
)
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.record import EpisodeRecord, read_records, records_of, write_records
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.subwords import SubwordVocabulary

ID = "Lightbulb/NewsSummariser-v0"


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
    "vocabulary": Written(_write_vocabulary, _read_vocabulary),
    "checkpoint": Written(_save, _load),
    "records": Written(_write_records, _read_records),
    "results": Written(_write_json, _read_json),
}


@pytest.fixture
def written(name: str) -> Written:
    """What a test's parameter `name` says is written."""
    return WRITTEN[name]


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
    is_mounted = can_mount and Commands.finish(command)[0] == 0
    yield Disk(folder, is_mounted)
    if is_mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Commands:
    """Commands that train a little, and how they end."""

    @staticmethod
    def train(run: Path) -> list[str]:
        """Returns the command that trains in a folder, or goes on there."""
        flags = ["--budget", "1500", "--rows", "16", "--test-episodes", "3", "--sizes.width", "16"]
        command = [sys.executable, "-m", "lightbulb_agents.train", *flags, "--run-folder", str(run)]
        return [*command, "--resume"] if (run / "run.json").is_file() else command

    @staticmethod
    def finish(command: list[str], **keywords: Any) -> tuple[int, str]:
        """Returns the exit code of a command, and what it said of errors."""
        done = subprocess.run(command, capture_output=True, text=True, check=False, **keywords)
        return done.returncode, done.stderr


@pytest.fixture
def commands() -> type[Commands]:
    """Commands to stop, and to let end."""
    return Commands
