"""Labelling in words: a whole text is shown, and what is written back is read for a label.

An episode is one answer, any text at all, which says the label that `label_answers` reads in it.
One that says none is paid as a wrong one is, and any ends the episode. For language models, whose
prompt `adapters.text.TextWrapper` writes.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.one_answer import OneAnswerEngine
from lightbulb_envs.engines.sentiment_config import LabelConfig
from lightbulb_envs.label_answers import read_label
from lightbulb_envs.text_space import UnicodeText

MOST_CHARACTERS = 1 << 16
"""Of an answer."""


@dataclass(frozen=True, kw_only=True)
class SentimentTextConfig(LabelConfig):
    """Keywords of labelling in words."""


class SentimentTextEngine(OneAnswerEngine):
    """N texts to be labelled in words; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = SentimentTextConfig
    baselines: ClassVar[str] = "lightbulb_envs.baselines.labelling:BASELINES"
    canaries: ClassVar[str] = "lightbulb_envs.baselines.labelling:CANARIES"
    part_names = ("answer",)

    def __init__(self, config: SentimentTextConfig, num_envs: int, max_steps: int | None = None):
        super().__init__(config, num_envs, max_steps)
        self.action_space = UnicodeText(MOST_CHARACTERS, examples=self.labels)
        told = {
            **self.observation_space.spaces,
            "action_mask": gymnasium.spaces.Box(0, 1, (1,), np.int8),
        }
        self.observation_space = gymnasium.spaces.Dict(told)

    def _task(self) -> str:
        shown = "A text is shown. Say which label it has"
        if self.rules is not None:
            shown = "A review is shown. Say what it thinks of what it is about"
        return (
            f"{shown}: answer with one line, {' or '.join(self.labels)}. Reasoning may come first: "
            "the last line that says a label counts."
        )

    def _judge(self, row: int, action: Any) -> float:
        label = read_label(action, self.labels)
        self._answer[row] = -1 if label is None else label
        return 1.0 if label == self._label[row] else self.config.wrong

    def answer(self, row: int) -> str | None:
        """Returns the label that a row's answer says, "none" if none; None before an answer."""
        number = int(self._answer[row])
        if number >= 0:
            return self.labels[number]
        return "none" if self._taken[row] else None

    def told(self, action: str) -> str:  # type: ignore[override] # a text
        """Returns an answer on one line."""
        return " ".join(action.split())[:200]

    def _plan(self, row: int) -> tuple[NDArray[np.int64], float]:
        """Returns the label, counted from 0, for all chunks are shown, and what it is paid."""
        return np.full(int(self._length[row]) + 1, self._label[row]), 1.0

    def oracle_action(self, row: int) -> str:  # type: ignore[override] # a text
        """Returns the name of the label, which who knows the rules sees."""
        return self.labels[super().oracle_action(row)]

    def oracle_method(self, row: int) -> str:
        """Returns "exact": the whole text is shown, and its rules leave no doubt."""
        return "exact"
