"""Training: environment steps a second of the default run, in one process and in more at once.

Each process trains a run of its own, on one thread. They start together and train until the same
number of seconds is over, so none is ever measured while another rests.
"""

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from benchmarks.scaling.series import Curves, point
from benchmarks.throughput.race import digits, spread

PROCESSES = (1, 2)
TURN = 4.0
"""Seconds of the clock that a turn takes."""
WARM_UP = 2
"""Updates before anything is measured."""


def by_processes(
    repeats: int,
    sizes: Sequence[int] = PROCESSES,
    seconds: float = TURN,
    config: dict[str, Any] | None = None,
) -> Curves:
    """Returns the steps a second of all processes together, and their cost in processor time.

    `config` holds fields of `TrainConfig` that are not the defaults.
    """
    context = multiprocessing.get_context("spawn")
    barriers = {size: context.Barrier(size) for size in sizes}
    settings = config or {}
    with ExitStack() as stack:
        ends = []
        for number in range(max(sizes)):
            here, there = context.Pipe()
            worker = context.Process(
                target=_work, args=(there, barriers, seconds, {**settings, "seed": number})
            )
            worker.start()
            there.close()
            stack.callback(worker.join)
            stack.callback(here.close)  # before it is joined: it is what a worker ends at
            ends.append(here)
        for end in ends:
            end.recv()
        turns: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
        for _ in range(repeats):
            for size in sizes:
                turns[size].append(_turn(ends[:size], size))
    return {
        "steps a second": [
            point(size, spread([rate for rate, _ in turns[size]])) for size in sizes
        ],
        "microseconds a step": [
            point(size, spread([cost for _, cost in turns[size]])) for size in sizes
        ],
    }


def _turn(ends: Sequence[Connection], size: int) -> tuple[float, float]:
    """Lets so many processes train; returns their steps a second, and the mean cost of a step."""
    for end in ends:
        end.send(size)
    told = [end.recv() for end in ends]
    rate = sum(steps / passed for steps, passed, _ in told)
    return rate, statistics.mean(used / steps * 1e6 for steps, _, used in told)


def _work(
    end: Connection, barriers: dict[int, Barrier], seconds: float, config: dict[str, Any]
) -> None:
    """Trains whenever it is told how many do; ends when nobody is there to tell."""
    from lightbulb_agents.config import TrainConfig
    from lightbulb_agents.training import Training

    training = Training(TrainConfig(**{"budget": "long", "threads": 1, **config}), {})
    for _ in range(WARM_UP):
        training.update()
    end.send("ready")
    while True:
        try:
            size = end.recv()
        except EOFError:
            return
        barriers[size].wait()
        end.send(_train_for(training, seconds))


def _train_for(training: Any, seconds: float) -> tuple[int, float, float]:
    """Returns the steps of some seconds, and how long they took by the clock and the processor."""
    before, start, used = training.steps, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        training.update()
    passed, used = time.perf_counter() - start, time.process_time() - used
    return training.steps - before, digits(passed), digits(used)
