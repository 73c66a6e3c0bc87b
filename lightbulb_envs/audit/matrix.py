"""The matrix of the audit: every canary, played and scored.

All scores of an id and reward are on one scale: 0 is random and 100 the oracle on the documents as
they are, also for what is played on documents with planted text. Worthless sentences in an article
lower what random picks earn, and would lift every other policy on a scale of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.audit.ceilings import Limit, limit_of
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.baselines.canaries import Canary, Scripted, canaries_of, is_paid_by_parts
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.registry import find_row, make_engine
from lightbulb_envs.rewards.compose import PRESETS
from lightbulb_envs.score import (
    Interval,
    Returns,
    mean_returns,
    normalised_score,
    random_returns,
    score_interval,
)

SPLIT = "validation"
ROLLOUTS = 20
"""Random episodes of a document. Over 200 documents their mean is known to half a point."""
_ROWS = 64
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Cell:
    """What one canary earned on one id with one reward."""

    canary: str
    score: Interval
    limit: Limit
    control: float | None = None
    """The score of what it must not beat, None without such."""

    @property
    def is_over(self) -> bool:
        """Whether it earned more than it may."""
        return self.score.mean > self.limit.score or self.beats_control

    @property
    def beats_control(self) -> bool:
        """Whether it earned more than what it must not beat."""
        return self.control is not None and self.score.mean > self.control + _TOLERANCE

    @property
    def is_excused(self) -> bool:
        """Whether it earned more than its ceiling, and an allowance says why."""
        return not self.is_over and self.score.mean > self.limit.ceiling


@dataclass(frozen=True)
class Column:
    """One id and reward: the ends of its scale, its reference heuristic, its canaries."""

    env_id: str
    reward: str | None
    random_return: float
    oracle_return: float
    heuristic: str
    heuristic_score: float
    cells: tuple[Cell, ...]


def rewards_of(env_id: str) -> tuple[str | None, ...]:
    """Returns the rewards to audit: a summariser's presets, or None for an engine's only one."""
    return tuple(PRESETS) if is_paid_by_parts(make_engine(env_id, 1)) else (None,)


def audit(
    env_id: str, reward: str | None, episodes: int, names: tuple[str, ...] | None = None
) -> Column:
    """Returns what canaries, all by default, earn on the first documents of `SPLIT`.

    Raises:
        ValueError: an engine whose action space no canary fits.
    """
    settings: dict[str, Any] = {"split": SPLIT} | ({} if reward is None else {"reward": reward})
    instances = np.arange(episodes)
    engine = make_engine(env_id, min(_ROWS, episodes), **settings)
    canaries = canaries_of(engine)
    if not canaries:
        raise ValueError(
            f"{env_id} acts in {engine.action_space}, where no canary is known: canaries act in "
            "Discrete, MultiDiscrete and MultiBinary spaces"
        )
    random = random_returns(engine, instances, ROLLOUTS)
    oracle = mean_returns(make_baseline("oracle", engine), engine, instances)
    row = find_row(env_id)
    honest = mean_returns(make_baseline(row.heuristic, engine), engine, instances)
    honest_score = normalised_score(honest, random, oracle)
    cells = []
    for name, returns, allowed in _play(env_id, settings, engine, instances, names):
        limit = limit_of(name, row.id, reward, honest_score)
        score = score_interval(returns, random, oracle, np.random.default_rng(0))
        control = None if allowed is None else normalised_score(allowed, random, oracle)
        cells.append(Cell(name, score, limit, control))
    return Column(
        row.id,
        reward,
        float(random.mean()),
        float(oracle.mean()),
        row.heuristic,
        honest_score,
        tuple(cells),
    )


def _play(
    env_id: str,
    settings: dict[str, Any],
    engine: Engine,
    instances: NDArray[np.int64],
    names: tuple[str, ...] | None,
) -> Iterator[tuple[str, Returns, Returns | None]]:
    """Yields the name of every canary, its returns, and those of its control.

    Canaries of the same documents share an engine.
    """
    canaries = canaries_of(engine)
    engines: dict[tuple[str | None, bool], Engine] = {(None, False): engine}
    for name in canaries if names is None else names:
        canary = canaries[name]
        place = (canary.planted, canary.is_unbounded)
        if place not in engines:
            own = _own_settings(canary, engine)
            engines[place] = make_engine(env_id, engine.num_envs, **settings, **own)
        played = engines[place]
        returns = mean_returns(canary.make(played), played, instances)
        allowed = None
        if canary.control is not None:
            control = Scripted(played.task, canary.control)  # type: ignore[attr-defined] # a summariser's
            allowed = mean_returns(control, played, instances)
        yield name, returns, allowed


def _own_settings(canary: Canary, engine: Engine) -> dict[str, Any]:
    own: dict[str, Any] = {}
    if canary.planted is not None:
        own["source"] = f"planted:{canary.planted}"
    if canary.is_unbounded:
        own["budget"] = engine.source.max_sentences
    return own
