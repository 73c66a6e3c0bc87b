"""Environments for TRL: a language model plays by calling a tool, `answer`.

    factory = environment_factory("Lightbulb/NewsSummariser-v0", level=1)
    trainer = GRPOTrainer(
        model,
        reward_funcs=episode_returns,
        train_dataset=Dataset.from_list(factory.rows(512, seed=0)),
        environment_factory=factory,
        args=...,
    )

`docs/language_models.md` has the whole of it. The trainer repeats a row of its data set for each
rollout of a group, gives each rollout an environment of its own, and hands the row's columns to
`reset`. So it is the row that says which instance a group plays, and a row that leaves it to chance
is refused: returns of different articles say nothing about which rollout was better.

Nothing here imports TRL.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lightbulb_envs.adapters.gym_env import TextEnv
from lightbulb_envs.adapters.text import make_text_env
from lightbulb_envs.instances import InstanceStream

_CALLING = (
    "Give every answer by calling the tool `answer`, and go on until it says that the episode has "
    "ended."
)
Row = dict[str, Any]


class TrlEnv:
    """One rollout's episode at a time. What is public, and a method, a model may call as a tool.

    Args:
        env_id: the environment's id.
        **settings: its keywords.
    """

    def __init__(self, env_id: str, **settings: Any):
        self._env = make_text_env(env_id, **settings)
        self._begin({})

    def _begin(self, info: dict[str, Any]) -> None:
        self.info = info
        """A `TextWrapper`'s, of the newest step: "instance", "messages", "metrics" and more."""
        self.episode_return = 0.0
        """What the answers so far were paid."""
        self.reward_parts: dict[str, float] = {}
        """The same by what it was paid for."""
        self.has_ended = False

    def reset(self, *, instance: int | None = None, seed: int | None = None, **columns: Any) -> str:
        """Starts the episode of a row; returns what the user's message is to go on with.

        Args:
            instance: which document; or
            seed: the first document of that seed.
            **columns: all other columns of the row, which are nothing to the environment.

        Raises:
            ValueError: a row that names neither, or both.
        """
        if (instance is None) == (seed is None):
            raise ValueError(
                "a row must have an instance or a seed, and not both, so that all rollouts of its "
                f"group play the same episode; got instance={instance!r}, seed={seed!r} and "
                f"{', '.join(columns) or 'no column'} besides: environment_factory(...).rows(...) "
                "makes rows"
            )
        options = None if instance is None else {"instance": instance}
        _, info = self._env.reset(seed=seed, options=options)
        self._begin(info)
        return self._told()

    def answer(self, text: str) -> str:
        """Gives an answer, and tells what it has changed and which answers are legal now.

        Args:
            text: The answer, written as the task asks for it.

        Returns:
            What is seen after the answer.
        """
        if self.has_ended:
            raise RuntimeError(
                "the episode has ended, and takes no more answers: do not call again"
            )
        _, reward, terminated, truncated, self.info = self._env.step(text)
        self.has_ended = terminated or truncated
        self.episode_return += reward
        for name, value in self.info["reward_parts"].items():
            self.reward_parts[name] = self.reward_parts.get(name, 0.0) + value
        return self._told()

    def _told(self) -> str:
        return str(self.info["messages"][-1]["content"])


class EnvironmentFactory:
    """Makes the environments of rollouts, and the data set that they are reset with."""

    def __init__(self, env_id: str, settings: dict[str, Any]):
        self.env_id, self.settings = env_id, settings

    def __call__(self) -> TrlEnv:
        """Returns an environment for one rollout at a time."""
        return TrlEnv(self.env_id, **self.settings)

    def rows(self, count: int, seed: int) -> list[Row]:
        """Returns a data set for the trainer: a "prompt" and an "instance" a row.

        The instances are those that `gymnasium.make` plays with the same settings when it is reset
        with `seed`, and then without one: the first n of them are the same for every `count`.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, got {count}")
        env = make_text_env(self.env_id, **self.settings)
        inner = env.unwrapped
        assert isinstance(inner, TextEnv)
        stream = InstanceStream(1, inner.engine.num_instances)
        stream.seed(seed)
        system = f"{env.task}\n{_CALLING}"
        return [
            {
                # `reset` tells the article, and the trainer adds it to the last message.
                "prompt": [
                    {"role": "system", "content": system},
                    {"role": "user", "content": ""},
                ],
                "instance": stream.draw_one(0),
            }
            for _ in range(count)
        ]


def environment_factory(env_id: str, **settings: Any) -> EnvironmentFactory:
    """Returns what `GRPOTrainer(environment_factory=...)` takes; `settings` are the id's keywords.

    Raises:
        TypeError, ValueError: no such id or keyword.
    """
    make_text_env(env_id, **settings)  # that what is wrong is said here, and not in a trainer
    return EnvironmentFactory(env_id, settings)


def episode_returns(
    environments: Sequence[Any],
    log_metric: Callable[[str, float], None] | None = None,
    **columns: Any,
) -> list[float | None]:
    """Returns each rollout's return: a reward function for the trainer.

    What is no `TrlEnv` has None, which the trainer leaves out, so that a run may mix environments
    of ours with others. The trainer also logs the mean of every part of the reward, and the share
    of the episodes that have ended: a rollout may fall silent, or be cut, before that.

    Args:
        environments: those of the rollouts, as the trainer gives them.
        log_metric: logs a number by its name, as the trainer gives it.
        **columns: all else that the trainer gives.
    """
    ours = [one for one in environments if isinstance(one, TrlEnv)]
    if log_metric is not None and ours:
        names = dict.fromkeys(name for one in ours for name in one.reward_parts)
        for name in names:
            parts = [one.reward_parts.get(name, 0.0) for one in ours]
            log_metric(f"reward_parts/{name}", float(np.mean(parts)))
        log_metric("has_ended", float(np.mean([one.has_ended for one in ours])))
    return [one.episode_return if isinstance(one, TrlEnv) else None for one in environments]


def ended(environments: Sequence[Any], **columns: Any) -> list[float | None]:
    """Returns 1 for each rollout whose episode has ended, 0 for others: one more reward function.

    Falling silent is free, and a wrong label costs 1: where that tempts, in the reader's tasks,
    add this one, with a weight by `GRPOConfig(reward_weights=...)`.
    """
    return [float(one.has_ended) if isinstance(one, TrlEnv) else None for one in environments]
