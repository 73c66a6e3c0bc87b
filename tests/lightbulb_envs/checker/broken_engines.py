"""Engines that break one law each, and are else the summariser's."""

import dataclasses
import importlib
import os
import sys
from typing import Any, ClassVar

import gymnasium
import numpy as np

import lightbulb_envs
from lightbulb_envs.baselines import Baseline
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.table import BASELINES
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.engines.summarise_tokens import TokensEngine
from lightbulb_envs.engines.tokens_actions import FUNCTION_WORDS
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.summation import add_in_order


def register_broken(engine: str) -> str:
    """Registers an engine of this file or of `broken_settings`; returns its id."""
    env_id = f"Test/{engine}-v0"
    has_it = hasattr(sys.modules[__name__], engine)
    module = __name__ if has_it else importlib.import_module("broken_settings").__name__
    lightbulb_envs.register(
        lightbulb_envs.Row(
            id=env_id,
            engine=f"{module}:{engine}",
            head="pointer",
            heuristic="centrality",
            agent="actor_critic",
            max_episode_steps=64,
            settings={"level": 1},
        )
    )
    return env_id


def _go_on(engine: SummariseEngine, rows: np.ndarray) -> None:
    """Makes episodes that have ended go on."""
    for row in rows.tolist():
        engine.restore(row, engine.snapshot(row) | {"has_ended": False})


class Sound(SummariseEngine):
    """Breaks nothing."""


class NarrowSpace(SummariseEngine):
    """Its space promises fewer tokens than there are."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        tokens = gymnasium.spaces.Box(0, 5, self.observation_space["tokens"].shape, np.int32)
        self.observation_space = gymnasium.spaces.Dict(
            {**self.observation_space.spaces, "tokens": tokens}
        )


class SharedArrays(SummariseEngine):
    """Hands out its own arrays."""

    def observe(self, rows):
        return super().observe(rows) | {"selected": self._observed.selected[: len(rows)]}


class LyingMask(SummariseEngine):
    """Shows a mask with one sentence more than it accepts."""

    def observe(self, rows):
        observation = super().observe(rows)
        observation["action_mask"][:, self.stop - 1] = 1
        return observation


class NothingLegal(SummariseEngine):
    """Allows nothing after the first pick, and does not end."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        _go_on(self, rows)
        for row in rows.tolist():
            if self.draft(row):
                self._observed.mask[row] = 0
        return dataclasses.replace(step, terminated=np.zeros(len(rows), dtype=bool))


class RaisesOnIllegal(SummariseEngine):
    """Raises where a no-op is due."""

    def step(self, rows, actions):
        if not self._observed.mask[rows, actions].all():
            raise ValueError("that is not allowed")
        return super().step(rows, actions)


class IllegalStops(SummariseEngine):
    """Ends the episode at an illegal action."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        return dataclasses.replace(step, terminated=step.terminated | step.is_illegal)


class IllegalPays(SummariseEngine):
    """Pays for illegal actions."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        parts = np.where(
            step.is_illegal[:, None], 0.5 * np.eye(len(self.part_names))[0], step.parts
        )
        return dataclasses.replace(step, parts=parts, reward=parts.sum(axis=1))


class InfiniteReward(SummariseEngine):
    """Pays without end."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        parts = step.parts + np.inf
        return dataclasses.replace(step, parts=parts, reward=parts.sum(axis=1))


class PartsThatDoNotAddUp(SummariseEngine):
    """Pays a little more than its parts."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        return dataclasses.replace(step, reward=step.reward + 1e-12)


class GainsThatDoNotTelescope(SummariseEngine):
    """Pays the score instead of its gain."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        scores = [[*self.scores(row).values(), 0.0] for row in rows.tolist()]
        parts = np.where(step.parts > 0, scores, step.parts)
        reward = np.array([add_in_order(paid) for paid in parts.tolist()])
        return dataclasses.replace(step, parts=parts, reward=reward)


class ScoresOfOtherNames(SummariseEngine):
    """Names a score otherwise than the part of the reward that it is."""

    def scores(self, row):
        return {"F1": sum(super().scores(row).values())}


class TakesAnything(SummariseEngine):
    """Takes actions outside the space for the nearest inside."""

    def step(self, rows, actions):
        inside = np.clip(np.asarray(actions).astype(np.int64), 0, self.stop)
        return super().step(rows, inside)


class RefusesTooLate(SummariseEngine):
    """Stops before it refuses an action outside the space."""

    def step(self, rows, actions):
        if not np.isin(actions, np.arange(self.stop + 1)).all():
            super().step(rows, np.full(len(rows), self.stop))
        return super().step(rows, actions)


class RaisesSomething(SummariseEngine):
    """Has a slip of the pen in `observe`."""

    def observe(self, rows):
        observation = super().observe(rows)
        return observation | {"tokens": observation["token"]}


class CannotBeMade(SummariseEngine):
    """Has a slip of the pen in `__init__`."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.num_envs = self.num_env


class FailsInTwoWays(SummariseEngine):
    """Pays otherwise at every other step, in one of two wrong ways."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        wrong = np.inf if self.draft(int(rows[0])) else 1.0
        return dataclasses.replace(step, reward=step.reward + wrong)


class ForgetfulSnapshot(SummariseEngine):
    """Leaves the draft out."""

    def snapshot(self, row):
        return super().snapshot(row) | {"draft": []}


class SnapshotOfArrays(SummariseEngine):
    """Puts an array where JSON has none."""

    def snapshot(self, row):
        return super().snapshot(row) | {"draft": np.array(self.draft(row))}


class SnapshotWithoutSteps(SummariseEngine):
    """Forgets how many steps were taken."""

    def restore(self, row, snapshot):
        super().restore(row, snapshot | {"steps": 0})


class GoesOn(SummariseEngine):
    """Steps after the end."""

    def step(self, rows, actions):
        _go_on(self, rows)
        return super().step(rows, actions)


class NeverTruncates(SummariseEngine):
    """Ignores its time limit."""

    def __init__(self, config, num_envs, max_steps=None):
        super().__init__(config, num_envs, None)


class StopFirst(SummariseEngine):
    """Has STOP as action 0."""

    def observe(self, rows):
        observation = super().observe(rows)
        return observation | {"action_mask": np.roll(observation["action_mask"], 1, axis=1)}


class OneActionMore(SummariseEngine):
    """Has an action that a pointer cannot score."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.action_space = gymnasium.spaces.Discrete(self.stop + 2)


class ArticleOfNothing(TokensEngine):
    """Tells the article in an action that writes nothing there."""

    def observe(self, rows):
        seen = super().observe(rows)
        none = self.stop - len(FUNCTION_WORDS)  # there is more room than words
        return {**seen, "article": np.where(seen["article"] > 0, none, 0).astype(np.int32)}


class NoArticle(TokensEngine):
    """Tells no article in actions."""

    def observe(self, rows):
        return {name: one for name, one in super().observe(rows).items() if name != "article"}


class AHundredDocuments(SummariseEngine):
    """Has a hundred documents, and says that there is no end of them."""

    def reset(self, rows, instances):
        super().reset(rows, instances % 100)


class OracleThatDallies(SummariseEngine):
    """Does something illegal for ever."""

    def oracle_action(self, row):
        return int(np.argmin(self._observed.mask[row]))


class RowsShareState(SummariseEngine):
    """Lets the first row's picks spoil the others' budget."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        for row in range(1, self.num_envs):
            if self.draft(0):
                self._observed.left[row] = 0.5
        return step


class ReadsTheHashSeed(SummariseEngine):
    """Depends on the process."""

    def reset(self, rows, instances):
        super().reset(rows, (instances + hash("lightbulb")) % 1000)


class ReadsTheThreads(SummariseEngine):
    """Depends on the number of threads."""

    def reset(self, rows, instances):
        super().reset(rows, instances % 1000 + int(os.environ.get("OMP_NUM_THREADS", "0")))


class OneInstance(SummariseEngine):
    """Plays one document, whatever the seed."""

    def reset(self, rows, instances):
        super().reset(rows, instances * 0)


class _OneSplit(NewsroomSource):
    """Tells the documents of train in every split."""

    def __init__(self, source: NewsroomSource):
        super().__init__(source._number, "train")


class SplitsShareDocuments(SummariseEngine):
    """Ignores the split."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.task.source = self.source = _OneSplit(self.source)


class RendersNothing(SummariseEngine):
    """Has nothing to show."""

    def render(self, row, mode):
        return ""


class PageFromElsewhere(SummariseEngine):
    """Loads a script from somewhere."""

    def render(self, row, mode):
        return "<!DOCTYPE html><html><script src='https://example.org/x.js'></script></html>"


class WeakOracle(SummariseEngine):
    """Plans nothing."""

    def oracle_action(self, row):
        return self.stop

    def oracle_return(self, row):
        return 0.0


class OracleThatPromises(SummariseEngine):
    """Promises more than it returns."""

    def oracle_return(self, row):
        return super().oracle_return(row) + 0.1


class OracleThatPromisesOnAverage(OracleThatPromises):
    """Promises more than it returns on average."""

    def oracle_method(self, row):
        return "expected"


class Worst(Lead):
    """Picks the last sentences."""

    def plan(self, observation, info, row):
        return list(super().plan(observation, info, row))[:0]


WITHOUT_HEURISTIC = {name: BASELINES[name] for name in ("random", "oracle")}
POOR = {**BASELINES, "centrality": Baseline(lambda engine: Worst(1))}


class NoHeuristic(SummariseEngine):
    """Names a heuristic that is not there."""

    baselines: ClassVar[str] = "broken_engines:WITHOUT_HEURISTIC"


class PoorHeuristic(SummariseEngine):
    """Names a heuristic that random beats."""

    baselines: ClassVar[str] = "broken_engines:POOR"


class StrictOptions(SummariseEngine):
    """See `StrictOptionsEnv`."""


if (
    sys.argv[0].endswith(("elsewhere.py", "checker/__main__.py"))
    and "LIGHTBULB_TEST_ELSEWHERE" in os.environ
):
    # The law of seeds imports this file in a process of its own.
    for _name in ("Sound", "ReadsTheHashSeed", "ReadsTheThreads", "ForgetfulSnapshot"):
        register_broken(_name)
