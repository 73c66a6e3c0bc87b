"""An environment as OpenEnv serves it: an answer is the action, text is the observation.

    env = ServedEnv("Lightbulb/NewsSummariser-v0", level=1)
    observation = env.reset(seed=0)
    observation = env.step(TextAction(text="3"))

`openenv_server` puts it behind a port.
"""

import importlib.metadata
from reprlib import repr as shorten
from typing import Any

from lightbulb_envs.adapters.text import make_text_env

try:
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State
    from pydantic import Field, ValidationError
except ImportError as error:
    raise ImportError(
        "serving environments needs openenv-core: pip install 'lightbulb[openenv]'"
    ) from error


class TextAction(Action):
    """An answer, as the task asks for it; what cannot be read is paid as an illegal action."""

    text: str

    @classmethod
    def model_validate(cls, obj: Any, **settings: Any) -> "TextAction":
        """Returns an action from plain data; TypeError says what is wrong with it.

        Of pydantic's own error OpenEnv tells a client no more than "Invalid message".
        """
        try:
            action: TextAction = super().model_validate(obj, **settings)
        except ValidationError as error:
            raise TypeError(
                f'an action is {{"text": "3"}}, with a string and no other field but "metadata", '
                f"got {shorten(obj)}"
            ) from error
        return action


class TextObservation(Observation):
    """What there is to know, in words. OpenEnv puts `reward` and `done` beside it."""

    prompt: str
    """All of it: the task, the article, the draft, what is left, and the legal answers."""
    messages: list[dict[str, str]]
    """The episode so far as a chat, with the roles system, user and assistant."""
    instance: int
    answer_error: str = ""
    """Why the newest answer was illegal, in one line."""
    truncated: bool = False
    """Whether it is done for the time limit."""
    reward_parts: dict[str, float] = Field(default_factory=dict)
    """What the newest answer was paid for: adds up to the reward, in this order."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """What is measured besides, once an episode has terminated."""


class EpisodeState(State):
    """Which episode this is, and where it stands. OpenEnv adds `episode_id` and `step_count`."""

    env_id: str
    settings: dict[str, Any]
    instance: int | None = None
    episode_return: float = 0.0
    has_ended: bool = False


class ServedEnv(Environment):
    """Episodes of one id, one after the other; each of a server's sessions has its own.

    Args:
        env_id: the environment's id.
        **settings: its keywords.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True  # nothing that changes is shared by two environments

    def __init__(self, env_id: str, **settings: Any):
        super().__init__()
        self._env = make_text_env(env_id, **settings)
        self._state = EpisodeState(env_id=env_id, settings=settings)

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        instance: int | None = None,
        **unknown: Any,
    ) -> TextObservation:
        """Starts an episode: of an instance, of a seed's first, or of whatever is next.

        Args:
            seed: as in Gymnasium; the next resets go on from it.
            episode_id: a name for the episode, which `state` tells again.
            instance: which document.

        Raises:
            TypeError: an argument that there is none of.
        """
        if unknown:
            raise TypeError(
                f"reset takes seed, episode_id and instance, and got {', '.join(unknown)}: "
                "keywords of the environment are given to the server"
            )
        options = None if instance is None else {"instance": instance}
        prompt, info = self._env.reset(seed=seed, options=options)
        self._state = EpisodeState(
            episode_id=episode_id,
            env_id=self._state.env_id,
            settings=self._state.settings,
            instance=info["instance"],
        )
        return TextObservation(prompt=prompt, messages=info["messages"], instance=info["instance"])

    def step(self, action: TextAction, timeout_s: float | None = None) -> TextObservation:
        """Takes an answer.

        Args:
            action: the answer.
            timeout_s: OpenEnv's, for actions that take long; these do not.

        Raises:
            TypeError: an action of another type.
            RuntimeError: no episode has begun, or it has ended.
        """
        if self._state.instance is None:
            raise RuntimeError(
                "no episode has begun: call reset first, on the same connection. Over HTTP each "
                "request has an environment of its own; episodes are played over the WebSocket /ws"
            )
        if not isinstance(action, TextAction):
            raise TypeError(
                f"an action is a TextAction, got {type(action).__name__}: write "
                'TextAction(text="3")'
            )
        prompt, reward, terminated, truncated, info = self._env.step(action.text)
        self._state.step_count += 1
        self._state.episode_return += reward
        self._state.has_ended = terminated or truncated
        return TextObservation(
            prompt=prompt,
            messages=info["messages"],
            instance=info["instance"],
            answer_error=info["answer_error"],
            truncated=truncated,
            reward_parts=info["reward_parts"],
            metrics=info.get("metrics", {}),
            reward=reward,
            done=terminated or truncated,
        )

    @property
    def state(self) -> EpisodeState:
        """Where the episode stands."""
        return self._state

    def get_metadata(self) -> EnvironmentMetadata:
        """Returns the id, the task in words, and the version of this package."""
        return EnvironmentMetadata(
            name=self._state.env_id,
            description=self._env.task,
            version=importlib.metadata.version("lightbulb"),
        )

    def close(self) -> None:
        """Closes the environment."""
        self._env.close()
