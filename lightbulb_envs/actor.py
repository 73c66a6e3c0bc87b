"""The contract of whatever acts: baselines, trained policies, other people's models."""

from typing import Any, Protocol

from numpy.typing import NDArray

from lightbulb_envs.engines.engine import Observation


class Actor(Protocol):
    """Chooses actions for a batch of episodes.

    `observation` is a dict of arrays with a leading axis of N, as vector environments return it.
    `info` holds at least "instance" (N,). The action of a row may depend on that row, and on
    draws of the actor's own, alone.
    """

    def reset(self, seed: int | None = None) -> None:
        """Forgets all episodes and seeds the actor's own draws."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[Any]:
        """Returns one action a row."""
