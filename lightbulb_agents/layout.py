"""What an environment's observation holds, as far as a network must know it to be built."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete

KNOWN = ("tokens", "selected", "action_mask", "features", "words", "article", "draft")
"""Keys with a meaning of their own; all others are vectors."""


@dataclass(frozen=True)
class Layout:
    """Sizes of the parts of an observation, and of an action."""

    actions: int
    """Logits: the actions, or the sentences and STOP."""
    places: int = 1
    """Places of a slate."""
    vectors: tuple[str, ...] = ("budget",)
    """Named vectors, in the order in which a network reads them."""
    vector_width: int = 1
    features: int = 0
    """Features of a sentence."""
    writes: bool = False
    """Whether actions are words, told in `words`, of an `article` in actions, for a `draft`."""
    is_subset: bool = False
    """Whether an action says of every sentence whether it is in: its mask has no place for STOP."""
    in_order: bool = False
    """Whether an episode reveals the rows of its tokens one after the other, and changes none."""

    @staticmethod
    def of_engine(engine: Any) -> "Layout":
        """Returns the layout of an engine's spaces; TypeError if no network can act in them."""
        layout = Layout.of(engine.observation_space, engine.action_space)
        return replace(layout, in_order=bool(getattr(engine, "reveals_in_order", False)))

    @staticmethod
    def of(observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]) -> "Layout":
        """Returns the layout of spaces; TypeError if no network can act in them."""
        if not isinstance(observation_space, Dict) or not (
            {"tokens", "action_mask"} <= observation_space.keys()
        ):
            raise TypeError(
                "an agent needs a Dict observation with `tokens` (S, T) and `action_mask`, got "
                f"{observation_space}"
            )
        vectors: dict[str, int] = {}
        for name, space in observation_space.items():
            if name in KNOWN:
                continue
            if not isinstance(space, Box) or len(space.shape) != 1:
                raise TypeError(
                    f"observation {name!r} must be a vector, a Box of one dimension, got {space}"
                )
            vectors[name] = int(space.shape[0])
        features = observation_space.spaces.get("features")
        return Layout(
            actions=_logits(action_space),
            places=len(action_space.nvec) if isinstance(action_space, MultiDiscrete) else 1,
            vectors=tuple(sorted(vectors)),
            vector_width=sum(vectors.values()),
            writes=_writes(observation_space),
            is_subset=isinstance(action_space, MultiBinary),
            features=0 if features is None else int(features.shape[-1]),  # type: ignore[index]
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the layout as plain data."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Layout":
        """Returns the layout of plain data."""
        return Layout(**{**data, "vectors": tuple(data["vectors"])})


def _writes(space: Dict) -> bool:
    told = {"words", "article", "draft"} & space.keys()
    if told and len(told) < 3:
        raise TypeError(
            "where actions are words, an agent needs all of `words` (W, P), `article` (S, T) and "
            f"`draft` (budget,), got {', '.join(sorted(told))} alone"
        )
    return bool(told)


def _logits(space: gymnasium.Space[Any]) -> int:
    if isinstance(space, Discrete):
        return int(space.n)
    if isinstance(space, MultiDiscrete):
        return int(np.max(space.nvec))
    if isinstance(space, MultiBinary):
        return int(np.prod(space.shape)) + 1  # and STOP, which a pointer scores too
    if isinstance(space, Box) and len(space.shape) == 1:
        return int(space.shape[0])
    raise TypeError(
        "an agent acts in Discrete, MultiDiscrete and MultiBinary spaces, and in a Box of one "
        f"dimension, got {space}"
    )
