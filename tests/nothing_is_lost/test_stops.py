"""A stop at any line of the code that writes leaves the old or the new, and damage is told."""

import csv
import functools
import itertools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from lightbulb_agents.training import COLUMNS
from lightbulb_backbones.runs import checkpoint
from lightbulb_backbones.runs.checkpoint import (
    latest_checkpoint,
    write_json,
)
from lightbulb_backbones.runs.metrics import Metrics, read_metrics
from lightbulb_envs import record, subwords, whole_file
from lightbulb_envs.sources import text_cache
from lightbulb_envs.sources.text_cache import entry_key, load_entry, store_entry

WRITERS = {one.__file__ for one in (checkpoint, record, subwords, whole_file, text_cache)}
KEY = entry_key("nothing is lost")


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
@pytest.mark.parametrize("name", ["checkpoint", "records", "results"])
def test_a_stop_at_any_line_leaves_the_old_or_the_new(written, stop, before, tmp_path, monkeypatch):
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


@pytest.mark.parametrize("name", ["checkpoint"])
def test_a_checkpoint_that_was_cut_short_is_left_as_its_error_says(written, tmp_path):
    for version in (1, 2):
        written.write(tmp_path, version)
    damaged = latest_checkpoint(tmp_path)
    for file in sorted(damaged.iterdir()):
        whole = file.read_bytes()
        for length in range(0, len(whole), 97):
            file.write_bytes(whole[:length])
            with pytest.raises(ValueError, match=rf"^{file} is damaged \(.*; the checkpoint .* is"):
                written.read(tmp_path)
        file.write_bytes(whole)
        assert written.read(tmp_path) == 2
    (damaged / "network.safetensors").unlink()
    older = tmp_path / "checkpoints" / f"{1:012d}"
    latest = tmp_path / "checkpoints" / "latest.json"
    with pytest.raises(ValueError, match="network.safetensors is not there; ") as caught:
        written.read(tmp_path)
    advice = f"the checkpoint {older} is whole: to go on from it, remove {damaged} and {latest}"
    assert str(caught.value).endswith(advice)
    shutil.rmtree(damaged)
    latest.unlink()
    assert written.read(tmp_path) == 1
    written.write(tmp_path, 2)
    assert written.read(tmp_path) == 2


@pytest.mark.parametrize("name", ["checkpoint"])
def test_going_on_from_an_older_checkpoint_never_loses_what_is_saved_next(written, tmp_path):
    for version in (1, 2, 9):
        written.write(tmp_path, version)
    write_json(tmp_path / "checkpoints" / "latest.json", {"name": f"{2:012d}"})
    (tmp_path / "checkpoints" / f"{11:012d}.unfinished").mkdir()
    for version in (3, 4, 5):
        written.write(tmp_path, version)
        assert written.read(tmp_path) == version
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [f"{4:012d}", f"{5:012d}", "latest.json"]


def test_a_row_of_metrics_that_was_cut_short_is_dropped_and_written_again(tmp_path):
    metrics = Metrics(tmp_path, COLUMNS)
    for steps in (0, 10):
        metrics.write({"steps": steps, "score": 1.5, "learning_rate": 0.25})
    metrics.close()
    path = tmp_path / "metrics.csv"
    whole = path.read_text()
    last = whole.rstrip("\n").rindex("\n") + 1
    for length in range(last, whole.rindex(",") + 1):
        path.write_text(whole[:length])
        assert [row["steps"] for row in read_metrics(path)] == ["0"]
    Metrics(tmp_path, COLUMNS, resumed_at=0).close()
    with path.open(newline="") as file:
        assert [row["steps"] for row in csv.DictReader(file)] == ["0"]
