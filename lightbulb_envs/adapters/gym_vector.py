"""N episodes at once: any engine as a `gymnasium.vector.VectorEnv`, in one call an engine step."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from lightbulb_envs.actions import as_batch, flat_mask
from lightbulb_envs.adapters.gym_env import RENDER_MODES
from lightbulb_envs.adapters.options import requested_instances, requested_rows
from lightbulb_envs.engines.engine import (
    Engine,
    Observation,
    Step,
    ended_metrics,
    load_engine,
    make_config,
    offers,
    step_among,
    tell_upcoming,
)
from lightbulb_envs.instances import InstanceStream


class TextVectorEnv(gymnasium.vector.VectorEnv[Observation, NDArray[Any], NDArray[Any]]):
    """A Gymnasium vector environment over an engine of N rows.

    Row i, seeded with one int s, follows `SeedSequence([s, i])`; seeded by a list, it is what the
    single environment is with that seed, bit for bit. Infos have the shape that Gymnasium's own
    vector environments give them.

    Args:
        engine: "module:Class".
        num_envs: N.
        max_episode_steps: steps after which an episode is truncated, None for no limit.
        autoreset_mode: NEXT_STEP, SAME_STEP or DISABLED of Gymnasium, or its name.
        render_mode: None, "ansi" or "html" (`render` returns a text a row) or "human".
        copy: whether every observation is a copy of its own. False saves time: the next step may
            write into the arrays that the last one returned.
        **settings: fields of the engine's config.
    """

    def __init__(
        self,
        engine: str,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        copy: bool = True,
        **settings: Any,
    ):
        if num_envs < 1:
            raise ValueError(f"num_envs must be 1 or more, got {num_envs}")
        modes = list(RENDER_MODES)
        if render_mode is not None and render_mode not in modes:
            raise ValueError(f"render_mode must be None or one of {modes}, got {render_mode!r}")
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self.metadata = {"render_modes": modes, "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.num_envs = num_envs
        engine_class = load_engine(engine)
        config = make_config(engine_class, settings)
        limit = None if max_episode_steps == -1 else max_episode_steps
        self.engine: Engine = engine_class(config, num_envs=num_envs, max_steps=limit)
        offered: Any = self.engine
        self._views = None if copy or not offers(offered, "views", "observe") else offered.views
        self.single_observation_space = self.engine.observation_space
        self.single_action_space = self.engine.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._rows = np.arange(num_envs)
        self._everywhere = np.ones(num_envs, dtype=bool)
        self._everywhere.flags.writeable = False  # infos share it where copies are left out
        self._stream = InstanceStream(num_envs, self.engine.num_instances)
        tell_upcoming(self.engine, self._stream.upcoming)
        self._has_ended = np.zeros(num_envs, dtype=bool)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode in every row, or in those of options["reset_mask"]."""
        super().reset(seed=seed if isinstance(seed, (int, np.integer)) else None)
        rows = requested_rows(options, self.num_envs)
        if seed is not None:
            self._stream.seed(seed, rows)
        requested = requested_instances(options, self.num_envs)
        instances = self._stream.draw(rows) if requested is None else requested[rows]
        self.engine.reset(rows, instances)
        self._has_ended[rows] = False
        if self.render_mode == "human":
            self._show()
        observation = self._observe()
        return observation, self._infos(observation, _mask(rows, self.num_envs))

    def _observe(self) -> Observation:
        """Returns what all rows observe."""
        return self.engine.observe(self._rows) if self._views is None else self._views()

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Takes one action a row; what happens after an episode's end, the autoreset mode says."""
        actions = as_batch(actions, self.single_action_space)
        if actions.shape[:1] != (self.num_envs,):
            raise ValueError(
                f"step needs one action for each of {self.num_envs} rows, got {actions!r}"
            )
        if self.autoreset_mode is AutoresetMode.DISABLED and self._has_ended.any():
            ended = np.flatnonzero(self._has_ended).tolist()
            raise RuntimeError(
                f"the episodes of rows {ended} have ended, and autoreset is disabled: "
                'call reset(options={"reset_mask": ...}) first'
            )
        took = ~self._has_ended
        going, (fresh,) = self._rows, self._has_ended.nonzero()
        if len(fresh):
            (going,) = took.nonzero()
            actions = actions[going]
        step = step_among(self.engine, going, actions)  # first: it may refuse the actions
        if len(fresh):
            self.engine.reset(fresh, self._stream.draw(fresh))
        self._has_ended = step.terminated | step.truncated
        if self.render_mode == "human":
            self._show()
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._has_ended.any():
            observation, infos = self._same_step(step)
            self._has_ended = np.zeros(self.num_envs, dtype=bool)
        else:
            observation = self._observe()
            infos = self._infos(observation, None, step, took)
        return observation, step.reward, step.terminated, step.truncated, infos

    def _same_step(self, step: Step) -> tuple[Observation, dict[str, Any]]:
        """Resets ended rows at once; what they ended with goes into final_obs and final_info."""
        ended = np.flatnonzero(self._has_ended)
        last = self._observe()
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row in ended:
            final_obs[row] = {name: array[row].copy() for name, array in last.items()}
        final = step.only(self._has_ended)
        final_info = self._infos(last, self._has_ended, final, self._has_ended)
        self.engine.reset(ended, self._stream.draw(ended))
        observation = self._observe()
        infos = self._infos(observation, None, step.only(~self._has_ended), ~self._has_ended)
        for name, value in (("final_obs", final_obs), ("final_info", final_info)):
            infos[name] = value
            infos[f"_{name}"] = self._has_ended.copy()
        return observation, infos

    def _infos(
        self,
        observation: Observation,
        where: NDArray[np.bool_] | None,
        step: Step | None = None,
        took: NDArray[np.bool_] | None = None,
    ) -> dict[str, Any]:
        """Returns infos of the rows in `where`, None for all, and of a step that rows `took`.

        Where copies are left out, entries share their arrays.
        """
        instance, mask = self.engine.instance(self._rows), observation["action_mask"]
        if where is None:
            where = self._everywhere
            mask = self._own(mask)
        else:
            instance = instance * where
            mask = mask * where.reshape(-1, *[1] * (mask.ndim - 1))
        infos: dict[str, Any] = {
            "instance": instance,
            "_instance": self._own(where),
            "action_mask": mask,
            "_action_mask": self._own(where),
        }
        if step is None or took is None or not took.any():
            return infos
        parts: dict[str, Any] = {}
        for name, paid in zip(self.engine.part_names, step.parts.T, strict=True):
            parts[name] = self._own(paid)
            parts[f"_{name}"] = self._own(took)
        infos["reward_parts"] = parts
        infos["_reward_parts"] = self._own(took)
        infos["illegal_action"] = step.is_illegal
        infos["_illegal_action"] = self._own(took)
        has_terminated = step.terminated & took
        measured = ended_metrics(self.engine, np.flatnonzero(has_terminated))
        if measured:
            infos["metrics"] = {}
            for name, values in measured.items():
                spread = np.zeros(self.num_envs, dtype=values.dtype)
                spread[has_terminated] = values
                infos["metrics"] |= {name: spread, f"_{name}": has_terminated.copy()}
            infos["_metrics"] = has_terminated
        return infos

    def _own(self, array: NDArray[Any]) -> NDArray[Any]:
        """Returns an array that is the caller's, as far as copies are made."""
        return array if self._views is not None else array.copy()

    def _show(self) -> None:
        for row in range(self.num_envs):
            print(self.engine.render(row, "ansi"), flush=True)

    def render(self) -> tuple[str, ...] | None:
        """Returns a text or page a row; mode "human" has printed them already."""
        mode = self.render_mode
        if mode in (None, "human"):
            return None
        return tuple(self.engine.render(row, mode) for row in range(self.num_envs))

    def snapshot(self) -> dict[str, Any]:
        """Returns all episodes, and where the streams of instances stand, as plain data."""
        return {
            "episodes": [self.engine.snapshot(row) for row in range(self.num_envs)],
            "stream": self._stream.state(),
            "has_ended": self._has_ended.tolist(),
        }

    def restore(self, snapshot: dict[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Goes back to a snapshot; returns what `reset` would."""
        if len(snapshot["episodes"]) != self.num_envs:
            raise ValueError(
                f"the snapshot is of {len(snapshot['episodes'])} rows, and there are "
                f"{self.num_envs}"
            )
        for row, episode in enumerate(snapshot["episodes"]):
            self.engine.restore(row, episode)
        self._stream.set_state(snapshot["stream"])
        self._has_ended = np.array(snapshot["has_ended"], dtype=bool)
        observation = self._observe()
        return observation, self._infos(observation, _mask(self._rows, self.num_envs))

    def action_masks(self) -> NDArray[np.bool_]:
        """Returns which actions of every row are legal, in the layout of the single one's."""
        return flat_mask(self.single_action_space, self.engine.observe(self._rows)["action_mask"])

    def oracle_action(self) -> NDArray[Any]:
        """Returns every row's next action of the best continuation of its episode."""
        best = [self.engine.oracle_action(row) for row in range(self.num_envs)]
        return as_batch(best, self.single_action_space)

    def oracle_return(self) -> NDArray[np.float64]:
        """Returns the oracle's return on every row's document; `oracle_method` says how good."""
        return np.array([self.engine.oracle_return(row) for row in range(self.num_envs)])

    def oracle_method(self) -> tuple[str, ...]:
        """Returns how every row's oracle searched: "exact", or "beam-" and the beam's width."""
        return tuple(self.engine.oracle_method(row) for row in range(self.num_envs))


def _mask(rows: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[rows] = True
    return mask


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    if isinstance(mode, AutoresetMode):
        return mode
    for known in AutoresetMode:
        if mode in (known.name, known.value):
            return known
    names = ", ".join(known.name for known in AutoresetMode)
    raise ValueError(f"autoreset_mode must be one of {names}, got {mode!r}")
