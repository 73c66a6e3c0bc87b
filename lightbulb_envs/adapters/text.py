"""Environments in text, for language models and people: a string in, a string out.

    import gymnasium
    import lightbulb_envs
    from lightbulb_envs.adapters.text import TextWrapper

    env = TextWrapper(gymnasium.make("Lightbulb/NewsSummariser-v0"))
    prompt, info = env.reset(seed=0)
    prompt, reward, terminated, truncated, info = env.step("I pick sentence 3.")

`make_text_env(id, **settings)` does both of the first line, for the adapters to other frameworks.
`answers` says how an answer is read, `prompts` what is told. Batches are Gymnasium's
`SyncVectorEnv`, or its `AsyncVectorEnv` with `shared_memory=False`.

An answer that stands for no action never reaches the environment: it may have no illegal action
to take instead (where every sentence fits, each choice of them is legal), and to put one in the
agent's mouth would not be honest. It is a step of the wrapper: the observation stays, the penalty
is the reward and its part "illegal_action", and it counts towards the time limit. An episode's
return is so that of its actions, which `info["action"]` has for replaying, less one penalty for
every step without.
"""

import copy
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from lightbulb_envs.actions import Space, are_legal, mask_shape, to_plain
from lightbulb_envs.adapters.conversation import Conversation
from lightbulb_envs.adapters.gym_env import TextEnv
from lightbulb_envs.adapters.prompts import make_prompt
from lightbulb_envs.answers import RefusedError
from lightbulb_envs.engines.refusals import illegal_penalty as own_penalty
from lightbulb_envs.engines.summarise import ILLEGAL
from lightbulb_envs.text_space import UnicodeText

_MOST_READ, _MOST_TOLD = 1 << 20, 1 << 24
"""Characters of an answer and of an observation that the spaces allow; `step` takes any string."""

Step = tuple[str, float, bool, bool, dict[str, Any]]


class TextWrapper(gymnasium.Wrapper[str, str, Any, Any], RecordConstructorArgs):
    """Any environment of ours, or one of others with a Discrete action space, in text.

    An observation is all that there is to know: the task, the article, the draft, what is left,
    and the legal answers. `info` also holds "messages", the episode so far as a chat: a list of
    {"role": "system", "user" or "assistant", "content": str}, and after a step "answer_error", ""
    or in one line why the answer was illegal, and "action", as plain data, if one was taken.

    Args:
        env: the environment, with its time limit.
        task: what may be done, and how to answer. Default: words of our own.
        illegal_penalty: what an answer that stands for no action costs, in an environment of
            others; one of ours says itself what illegal actions cost.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        task: str | None = None,
        illegal_penalty: float | None = None,
    ):
        RecordConstructorArgs.__init__(self, task=task, illegal_penalty=illegal_penalty)
        gymnasium.Wrapper.__init__(self, env)
        self._inner = env.unwrapped if isinstance(env.unwrapped, TextEnv) else None
        self._inner_space: Space = env.action_space
        self._penalty = self._find_penalty(illegal_penalty)
        self._prompt = make_prompt(env, self._penalty)
        self._task = task
        limit = env.spec.max_episode_steps if env.spec is not None else None
        self._limit = limit if limit is not None and limit > 0 else None
        self.observation_space = UnicodeText(_MOST_TOLD)
        self.action_space = UnicodeText(_MOST_READ)
        self._observation: Any = None
        self._info: dict[str, Any] | None = None

    @property
    def task(self) -> str:
        """What may be done, and how to answer: the chat's system message."""
        return self._prompt.task if self._task is None else self._task

    def _find_penalty(self, given: float | None) -> float:
        """Returns what an answer that stands for no action costs."""
        own = None if self._inner is None else own_penalty(self._inner.engine)
        if own is not None and given is not None:
            raise ValueError(
                f"illegal actions cost {own} here: set the environment's own illegal_penalty="
            )
        penalty = own if given is None else given
        if penalty is None and isinstance(self._inner_space, gymnasium.spaces.Text):
            penalty = 0.0  # there is no illegal text
        if penalty is None:
            raise ValueError(
                "the environment does not say what an illegal action costs: give illegal_penalty="
            )
        if not 0 <= penalty < float("inf"):
            raise ValueError(f"illegal_penalty must be 0 or more, got {penalty}")
        return float(penalty)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Starts an episode, as the environment's own `reset` does."""
        return self._start(*self.env.reset(seed=seed, options=options))

    def _start(self, observation: Any, info: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self._see(observation, info)
        self._steps, self._error, self._has_ended = 0, "", False
        self._conversation = Conversation(self._prompt, self._observation, self._mask, self._task)
        return self._conversation.text(), self._with_messages(info)

    def _see(self, observation: Any, info: dict[str, Any]) -> None:
        self._observation, self._info = observation, copy.deepcopy(info)
        mask = observation.get("action_mask") if isinstance(observation, dict) else None
        self._mask: NDArray[Any] | None = info.get("action_mask") if mask is None else mask

    def _with_messages(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "messages": copy.deepcopy(self._conversation.messages)}

    def step(self, action: str) -> Step:
        """Takes an answer; RuntimeError after the end of an episode.

        Raises:
            TypeError: an answer that is no string. No string raises anything.
        """
        if not isinstance(action, str):
            raise TypeError(f"an answer is a string, got {type(action).__name__}")
        if self._info is None:
            raise ResetNeeded("call reset first")
        if self._has_ended:
            raise RuntimeError("the episode has ended: call reset first")
        try:
            taken = self._read(action)
        except RefusedError as refusal:
            reward, terminated, truncated, info = self._refuse(str(refusal))
        else:
            reward, terminated, truncated, info = self._take(taken)
        self._steps += 1
        truncated = truncated or (self._limit is not None and self._steps >= self._limit)
        self._has_ended = terminated or truncated
        self._conversation.add(
            action, self._observation, self._mask, self._error, has_ended=self._has_ended
        )
        return self._conversation.text(), reward, terminated, truncated, self._with_messages(info)

    def _read(self, answer: str) -> Any:
        """Returns the action that an answer stands for."""
        action = self._conversation.read(answer)
        if self._inner is None and not self._is_legal(action):  # which may do with it what it likes
            raise RefusedError(self._prompt.reason(action, self._observation))
        return action

    def _is_legal(self, action: Any) -> bool:
        if self._mask is None:
            return True
        first = int(getattr(self._inner_space, "start", 0))
        masks = np.asarray(self._mask).reshape(1, *mask_shape(self._inner_space))
        return bool(are_legal(self._inner_space, masks, np.array([action]) - first)[0])

    def _take(self, action: Any) -> tuple[float, bool, bool, dict[str, Any]]:
        """Steps the environment."""
        before = self._observation
        observation, reward, terminated, truncated, info = self.env.step(action)
        is_illegal = bool(info.get(ILLEGAL, False))
        self._error = self._prompt.reason(action, before) if is_illegal else ""
        self._see(observation, info)
        told = {ILLEGAL: is_illegal, **info, "action": to_plain(action)}
        told["answer_error"] = self._error
        return float(reward), terminated, truncated, told

    def _refuse(self, error: str) -> tuple[float, bool, bool, dict[str, Any]]:
        """Takes a step of the wrapper alone."""
        self._error = error
        info = {**copy.deepcopy(self._info or {}), ILLEGAL: True, "answer_error": error}
        if self._inner is not None:
            parts = dict.fromkeys(self._inner.engine.part_names, 0.0)
            info["reward_parts"] = {**parts, ILLEGAL: -self._penalty}
        return -self._penalty, False, False, info

    def snapshot(self) -> dict[str, Any]:
        """Returns the environment's snapshot and the episode's messages, as plain data."""
        return {
            "env": self.env.get_wrapper_attr("snapshot")(),
            "messages": copy.deepcopy(self._conversation.messages),
            "steps": self._steps,
            "error": self._error,
            "has_ended": self._has_ended,
        }

    def restore(self, snapshot: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Goes back to a snapshot; returns what `reset` would."""
        _, info = self._start(*self.env.get_wrapper_attr("restore")(snapshot["env"]))
        self._steps, self._error = snapshot["steps"], snapshot["error"]
        self._has_ended = snapshot["has_ended"]
        self._conversation.see(
            self._observation, self._mask, self._error, has_ended=self._has_ended
        )
        self._conversation.messages = copy.deepcopy(snapshot["messages"])
        return self._conversation.text(), self._with_messages(info)


def make_text_env(env_id: str, **settings: Any) -> TextWrapper:
    """Returns one of our environments in text; `settings` are its keywords.

    Raises:
        ValueError: no such id, or somebody else's; the message lists the ids there are.
    """
    try:
        # A first reset that raises breaks all steps to come of Gymnasium's passive checker.
        env = gymnasium.make(env_id, disable_env_checker=True, **settings)
    except gymnasium.error.UnregisteredEnv as error:
        raise ValueError(
            f"no environment is called {env_id!r} ({error}): there are {_our_ids()}; one of "
            'another package is there once its module is imported, and is found by "module:Id"'
        ) from None
    if not isinstance(env.unwrapped, TextEnv):
        raise ValueError(
            f"{env_id!r} is not one of Lightbulb's environments, which are {_our_ids()}: wrap "
            "others yourself, with TextWrapper(env, illegal_penalty=...)"
        )
    return TextWrapper(env)


def _our_ids() -> str:
    entry_point = f"{TextEnv.__module__}:{TextEnv.__name__}"
    ours = (one.id for one in gymnasium.registry.values() if one.entry_point == entry_point)
    return ", ".join(ours)
