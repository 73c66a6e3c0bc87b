"""The memory of a long training run, looked at from outside every few seconds."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory.resident import resident_megabytes
from lightbulb_backbones.runs.metrics import read_metrics

STEPS_A_SECOND = 5_000
"""More than training takes: with such a budget, the run is still going on when the time is up."""
_PATIENCE = 60
"""Seconds that a run has to end after it was told to."""


def watch_training(seconds: float, every: float, run: Path) -> dict[str, Any]:
    """Trains with the default settings in a process of its own; returns its memory over time.

    Raises:
        RuntimeError: the run ended by itself; the message ends with what it printed.
    """
    command = [sys.executable, "-m", "lightbulb_agents.train", "--threads", "1"]
    command += ["--budget", str(max(1, int(seconds * STEPS_A_SECOND))), "--run-folder", str(run)]
    log = run.with_suffix(".log")
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            samples = sample(process, seconds, every)
        finally:
            _stop(process)
    if not samples or samples[-1][0] < seconds - 2 * every:
        raise RuntimeError(
            f"the run ended before its time, with code {process.returncode}:\n"
            f"{log.read_text(encoding='utf-8')[-2000:]}"
        )
    rows = read_metrics(run / "metrics.csv") if (run / "metrics.csv").is_file() else []
    last = {name: float(rows[-1][name]) for name in ("steps", "seconds")} if rows else {}
    return {"every": every, "last_measured": last, **summary(samples), "samples": samples}


def sample(process: "subprocess.Popen[Any]", seconds: float, every: float) -> list[list[float]]:
    """Returns pairs of seconds and megabytes of a process, until the time is up or it ends."""
    samples: list[list[float]] = []
    started = time.monotonic()
    while (passed := time.monotonic() - started) <= seconds and process.poll() is None:
        try:
            samples.append([round(passed, 1), resident_megabytes(process.pid)])
        except (OSError, ValueError):  # it has just ended
            break
        time.sleep(every)
    return samples


def _stop(process: "subprocess.Popen[Any]") -> None:
    """Ends a run, by force when it takes its time."""
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def summary(samples: Sequence[Sequence[float]]) -> dict[str, float]:
    """Returns megabytes at the start and end of the last three quarters, and their growth.

    The first quarter is left out: imports, the first documents and the first articles come in it.
    Growth is the slope of a line of least squares, in MB an hour.
    """
    settled = np.array(samples)[len(samples) // 4 :]
    if len(settled) < 2:
        raise ValueError(f"a slope needs two samples or more, got {len(settled)}")
    slope = np.polyfit(settled[:, 0] / 3600, settled[:, 1], 1)[0]
    return {
        "start": float(settled[0, 1]),
        "end": float(settled[-1, 1]),
        "most": float(max(megabytes for _, megabytes in samples)),
        "growth_an_hour": round(float(slope), 3),
    }
