"""Where the processor's time goes in training: by phase, and by the operators of torch.

    python -m benchmarks.profile_training [--updates 40]

takes updates of the default run and writes `benchmarks/results/profile.json`. Phases are timed by
wrapping the methods in which they happen, each without those inside it, so they add up to the
whole; the operators come from torch's profiler, in updates of their own. What a run does beside
its updates is told in seconds: preparing the learning curve, and measuring one of its points.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.learning import machine
from benchmarks.throughput.race import digits
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.rollout_buffer import EpisodeBatch
from lightbulb_agents.training import Training, Validation
from lightbulb_backbones.runs.checkpoint import write_json
from lightbulb_envs.kernel import kernel_info
from lightbulb_envs.record import versions

RESULTS = Path(__file__).parent / "results" / "profile.json"
WARM_UP = 3
PROFILED = 5
"""Updates under torch's profiler."""
LARGEST = 12
PHASES = (
    "collecting: engine",
    "collecting: encoding articles",
    "collecting: deciding",
    "collecting: the rest",
    "updating: encoding articles",
    "updating: deciding",
    "updating: backward",
    "updating: optimizer",
    "updating: minibatches",
    "updating: the rest",
)

_OF_ENGINE = ("reset", "step", "observe", "views")


class Stopwatch:
    """Seconds of processor time by phase, each without the phases inside it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self._inside: list[str] = []
        self._since = 0.0

    def _switch(self) -> None:
        now = time.process_time()
        if self._inside:
            self.seconds[self._inside[-1]] += now - self._since
        self._since = now

    def timing(self, function: Callable[..., Any], phase: Callable[[], str]) -> Callable[..., Any]:
        """Returns a function whose time is that of the phase that is named when it is called."""

        def timed(*arguments: Any, **keywords: Any) -> Any:
            self._switch()
            self._inside.append(phase())
            try:
                return function(*arguments, **keywords)
            finally:
                self._switch()
                self._inside.pop()

        return timed


def _always(phase: str) -> Callable[[], str]:
    return lambda: phase


def _of_either(what: str) -> Callable[[], str]:
    """Returns what names a phase of collecting, where there are no gradients, or of updating."""
    return lambda: f"{'updating' if torch.is_grad_enabled() else 'collecting'}: {what}"


@contextmanager
def watched(training: Training, watch: Stopwatch) -> Iterator[None]:
    """Times the phases of a training while it lasts."""
    network, engine = training.network, training.engine
    places: list[tuple[Any, str, Callable[[], str]]] = [
        (training.learner.collector, "collect", _always("collecting: the rest")),
        (training.learner.algorithm, "update", _always("updating: the rest")),
        *((engine, name, _always("collecting: engine")) for name in _OF_ENGINE),
        (network, "encode", _of_either("encoding articles")),
        (network, "decide", _of_either("deciding")),
        (torch.Tensor, "backward", _always("updating: backward")),
        (torch.optim.Adam, "step", _always("updating: optimizer")),
        (torch.nn.utils, "clip_grad_norm_", _always("updating: optimizer")),
        (EpisodeBatch, "_steps", _of_either("minibatches")),
    ]
    with ExitStack() as stack:
        for owner, name, phase in places:
            timed = watch.timing(getattr(owner, name), phase)
            stack.enter_context(patch.object(owner, name, timed))
        yield


def time_phases(training: Training, updates: int) -> dict[str, Any]:
    """Returns the share of every phase, and what an environment step costs in all."""
    watch, steps, start = Stopwatch(), training.steps, time.process_time()
    with watched(training, watch):
        for _ in range(updates):
            training.update()
    total, steps = time.process_time() - start, training.steps - steps
    seconds = {**watch.seconds, "between the two": total - sum(watch.seconds.values())}
    return {
        "updates": updates,
        "steps": steps,
        "microseconds_a_step": digits(total / steps * 1e6),
        "shares": {phase: digits(own / total) for phase, own in seconds.items()},
    }


def largest_operators(training: Training, updates: int) -> list[dict[str, Any]]:
    """Returns the operators of torch that take most time themselves, with their shares of it."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(updates):
            training.update()
    events = sorted(profiler.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return [
        {
            "operator": event.key,
            "share": digits(event.self_cpu_time_total / total),
            "calls_an_update": round(event.count / updates),
        }
        for event in events[:LARGEST]
    ]


def measure_curve(training: Training) -> dict[str, float]:
    """Returns the seconds of preparing the learning curve, and of measuring one point of it."""
    start = time.process_time()
    validation = Validation.prepare(training.config.env, {})
    prepared = time.process_time()
    validation.measure(training.network)
    return {
        "preparing_the_curve": digits(prepared - start),
        "measuring_a_point": digits(time.process_time() - prepared),
    }


def profile_training(config: TrainConfig, updates: int, profiled: int = PROFILED) -> dict[str, Any]:
    """Returns the phases and operators of a run that has warmed up."""
    training = Training(config, config.env_settings())
    for _ in range(WARM_UP):
        training.update()
    return {
        "env": config.env,
        "algorithm": config.algorithm(),
        "rows": config.rows,
        "threads": config.threads,
        **time_phases(training, updates),
        "operators": largest_operators(training, profiled),
        "seconds": measure_curve(training),
    }


def main() -> None:
    """Profiles the default run and writes the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_training")
    parser.add_argument("--updates", type=int, default=40, help="updates whose phases are timed")
    results = profile_training(TrainConfig(), parser.parse_args().updates)
    for phase, share in results["shares"].items():
        print(f"{share:7.1%}  {phase}")
    for one in results["operators"]:
        print(f"{one['share']:7.1%}  {one['operator']}, {one['calls_an_update']} calls an update")
    print(results["microseconds_a_step"], "us a step;", results["seconds"])
    learning = {"torch": torch.__version__}
    info = {"machine": machine(), "kernel": str(kernel_info()), "versions": versions() | learning}
    write_json(RESULTS, {**results, **info})


if __name__ == "__main__":
    main()
