"""The phases of a tiny run, and a stopwatch that tells phases inside one another apart."""

import time

import pytest
import torch

from benchmarks.profile_training import PHASES, Stopwatch, largest_operators, time_phases
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.rollout_buffer import EpisodeBatch
from lightbulb_agents.training import Training


def work(seconds):
    """Keeps the processor busy for so long."""
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass


def test_a_phase_is_told_without_those_inside_it():
    watch = Stopwatch()
    outer, inner = PHASES[:2]
    timed = watch.timing(work, lambda: inner)

    def run():
        work(0.02)
        timed(0.05)
        work(0.01)

    watch.timing(run, lambda: outer)()
    assert watch.seconds[outer] == pytest.approx(0.03, abs=0.01)
    assert watch.seconds[inner] == pytest.approx(0.05, abs=0.01)


def test_phases_of_a_run_add_up_and_leave_nothing_wrapped(monkeypatch):
    sizes = Sizes(width=8, heads=2)
    steps, taken = EpisodeBatch._steps, []

    def slowly(batch, numbers):
        start = time.process_time()
        work(0.02)
        taken.append(time.process_time() - start)
        return steps(batch, numbers)

    monkeypatch.setattr(EpisodeBatch, "_steps", slowly)
    training = Training(TrainConfig(rows=8, budget="1000", sizes=sizes), {})
    backward = torch.Tensor.backward
    start = time.process_time()
    told = time_phases(training, 2)
    share = sum(taken) / (time.process_time() - start)
    assert list(told["shares"]) == [*PHASES, "between the two"]
    assert sum(told["shares"].values()) == pytest.approx(1, abs=0.01)
    assert all(told["shares"][phase] > 0 for phase in PHASES)
    assert told["shares"]["updating: minibatches"] > 0.99 * share > 0
    assert told["microseconds_a_step"] > 0
    assert torch.Tensor.backward is backward
    assert "step" not in vars(training.engine)
    operators = largest_operators(training, 1)
    shares = [one["share"] for one in operators]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1
