"""One row of an engine at a time, in plain numbers: what a single environment does at every step.

Arrays of one row cost more to make than the step that fills them. An engine may therefore offer
`one_row(row)`, a `OneRow` of its own; `open_row` makes one of any engine's arrays.
"""

from typing import Any, Protocol

import numpy as np

from lightbulb_envs.actions import as_batch
from lightbulb_envs.engines.engine import Engine, Observation, Step, offers

Paid = tuple[float, dict[str, float], bool, bool, bool]
"""What a step pays and ends: reward, parts, terminated, truncated, is_illegal; see `Step`."""


class OneRow(Protocol):
    """An engine's row; what its methods do and raise, the engine's own of the same name say."""

    def reset(self, instance: int) -> None:
        """Starts an episode."""

    def step(self, action: Any) -> Paid:
        """Takes one action."""

    def observe(self) -> Observation:
        """Returns fresh arrays of the observation."""

    def instance(self) -> int:
        """Returns the instance that the episode is about."""


class RowOfArrays:
    """A row of any engine."""

    def __init__(self, engine: Engine, row: int):
        self._engine = engine
        self._rows = np.array([row])

    def reset(self, instance: int) -> None:
        self._engine.reset(self._rows, np.array([instance]))

    def step(self, action: Any) -> Paid:
        step = self._engine.step(self._rows, as_batch([action], self._engine.action_space))
        return first_of(step, self._engine.part_names)

    def observe(self) -> Observation:
        return {name: array[0] for name, array in self._engine.observe(self._rows).items()}

    def instance(self) -> int:
        return int(self._engine.instance(self._rows)[0])


def first_of(step: Step, names: tuple[str, ...]) -> Paid:
    """Returns what the first row of a step is paid, its parts by name."""
    return (
        float(step.reward[0]),
        dict(zip(names, step.parts[0].tolist(), strict=True)),
        bool(step.terminated[0]),
        bool(step.truncated[0]),
        bool(step.is_illegal[0]),
    )


def open_row(engine: Any, row: int) -> OneRow:
    """Returns a row of an engine: the engine's own way to it, if it has one."""
    if offers(engine, "one_row", "reset", "step", "observe", "instance"):
        opened: OneRow = engine.one_row(row)
        return opened
    return RowOfArrays(engine, row)
