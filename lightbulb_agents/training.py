"""The training loop: collect, update, measure, save; and go on from where a run stopped."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lightbulb_agents.config import TrainConfig
from lightbulb_agents.layout import Layout
from lightbulb_agents.learner import make_learner
from lightbulb_agents.network import ArticleNetwork, make_network
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_backbones.runs.checkpoint import (
    decode_bytes,
    encode_bytes,
    latest_checkpoint,
    load_checkpoint,
    read_as_checkpoint,
    read_state,
    save_checkpoint,
)
from lightbulb_backbones.runs.live_line import LiveLine
from lightbulb_backbones.runs.metrics import Metrics
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.registry import check_head, find_row, make_engine
from lightbulb_envs.score import mean_returns, normalised_score, random_returns

COLUMNS = (
    "steps",
    "episodes",
    "seconds",
    "score",
    "validation_return",
    "training_return",
    "episode_length",
    "actor_loss",
    "value_loss",
    "entropy",
    "learning_rate",
    "epsilon",
)
"""What a training measures of itself."""
VALIDATION_DOCUMENTS = 200
_VALIDATION_RANDOM = 20
_MEASURED_AT = (0.0, 0.01, 0.02, 0.04, 0.07, *(step / 20 for step in range(2, 21)))
"""Points of the learning curve, as shares of the budget: denser where learning is fast."""


@dataclass
class Validation:
    """Documents for the learning curve, with the returns between which it is normalised."""

    engine: Engine
    instances: NDArray[np.int64]
    random: NDArray[np.float64]
    oracle: NDArray[np.float64]
    split: str
    """"validation", or "train" where the files name no validation documents."""

    @staticmethod
    def prepare(env_id: str, settings: dict[str, Any]) -> "Validation":
        """Plays the baselines on the first validation documents."""
        source = settings.get("source")
        has_split = not isinstance(source, dict) or "validation" in source
        split = "validation" if has_split else "train"
        engine = make_engine(env_id, VALIDATION_DOCUMENTS, **{**settings, "split": split})
        available = engine.num_instances
        count = VALIDATION_DOCUMENTS if available is None else min(VALIDATION_DOCUMENTS, available)
        instances = np.arange(count)
        oracle = make_baseline("oracle", engine)
        return Validation(
            engine,
            instances,
            random_returns(engine, instances, rollouts=_VALIDATION_RANDOM),
            mean_returns(oracle, engine, instances),
            split,
        )

    def measure(self, network: ArticleNetwork) -> tuple[float, float]:
        """Returns the network's mean return and its normalised score."""
        returns = mean_returns(NeuralActor(network), self.engine, self.instances)
        return float(returns.mean()), normalised_score(returns, self.random, self.oracle)


class Training:
    """Everything that a run needs to take its next step, and to be saved between two.

    Args:
        settings: keywords of the environment.
        network: what is trained. Default: a new one.
    """

    def __init__(
        self, config: TrainConfig, settings: dict[str, Any], network: ArticleNetwork | None = None
    ):
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)  # the one place: networks draw their weights from it
        self.config = config
        self.row = find_row(config.env)
        self.engine = make_engine(config.env, config.rows, **{**settings, "split": "train"})
        vocabulary = self.engine.source.vocabulary
        self.vocabulary = vocabulary
        self.layout = Layout.of_engine(self.engine)
        check_head(self.row, self.engine)
        self.network = network or make_network(
            config.algorithm(), vocabulary.size, self.row.head, self.layout, config.network()
        )
        if config.passages:
            from lightbulb_agents.background import give_background

            give_background(self.network, self.engine, config.passages)
        self.learner = make_learner(config, self.network, self.engine)
        self.steps = 0
        self.episodes = 0
        self.seconds = 0.0
        self.measured = 0

    def update(self) -> dict[str, float]:
        """Collects one episode a row and learns; returns what it measured."""
        measured = self.learner.update(self.steps)
        self.steps += int(measured["steps"])
        self.episodes += int(measured["episodes"])
        return {**measured, "steps": self.steps, "episodes": self.episodes}

    @property
    def is_done(self) -> bool:
        """Whether the budget is spent."""
        return self.steps >= self.config.steps()

    def state(self) -> dict[str, Any]:
        """Returns everything but tensors, as plain data."""
        return {
            "steps": self.steps,
            "episodes": self.episodes,
            "seconds": self.seconds,
            "measured": self.measured,
            "vocabulary_digest": self.vocabulary.digest,
            "learner": self.learner.state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes back to what `state` returned."""
        self.steps = state["steps"]
        self.episodes = state["episodes"]
        self.seconds = state["seconds"]
        self.measured = state["measured"]
        self.learner.set_state(state["learner"])

    def check_vocabulary(self, digest: str, checkpoint: Path) -> None:
        """Raises ValueError unless a checkpoint was trained in this vocabulary."""
        if digest != self.vocabulary.digest:
            raise ValueError(
                f"{checkpoint} was trained in the vocabulary {digest}, and the documents now give "
                f"{self.vocabulary.digest}: the training files have changed since; start a new run"
            )

    def save(self, run: Path, *, is_last: bool = False) -> None:
        """Writes a checkpoint; that of a run's end holds nothing that only learning needs."""
        state = {**self.state(), "torch": encode_bytes(torch.get_rng_state())}
        tensors = {} if is_last else self.learner.tensors()
        save_checkpoint(run, self.steps, self.network, self.learner.optimizer, state, tensors)

    def restore(self, run: Path) -> None:
        """Goes back to the run's last checkpoint.

        Raises:
            ValueError: the checkpoint is damaged, or of another vocabulary.
        """
        checkpoint = latest_checkpoint(run)
        with read_as_checkpoint(checkpoint / "state.json"):
            digest = read_state(checkpoint)["vocabulary_digest"]
        self.check_vocabulary(digest, checkpoint)
        state, tensors = load_checkpoint(checkpoint, self.network, self.learner.optimizer)
        with read_as_checkpoint(checkpoint / "state.json"):
            self.set_state(state)
            torch.set_rng_state(decode_bytes(state["torch"]))
            if tensors:
                self.learner.set_tensors(tensors)


class Curve:
    """The learning curve of a training, measured as it learns, and its line of progress."""

    def __init__(
        self,
        training: Training,
        validation: Validation,
        run: Path,
        *,
        resumed: bool,
        name: str = "",
    ):
        self._training, self._validation = training, validation
        self._metrics = Metrics(run, COLUMNS, training.steps if resumed else None)
        self._line = LiveLine(training.config.steps(), training.steps)
        self._told = f"{name} {validation.split}".strip()
        rows = self._metrics.rows
        self._score = float(rows[-1]["score"]) if rows else None

    def follow(self, measured: Mapping[str, float]) -> None:
        """Measures a point if one is due after an update that measured this."""
        training, total = self._training, self._training.config.steps()
        due = sum(share * total <= training.steps for share in _MEASURED_AT)
        if due > training.measured:
            training.measured = due
            validation_return, self._score = self._validation.measure(training.network)
            curve = {"score": self._score, "validation_return": validation_return}
            seconds = round(training.seconds, 1)
            self._metrics.write({**measured, "seconds": seconds, **curve})

    def show(self, measured: Mapping[str, float]) -> None:
        """Shows how far it is."""
        score = f"{self._score:5.1f}" if self._score is not None else "    –"
        told = f"{self._told} score {score}   training return {measured['training_return']:.3f}"
        self._line.show(self._training.steps, told)

    def close(self) -> None:
        """Ends the files and the line."""
        self._metrics.close()
        self._line.close()


def train(training: Training, validation: Validation, run: Path, *, resumed: bool) -> None:
    """Trains to the end of the budget, with a checkpoint now and then and at the end."""
    curve = Curve(training, validation, run, resumed=resumed)
    saved = training.steps if resumed else None
    started = time.monotonic() - training.seconds
    updates = 0
    measured: dict[str, float] = {"steps": training.steps, "episodes": training.episodes}
    while True:
        training.seconds = time.monotonic() - started
        curve.follow(measured)
        # Saved after it is measured: a resumed run measures no point of the curve twice.
        # And never over the checkpoint that it was resumed from.
        if training.steps != saved and (
            updates % training.learner.save_every == 0 or training.is_done
        ):
            training.save(run, is_last=training.is_done)
        if training.is_done:
            break
        measured = training.update()
        updates += 1
        curve.show(measured)
    curve.close()
