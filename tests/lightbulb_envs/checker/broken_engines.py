"""Engines that break one law each, and are else the summariser's."""

import dataclasses
import itertools
import os
import sys
import threading
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np

import lightbulb_envs
from lightbulb_envs.baselines import Baseline
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.table import BASELINES
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.keywords import keyword
from lightbulb_envs.sources.newsroom.source import NewsroomSource


def register_broken(engine: str) -> str:
    """Registers an engine of this file; returns its id."""
    env_id = f"Test/{engine}-v0"
    lightbulb_envs.register(
        lightbulb_envs.Row(
            id=env_id,
            engine=f"broken_engines:{engine}",
            head="pointer",
            heuristic="centrality",
            agent="actor_critic",
            max_episode_steps=64,
            settings={"level": 1},
        )
    )
    return env_id


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
        return super().observe(rows) | {"selected": self._selected[: len(rows)]}


class LyingMask(SummariseEngine):
    """Shows a mask with one sentence more than it accepts."""

    def observe(self, rows):
        observation = super().observe(rows)
        observation["action_mask"][:, self.stop - 1] = 1
        return observation


class NothingLegal(SummariseEngine):
    """Allows nothing after the first pick, and does not end."""

    def _update(self, row):
        super()._update(row)
        if self._episode(row).draft:
            self._mask[row] = 0

    def step(self, rows, actions):
        step = super().step(rows, actions)
        self._episode(int(rows[0])).has_ended = False
        return dataclasses.replace(step, terminated=np.zeros(len(rows), dtype=bool))


class RaisesOnIllegal(SummariseEngine):
    """Raises where a no-op is due."""

    def step(self, rows, actions):
        if not self._mask[rows, actions].all():
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

    def _pick(self, row, episode, sentence):
        super()._pick(row, episode, sentence)
        return list(episode.scores)


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
        for row in rows.tolist():
            self._episode(row).has_ended = False
        return super().step(rows, actions)


class NeverTruncates(SummariseEngine):
    """Ignores its time limit."""

    def step(self, rows, actions):
        self.max_steps = None
        return super().step(rows, actions)


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


class AHundredDocuments(SummariseEngine):
    """Has a hundred documents, and says that there is no end of them."""

    def reset(self, rows, instances):
        super().reset(rows, instances % 100)


class OracleThatDallies(SummariseEngine):
    """Does something illegal for ever."""

    def oracle_action(self, row):
        return int(np.argmin(self._mask[row]))


class RowsShareState(SummariseEngine):
    """Lets the first row's picks spoil the others' budget."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        for row in range(1, self.num_envs):
            if self.draft(0):
                self._budget[row] = 0.5
        return step


@dataclass(frozen=True, kw_only=True)
class IdleConfig(SummariseConfig):
    """A keyword that nobody reads."""

    idle: int = keyword(1, example=2)


class IdleKeyword(SummariseEngine):
    """Accepts a keyword and ignores it."""

    Config: ClassVar[type] = IdleConfig


@dataclass(frozen=True, kw_only=True)
class UntoldConfig(SummariseConfig):
    """A keyword without an example."""

    budget: int | None = None


class UntoldKeyword(SummariseEngine):
    """Does not say how a keyword may be tried."""

    Config: ClassVar[type] = UntoldConfig


@dataclass(frozen=True, kw_only=True)
class RefusingConfig(SummariseConfig):
    """An example that does not work."""

    budget: int | None = keyword(None, example=99999)


class RefusedExample(SummariseEngine):
    """Refuses its own example."""

    Config: ClassVar[type] = RefusingConfig


class HoldsALambda(SummariseEngine):
    """Cannot be pickled."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.hook = lambda: None


class HoldsALock(SummariseEngine):
    """Cannot be copied."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.lock = threading.Lock()


_CLOCK = itertools.count()


class ReadsAClock(SummariseEngine):
    """Depends on how many episodes were played before."""

    def reset(self, rows, instances):
        super().reset(rows, (instances + next(_CLOCK)) % 1000)


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
