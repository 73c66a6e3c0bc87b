"""Answers that stand for no action: what they cost, and a step of rows some of which refused one.

Whoever answers in words may write what stands for no action. Such an answer is an action of None.
It never reaches the engine, which may have no illegal action to take instead; it changes nothing,
is paid the engine's illegal penalty as its part "illegal_action", and counts towards the time
limit. `TextWrapper`, rolling out and replaying all hold to this.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import check_actions
from lightbulb_envs.engines.engine import Engine, Step
from lightbulb_envs.engines.summarise import ILLEGAL


def illegal_penalty(engine: Any) -> float | None:
    """Returns what an engine's config says that an illegal action costs, None if nothing."""
    penalty: float | None = getattr(getattr(engine, "config", None), "illegal_penalty", None)
    return penalty


def refusal_penalty(engine: Engine) -> float:
    """Returns what an answer that stands for no action costs in an engine.

    Raises:
        ValueError: the engine does not say, pays for no such part, or has no time limit, so that
            an episode of such answers would never end.
    """
    penalty = illegal_penalty(engine)
    if penalty is None or ILLEGAL not in engine.part_names:
        raise ValueError(
            f"{type(engine).__name__} does not say what an answer that stands for no action costs: "
            f'give its config an illegal_penalty, and its part_names "{ILLEGAL}"'
        )
    if _max_steps(engine) is None:
        raise ValueError(
            "answers that stand for no action end an episode by its time limit alone: make the "
            "engine with max_steps, as make_engine does, and let it keep it"
        )
    return float(penalty)


def _max_steps(engine: Any) -> int | None:
    """Returns the time limit that an engine was made with, None if it has or keeps none."""
    limit: int | None = getattr(engine, "max_steps", None)
    return limit


def step_or_refuse(
    engine: Engine, rows: NDArray[np.int64], actions: Sequence[Any] | NDArray[Any], number: int
) -> Step:
    """Takes an action in every row whose action is not None, and charges the others.

    Args:
        number: which step of all the rows' episodes this is, from 1; refused ones count.

    Raises:
        ValueError: an action is None, and the engine allows none, as `refusal_penalty` says.
    """
    is_array = isinstance(actions, np.ndarray) and actions.dtype != object
    if is_array or all(action is not None for action in actions):
        chosen = (
            actions if is_array else check_actions(list(actions), len(rows), engine.action_space)
        )
        step = engine.step(rows, np.asarray(chosen))
    else:
        step = _step_some(engine, rows, list(actions))
    limit = _max_steps(engine)
    if limit is None or number < limit:
        return step
    return replace(step, truncated=np.ones(len(rows), dtype=bool))


def _step_some(engine: Engine, rows: NDArray[np.int64], actions: list[Any]) -> Step:
    penalty = refusal_penalty(engine)
    refused = np.array([action is None for action in actions])
    taken = [action for action in actions if action is not None]
    if taken:
        chosen = check_actions(taken, len(taken), engine.action_space)
        step = engine.step(rows[~refused], chosen).among(np.flatnonzero(~refused), len(rows))
    else:
        no = np.zeros(len(rows), dtype=bool)
        parts = np.zeros((len(rows), len(engine.part_names)))
        step = Step(np.zeros(len(rows)), parts, no, no.copy(), no.copy())
    reward, parts = step.reward.copy(), step.parts.copy()
    reward[refused] = -penalty
    parts[refused, engine.part_names.index(ILLEGAL)] = -penalty
    return replace(step, reward=reward, parts=parts, is_illegal=step.is_illegal | refused)
