"""Memory of small batches and of processes that do little, and slopes worked out by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory.picture import draw_training
from benchmarks.memory.training import sample, summary

if not Path("/proc/self/status").is_file():
    pytest.skip("memory is read from /proc", allow_module_level=True)

from benchmarks.memory.pool import pool_memory
from benchmarks.memory.resident import resident_megabytes

SAMPLES = [[60.0 * minute, 90.0 if minute < 2 else 100.0 + minute] for minute in range(9)]


def test_a_batch_adds_what_it_holds_to_the_memory_of_its_process():
    told = pool_memory(rows=4, documents=6, steps=3)
    megabytes = told["megabytes"]
    assert all(value > 1 for value in megabytes.values())
    assert megabytes["most"] >= megabytes["all documents met"] - 1
    largest = max(megabytes["all documents met"], megabytes["3 steps played"])
    assert told["added"] == pytest.approx(largest - megabytes["after imports"], abs=0.02)


def test_memory_of_a_process_is_sampled_until_it_ends():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        samples = sample(process, 0.1, 0.03)
        process.communicate(b"\n")
        assert sample(process, 5.0, 0.01) == []
    assert 2 <= len(samples) <= 4
    assert samples[-1][1] > 1  # at first it may not have loaded anything
    with pytest.raises(OSError, match="No such file"):
        resident_megabytes(process.pid)


def test_growth_is_the_slope_of_the_last_three_quarters():
    assert summary(SAMPLES) == {"start": 102.0, "end": 108.0, "most": 108.0, "growth_an_hour": 60.0}
    with pytest.raises(ValueError, match="two samples"):
        summary(SAMPLES[:1])


def test_memory_is_drawn_in_a_small_file(tmp_path):
    path = draw_training({**summary(SAMPLES), "samples": SAMPLES}, tmp_path / "new" / "memory.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size < 60_000
