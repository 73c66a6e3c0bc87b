"""Reviews that are judged at one stroke: what is shown is shown at once, and one action ends it.

An engine of this kind says how many chunks are shown and what an action is worth.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import check_actions, mask_shape, to_plain
from lightbulb_envs.engines.engine import Observation, Step, Taken
from lightbulb_envs.engines.sentiment import SentimentEngine
from lightbulb_envs.summation import add_in_order


class OneAnswerEngine(SentimentEngine):
    """N reviews, an answer each; see `engines.engine.Engine` for the contract.

    `part_names` are what an answer is paid and, where an action may be illegal, what that costs.
    """

    reveals_in_order: ClassVar[bool] = False
    keeps_tokens: ClassVar[bool] = True

    def _count_reads(self) -> int:
        return 0

    def _count_shown(
        self, instances: NDArray[np.int64], length: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Returns how many chunks of texts of a length are shown; all of them."""
        return length

    def _judge(self, row: int, action: Any) -> float | None:
        """Takes note of a row's answer; returns what it is paid, None where it is illegal."""
        raise NotImplementedError

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given: its title and first chunks are shown."""
        super().reset(rows, instances)
        shown = self._count_shown(np.asarray(instances, dtype=np.int64), self._length[rows])
        self._is_read[rows] = np.arange(self._is_read.shape[1]) < shown[:, None]
        self._tokens[rows, 1:] = self._text[rows, 1:] * self._is_read[rows][:, :, None]

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one answer in every row given; a legal one ends the episode."""
        chosen = check_actions(actions, len(rows), self.action_space)
        if self._has_ended[rows].any():
            ended = rows[self._has_ended[rows]].tolist()
            raise RuntimeError(f"the episodes of rows {ended} have ended: call reset first")
        parts = np.zeros((len(rows), len(self.part_names)))
        is_illegal = np.zeros(len(rows), dtype=bool)
        self._steps[rows] += 1
        truncated = np.zeros(len(rows), dtype=bool)
        if self.max_steps is not None:
            truncated = self._steps[rows] >= self.max_steps
        for place, row in enumerate(rows.tolist()):
            action = to_plain(chosen[place])
            worth = self._judge(row, action)
            is_illegal[place] = worth is None
            if worth is None:
                parts[place, -1] = -self.config.illegal_penalty
            else:
                parts[place, 0] = worth
            self._taken[row].append(Taken(action, tuple(parts[place].tolist()), worth is None))
        self._has_ended[rows] = ~is_illegal | truncated
        reward = np.array([add_in_order(row) for row in parts.tolist()])
        return Step(reward, parts, ~is_illegal, truncated, is_illegal)

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        mask = np.ones((len(rows), *mask_shape(self.action_space)), dtype=np.int8)
        return {**super().observe(rows), "action_mask": mask}
