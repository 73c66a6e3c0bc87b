"""The command runs the races that are named, and writes what they told where it is told to."""

import json
import sys
from types import ModuleType

import pytest

pytest.importorskip("rouge_score_rs")
command = pytest.importorskip("benchmarks.throughput.__main__")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs the command over two races, one of which misses its peer."""
    race = ModuleType("benchmarks.throughput.quick")
    race.race_quickly = lambda repeats: {"quick": repeats}
    monkeypatch.setitem(sys.modules, race.__name__, race)
    monkeypatch.setitem(sys.modules, "benchmarks.throughput.peerless", None)
    monkeypatch.setattr(
        command, "RACES", {"quick": "quick:race_quickly", "peerless": "peerless:race"}
    )
    monkeypatch.setattr(command, "RESULTS", tmp_path / "throughput.json")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["throughput", "--repeats", "3", *arguments])
        command.main()
        return sorted(path.name for path in tmp_path.glob("*.json"))

    return call


def test_a_race_that_is_named_needs_its_own_peers_alone_and_writes_nothing(run):
    assert run("--only", "quick") == []


def test_a_race_that_is_named_is_written_where_it_is_told_to(run, tmp_path):
    path = tmp_path / "elsewhere.json"
    assert run("--only", "quick", "--results", str(path)) == ["elsewhere.json"]
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["quick"] == {"quick": 3}
    assert written["repeats"] == 3
    assert written["machine"]["processor"]


def test_all_races_need_all_peers(run):
    with pytest.raises(ImportError, match="peerless"):
        run()
