"""A model that reads and writes text as an `Actor`: it is told what `TextWrapper` tells.

    model = load_language_model(folder)  # of `language_folder`; or anything with `answer`
    engine = lightbulb_envs.make_engine("Lightbulb/NewsSummariser-v0", 64, split="test")
    episodes = roll_out(LanguageActor(model, engine), engine, np.arange(500), seed=0)

An answer that stands for no action is an action of None: `lightbulb_envs.engines.refusals` says
what it costs, and an episode so is what the same answers make of it through `TextWrapper`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from gymnasium.spaces import Text
from numpy.typing import NDArray

from lightbulb_envs.actions import are_legal, as_batch, as_objects
from lightbulb_envs.adapters.conversation import Conversation, Messages
from lightbulb_envs.adapters.prompts import make_engine_prompt
from lightbulb_envs.answers import RefusedError
from lightbulb_envs.engines.engine import Engine, Observation
from lightbulb_envs.engines.refusals import refusal_penalty

History = Literal["chat", "state"]


class TextModel(Protocol):
    """Anything that answers chats."""

    def answer(
        self, chats: Sequence[Messages], generators: Sequence[np.random.Generator]
    ) -> Sequence[str]:
        """Returns an answer to every chat, each drawn with the generator of its own if at all."""


@dataclass(frozen=True)
class AnswerCounts:
    """How a model answered."""

    answers: int = 0
    refused: int = 0
    """Answers that stood for no action."""
    illegal: int = 0
    """Answers that stood for an action which was not legal."""
    first_refusal: str = ""
    """Why the first one was refused."""

    def __str__(self) -> str:
        told = (
            f"{self.answers} answers: {self.refused} stood for no action, {self.illegal} for one "
            "that was not legal"
        )
        return f"{told} (the first: {self.first_refusal})" if self.first_refusal else told


@dataclass
class _Turn:
    """An episode that is being played, and the last answer in it."""

    instance: int
    conversation: Conversation
    number: int = 0
    answer: str = ""
    error: str = ""


class LanguageActor:
    """Acts by the answers of a model.

    It needs `info["episode"]`, as `roll_out` gives it, to know whose turn follows which.

    Args:
        model: what answers.
        engine: the environment that it acts in, or another of the same id and settings.
        history: "chat", the episode so far, every answer in it; or "state", what is known now and
            nothing before it, in one message that is no longer at the end than at the start.
        task: what may be done, and how to answer. Default: the environment's own words.

    Raises:
        ValueError: the environment cannot be told in words, or does not say what an answer costs
            that stands for no action.
    """

    def __init__(
        self,
        model: TextModel,
        engine: Engine,
        *,
        history: History = "chat",
        task: str | None = None,
    ):
        if history not in ("chat", "state"):
            raise ValueError(f'history must be "chat" or "state", got {history!r}')
        self.model = model
        is_free = isinstance(engine.action_space, Text)  # where every answer is an action
        self._prompt = make_engine_prompt(engine, 0.0 if is_free else refusal_penalty(engine))
        self._space = engine.action_space
        self._history, self._task = history, task
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self._entropy = np.random.SeedSequence(seed).entropy
        self._turns: dict[int, _Turn] = {}
        self.counts = AnswerCounts()
        """What was answered since the reset."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[Any]:
        if "episode" not in info:
            raise ValueError(
                'a language model needs info["episode"] (N,), a number of its own for every '
                "episode, to know what was said in it: roll_out gives it"
            )
        count = len(observation["action_mask"])
        rows = [{name: array[row] for name, array in observation.items()} for row in range(count)]
        numbers = [int(number) for number in info["episode"]]
        instances = [int(instance) for instance in info["instance"]]
        turns = [self._turn(*one) for one in zip(numbers, instances, rows, strict=True)]
        self._turns = dict(zip(numbers, turns, strict=True))  # the others have ended
        is_chat = self._history == "chat"
        chats = [
            list(turn.conversation.messages if is_chat else turn.conversation.last_state())
            for turn in turns
        ]
        draws = [self._generator(*one) for one in zip(numbers, turns, strict=True)]
        answers = self.model.answer(chats, draws)
        if len(answers) != count:
            raise ValueError(f"the model was asked {count} times and gave {len(answers)} answers")
        actions = [self._read(*one) for one in zip(turns, rows, answers, strict=True)]
        if all(action is not None for action in actions):
            return as_batch(actions, self._space)
        return as_objects(actions)

    def _turn(self, number: int, instance: int, row: dict[str, NDArray[Any]]) -> _Turn:
        """Returns an episode, with what its last answer led to."""
        turn = self._turns.get(number)
        if turn is None:
            first = Conversation(self._prompt, row, row["action_mask"], self._task)
            return _Turn(instance, first)
        if turn.instance != instance:
            raise ValueError(
                f'info["episode"] is {number} for instance {instance}, and was so for instance '
                f"{turn.instance}: give every episode a number of its own, or call reset"
            )
        turn.conversation.add(turn.answer, row, row["action_mask"], turn.error)
        turn.number += 1
        return turn

    def _generator(self, number: int, turn: _Turn) -> np.random.Generator:
        """Returns the generator of a turn of an episode; no other row moves what it draws."""
        key = np.random.SeedSequence(self._entropy, spawn_key=(number, turn.number))
        return np.random.default_rng(key)

    def _read(self, turn: _Turn, row: dict[str, NDArray[Any]], answer: str) -> Any:
        """Returns the action that an answer stands for, None for none."""
        action: Any = None
        turn.answer, turn.error = answer, ""
        try:
            action = turn.conversation.read(answer)
        except RefusedError as refusal:
            turn.error = str(refusal)
        else:
            if not are_legal(self._space, row["action_mask"][None], np.array([action]))[0]:
                turn.error = turn.conversation.reason(action)
        is_refused = action is None
        self.counts = replace(
            self.counts,
            answers=self.counts.answers + 1,
            refused=self.counts.refused + is_refused,
            illegal=self.counts.illegal + (bool(turn.error) and not is_refused),
            first_refusal=self.counts.first_refusal or (turn.error if is_refused else ""),
        )
        return action
