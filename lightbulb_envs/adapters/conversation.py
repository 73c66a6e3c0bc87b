"""One episode in words: all that an agent which reads and writes text is told, turn by turn.

`TextWrapper` holds one over a single environment, an actor one a row of a batch: what is told is
written here and in `prompts`, and nowhere else.
"""

import re
from typing import Any

from numpy.typing import NDArray

from lightbulb_envs.adapters.prompts import Prompt

Messages = list[dict[str, str]]
"""A chat: {"role": "system", "user" or "assistant", "content": str}, in order."""
_SURROGATES = re.compile("[\ud800-\udfff]")


class Conversation:
    """An episode so far, from the observation it started with.

    Args:
        prompt: words for the environment.
        observation: what is observed at the start.
        mask: which actions are legal, None if nobody says.
        task: what may be done, and how to answer. Default: the prompt's own words.
    """

    def __init__(
        self, prompt: Prompt, observation: Any, mask: NDArray[Any] | None, task: str | None = None
    ):
        self._prompt = prompt
        self._task = prompt.task if task is None else task
        self._opening = prompt.opening(observation)
        self.see(observation, mask)
        self.messages: Messages = self.last_state()
        """The episode so far as a chat."""

    def _state(self) -> str:
        state = self._prompt.state(self._observation, self._mask, has_ended=self._has_ended)
        return f"Your last answer was not taken: {self._error}.\n{state}" if self._error else state

    def text(self) -> str:
        """Returns all that there is to know now."""
        return _joined(self._task, self._opening, self._state())

    def last_state(self) -> Messages:
        """Returns all that there is to know now as a chat of its own, without what came before."""
        return [
            {"role": "system", "content": self._task},
            {"role": "user", "content": _joined(self._opening, self._state())},
        ]

    def read(self, answer: str) -> Any:
        """Returns the action that an answer stands for; RefusedError if it stands for none."""
        return self._prompt.answers.parse(answer)

    def reason(self, action: Any) -> str:
        """Returns why an action is not legal now, in one line."""
        return self._prompt.reason(action, self._observation)

    def add(
        self,
        answer: str,
        observation: Any,
        mask: NDArray[Any] | None,
        error: str = "",
        *,
        has_ended: bool = False,
    ) -> None:
        """Adds a turn: an answer, and what it led to.

        Args:
            answer: what the agent said.
            observation: what is observed after it.
            mask: which actions are legal after it.
            error: why it was illegal, in one line, "" if it was legal.
            has_ended: whether the episode has ended.
        """
        self.see(observation, mask, error, has_ended=has_ended)
        self.messages += (
            {"role": "assistant", "content": _SURROGATES.sub("\ufffd", answer)},
            {"role": "user", "content": self._state()},
        )

    def see(
        self,
        observation: Any,
        mask: NDArray[Any] | None,
        error: str = "",
        *,
        has_ended: bool = False,
    ) -> None:
        """Makes this what is known now, without a turn."""
        self._observation, self._mask = observation, mask
        self._error, self._has_ended = error, has_ended


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
