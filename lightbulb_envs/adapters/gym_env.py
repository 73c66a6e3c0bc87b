"""One episode at a time: any engine as a `gymnasium.Env`."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import flat_mask
from lightbulb_envs.adapters.options import requested_instances
from lightbulb_envs.engines.engine import (
    Engine,
    Observation,
    ended_metrics,
    load_engine,
    make_config,
    tell_upcoming,
)
from lightbulb_envs.engines.one_row import open_row
from lightbulb_envs.instances import InstanceStream

RENDER_MODES = ("ansi", "html", "human")
_ROW = np.zeros(1, dtype=np.int64)


class TextEnv(gymnasium.Env[Any, Any]):
    """A Gymnasium environment over an engine of one row.

    `info` holds "instance" and "action_mask", and after a step "illegal_action" and "reward_parts",
    which add up to the reward in their order; after the last one also "metrics", if the engine
    measures any. `reset(options={"instance": i})` replays instance i.
    A time limit is Gymnasium's: `gymnasium.make` adds the id's own.

    Args:
        engine: "module:Class".
        render_mode: None, "ansi" (`render` returns text), "html" (it returns one self-contained
            page) or "human" (every step is printed).
        **settings: fields of the engine's config.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc] # as Gymnasium's own environments
        "render_modes": list(RENDER_MODES),
        "render_fps": 4,
    }

    def __init__(self, engine: str, render_mode: str | None = None, **settings: Any):
        modes = self.metadata["render_modes"]
        if render_mode is not None and render_mode not in modes:
            raise ValueError(f"render_mode must be None or one of {modes}, got {render_mode!r}")
        self.render_mode = render_mode
        engine_class = load_engine(engine)
        self.engine: Engine = engine_class(make_config(engine_class, settings), num_envs=1)
        self.observation_space = self.engine.observation_space
        self.action_space = self.engine.action_space
        self._row = open_row(self.engine, 0)
        self._instance = -1
        self._stream = InstanceStream(1, self.engine.num_instances)
        tell_upcoming(self.engine, self._stream.upcoming)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode: of the instance that options name, or of the seed's next."""
        if seed is not None:
            super().reset(seed=seed)
            self._stream.seed(seed)
        requested = None if options is None else requested_instances(options, 1)
        self._row.reset(self._stream.draw_one(0) if requested is None else int(requested[0]))
        if self.render_mode == "human":
            self._show()
        return self._observe()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Takes one action; RuntimeError after the end of an episode."""
        reward, parts, terminated, truncated, is_illegal = self._row.step(action)
        observation = self._row.observe()
        info = {
            "instance": self._instance,
            "action_mask": observation["action_mask"].copy(),
            "reward_parts": parts,
            "illegal_action": is_illegal,
        }
        if terminated:
            measured = ended_metrics(self.engine, _ROW)
            if measured:
                info["metrics"] = {name: values[0].item() for name, values in measured.items()}
        if self.render_mode == "human":
            self._show()
        return observation, reward, terminated, truncated, info

    def _observe(self) -> tuple[Observation, dict[str, Any]]:
        """Returns what is seen after a reset."""
        self._instance = self._row.instance()
        observation = self._row.observe()
        mask = observation["action_mask"].copy()
        return observation, {"instance": self._instance, "action_mask": mask}

    def _show(self) -> None:
        print(self.engine.render(0, "ansi"), flush=True)

    def render(self) -> str | None:
        """Returns the episode as text or as a page; mode "human" has printed it already."""
        if self.render_mode in (None, "human"):
            return None
        return self.engine.render(0, self.render_mode)

    def snapshot(self) -> dict[str, Any]:
        """Returns the episode, and where the stream of instances stands, as plain data.

        A time limit is Gymnasium's wrapper's, which counts its steps itself.
        """
        return {"episode": self.engine.snapshot(0), "stream": self._stream.state()}

    def restore(self, snapshot: dict[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Goes back to a snapshot; returns what `reset` would."""
        self.engine.restore(0, snapshot["episode"])
        self._stream.set_state(snapshot["stream"])
        return self._observe()

    def action_masks(self) -> NDArray[np.bool_]:
        """Returns which actions are legal, as sb3-contrib's MaskablePPO asks for it."""
        return flat_mask(self.action_space, self._row.observe()["action_mask"])

    def oracle_action(self) -> Any:
        """Returns the next action of the best continuation of this episode."""
        return self.engine.oracle_action(0)

    def oracle_return(self) -> float:
        """Returns the oracle's return on this document, without a time limit.

        No episode returns more where `oracle_method` is "exact"; where it is "expected", no policy
        that reads does on average; a beam may miss the best draft.
        """
        return self.engine.oracle_return(0)

    def oracle_method(self) -> str:
        """Returns how the oracle searched: "exact", or "beam-" and the beam's width."""
        return self.engine.oracle_method(0)
