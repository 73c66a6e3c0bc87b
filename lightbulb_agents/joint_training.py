"""Training an agent on several environments: its sub-agents take turns, and share an encoder.

Each environment has a folder of its own in the run's, which is as that of a run on it alone; the
weights of all are in the checkpoints of the whole.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lightbulb_agents.agent import Agent, JointOptimizer, Task
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.training import Curve, Training, Validation
from lightbulb_backbones.runs.checkpoint import (
    decode_bytes,
    encode_bytes,
    latest_checkpoint,
    load_checkpoint,
    read_as_checkpoint,
    read_state,
    save_checkpoint,
)

_SAVE_EVERY = 25
"""Rounds between checkpoints, where every learner is content with so many."""


class JointTraining:
    """Everything that an agent's run needs to take its next step, and to be saved between two."""

    def __init__(self, config: TrainConfig):
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config = config
        self.tasks = tuple(Task.of(one) for one in config.tasks())
        self.agent = Agent(self.tasks)
        self.trainings = {
            one.name(): Training(one, one.env_settings(), self.agent.networks[one.env])
            for one in config.tasks()
        }
        self.optimizer = JointOptimizer(
            [training.learner.optimizer for training in self.trainings.values()]
        )
        self.save_every = max(
            _SAVE_EVERY, *(training.learner.save_every for training in self.trainings.values())
        )

    @property
    def steps(self) -> int:
        """Environment steps of all tasks."""
        return sum(training.steps for training in self.trainings.values())

    @property
    def is_done(self) -> bool:
        """Whether all budgets are spent."""
        return all(training.is_done for training in self.trainings.values())

    def save(self, run: Path) -> None:
        """Writes a checkpoint; that of a run's end holds nothing that only learning needs."""
        state: dict[str, Any] = {
            "steps": self.steps,
            "tasks": {name: training.state() for name, training in self.trainings.items()},
            "torch": encode_bytes(torch.get_rng_state()),
        }
        tensors: dict[str, torch.Tensor] = {}
        if not self.is_done:
            for name, training in self.trainings.items():
                own = training.learner.tensors()
                tensors |= {f"{name}/{key}": tensor for key, tensor in own.items()}
        save_checkpoint(run, self.steps, self.agent, self.optimizer, state, tensors)

    def restore(self, run: Path) -> None:
        """Goes back to the run's last checkpoint.

        Raises:
            ValueError: the checkpoint is damaged, or of another vocabulary.
        """
        checkpoint = latest_checkpoint(run)
        file = checkpoint / "state.json"
        with read_as_checkpoint(file):
            states = read_state(checkpoint)["tasks"]
            digests = {name: states[name]["vocabulary_digest"] for name in self.trainings}
        for name, training in self.trainings.items():
            training.check_vocabulary(digests[name], checkpoint)
        state, tensors = load_checkpoint(checkpoint, self.agent, self.optimizer)
        with read_as_checkpoint(file):
            for name, training in self.trainings.items():
                training.set_state(state["tasks"][name])
                prefix = f"{name}/"
                own = {
                    key.removeprefix(prefix): tensor
                    for key, tensor in tensors.items()
                    if key.startswith(prefix)
                }
                if own:
                    training.learner.set_tensors(own)
            torch.set_rng_state(decode_bytes(state["torch"]))


def train_jointly(
    joint: JointTraining, validations: Mapping[str, Validation], run: Path, *, resumed: bool
) -> None:
    """Trains to the end of all budgets, an update of each in turn, with checkpoints on the way."""
    curves = {
        name: Curve(training, validations[name], run / name, resumed=resumed, name=name)
        for name, training in joint.trainings.items()
    }
    measured: dict[str, dict[str, float]] = {
        name: {"steps": training.steps, "episodes": training.episodes}
        for name, training in joint.trainings.items()
    }
    saved = joint.steps if resumed else None
    rounds = 0
    while True:
        for name, curve in curves.items():
            curve.follow(measured[name])
        # Saved after it is measured: a resumed run measures no point of the curve twice.
        if joint.steps != saved and (rounds % joint.save_every == 0 or joint.is_done):
            joint.save(run)
        if joint.is_done:
            break
        for name, training in joint.trainings.items():
            if not training.is_done:
                started = time.monotonic()
                measured[name] = training.update()
                training.seconds += time.monotonic() - started
                curves[name].show(measured[name])
        rounds += 1
    for curve in curves.values():
        curve.close()
