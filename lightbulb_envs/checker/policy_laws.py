"""Laws between policies: the oracle is no worse than any baseline, the heuristic beats random."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines import baselines_of, make_baseline
from lightbulb_envs.checker.subject import Subject, require
from lightbulb_envs.engines.engine import Engine, Observation
from lightbulb_envs.registry import check_head
from lightbulb_envs.score import mean_returns, random_returns

_DOCUMENTS = 32
_ROLLOUTS = 20
_SLACK = 1e-9
_FAR = 5


def row(subject: Subject) -> str:
    """The registry row names a head that acts in the action space, and baselines that exist."""
    known = subject.row
    engine = subject.engine(4)
    try:
        check_head(known, engine)
    except ValueError as error:
        require(False, str(error))
    if known.head == "pointer":
        _check_pointer(engine)
    table = baselines_of(engine)
    for name in ("random", "oracle", known.heuristic):
        require(
            name in table,
            f"there is no baseline {name!r}: the engine's table {engine.baselines!r} holds "
            f"{', '.join(table)}; it needs 'random', 'oracle' and the row's heuristic",
        )
    return f"head {known.head}, heuristic {known.heuristic}, sub-agent {known.agent}"


def _check_pointer(engine: Engine) -> None:
    """Checks that action i is sentence i, or word i, and that the last one stops."""
    rows = np.arange(engine.num_envs)
    if "words" in engine.observation_space.spaces:
        _check_words(engine)
        return
    sentences = (engine.observation_space["tokens"].shape or (0,))[0]
    actions = int(engine.action_space.n)  # type: ignore[attr-defined] # Discrete, as was checked
    require(
        actions == sentences + 1,
        f"a pointer head scores S sentences and STOP: with tokens ({sentences}, T) it needs "
        f"Discrete({sentences + 1}), and the actions are {engine.action_space}",
    )
    engine.reset(rows, rows)
    seen = engine.observe(rows)
    is_empty = ~(seen["tokens"] != 0).any(axis=2)
    wrong = is_empty & (seen["action_mask"][:, :-1] == 1)
    require(
        not wrong.any(),
        f"action {int(np.argwhere(wrong)[0][1]) if wrong.any() else 0} is legal, and that sentence "
        "has no tokens: under a pointer head action i is sentence i, counted from 0, and the last "
        "action, S, is STOP",
    )
    is_left_out = ~is_empty & (seen["action_mask"][:, :-1] == 0)
    require(
        bool((~is_left_out).any()),
        "no sentence that has tokens may be chosen: under a pointer head action i is sentence i",
    )


def _check_words(engine: Engine) -> None:
    """Checks that action i writes word i, which has pieces, and that the last one stops."""
    words = (engine.observation_space["words"].shape or (0,))[0]
    actions = int(engine.action_space.n)  # type: ignore[attr-defined] # Discrete, as was checked
    require(
        actions == words + 1,
        f"a pointer head scores W words and STOP: with words ({words}, P) it needs "
        f"Discrete({words + 1}), and the actions are {engine.action_space}",
    )
    rows = np.arange(engine.num_envs)
    engine.reset(rows, rows)
    seen = engine.observe(rows)
    is_empty = ~(seen["words"] != 0).any(axis=2)
    wrong = is_empty & (seen["action_mask"][:, :-1] == 1)
    require(
        not wrong.any(),
        f"action {int(np.argwhere(wrong)[0][1]) if wrong.any() else 0} is legal, and that word has "
        "no pieces: under a pointer head action i is word i, counted from 0, where `words` are "
        "observed",
    )
    _check_article(seen, engine.observation_space)


def _check_article(seen: Observation, space: Any) -> None:
    """Checks that `article` tells sentences in actions that may be taken."""
    require(
        {"article", "draft"} <= seen.keys(),
        "where `words` are observed, so must be `article` (S, T), the text in actions counted from "
        "1, and `draft`, what was written",
    )
    shape, wanted = space["article"].shape, space["tokens"].shape
    require(
        shape == wanted, f"`article` must have the shape {wanted} of `tokens`, and it has {shape}"
    )
    article = seen["article"].reshape(len(seen["article"]), -1)
    may = np.take_along_axis(seen["action_mask"][:, :-1], (article - 1).clip(min=0), axis=1) == 1
    wrong = article[(article > 0) & ~may]
    require(
        len(wrong) == 0,
        f"`article` names action {wrong[0] - 1 if len(wrong) else 0}, which is illegal: it tells "
        "the text in actions, counted from 1, and 0 where a word has none",
    )


def oracle(subject: Subject) -> str:
    """The oracle returns what it promises, and no baseline returns more."""
    engine = subject.engine(_DOCUMENTS)
    rows = np.arange(min(_DOCUMENTS, engine.num_instances or _DOCUMENTS))
    engine.reset(rows, rows)
    promised = np.array([engine.oracle_return(row) for row in rows.tolist()])
    methods = [engine.oracle_method(row) for row in rows.tolist()]
    returned = _follow_oracle(subject, engine, rows)
    is_expected = np.array([method == "expected" for method in methods])
    gap = np.abs(np.where(is_expected, 0.0, returned - promised)).max()
    require(
        gap <= _SLACK,
        f"`oracle_action`, followed to the end, returns up to {gap:.3g} other than "
        "`oracle_return` says: both must follow one plan",
    )
    if is_expected.any():
        _check_expected(returned[is_expected] - promised[is_expected])
    is_exact = np.array([method == "exact" for method in methods])
    table = baselines_of(engine)
    names = [name for name in table if name != "random"]
    if not engine.source.has_facts:
        names = [name for name in names if name != "ceiling"]
    for name in names:
        values = mean_returns(make_baseline(name, engine), engine, rows)
        above = np.flatnonzero(is_exact & (values > promised + _SLACK))
        require(
            not len(above),
            f"{name} returns more than the exact oracle on instances {rows[above].tolist()}: the "
            "oracle misses something that can be done",
        )
        chance = _chance(values - promised) if is_expected.any() else 0.0
        require(
            values.mean() <= promised.mean() + chance + _SLACK,
            f"{name} returns {values.mean():.4f} on average and the oracle "
            f"{promised.mean():.4f}: widen the oracle's search",
        )
    return f"{len(rows)} documents ({int(is_exact.sum())} exact) against {', '.join(names)}"


def _check_expected(gaps: NDArray[np.float64]) -> None:
    """Checks that what an oracle promises on average is what it returns on average."""
    require(
        abs(gaps.mean()) <= _chance(gaps),
        f"`oracle_action`, followed to the end, returns {gaps.mean():.3g} other than "
        f"`oracle_return` says on average over {len(gaps)} documents, more than chance explains: "
        'where `oracle_method` is "expected", both must follow one plan',
    )


def _chance(gaps: NDArray[np.float64]) -> float:
    """Returns how far chance may take the mean of so many gaps: five standard errors."""
    return float(_FAR * np.std(gaps) / np.sqrt(len(gaps))) + _SLACK


def _follow_oracle(subject: Subject, engine: Engine, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Returns the returns of `oracle_action` in the episodes that the rows have begun."""
    returns = np.zeros(len(rows))
    going = rows
    for _ in range(subject.row.max_episode_steps):
        step = engine.step(going, np.asarray([engine.oracle_action(row) for row in going.tolist()]))
        returns[going] += step.reward
        is_cut = step.truncated & ~step.terminated
        if is_cut.any():
            going = going[is_cut]
            break
        going = going[~step.terminated]
        if not len(going):
            return returns
    require(
        False,
        f"`oracle_action` does not end instance {going[0]} in max_episode_steps="
        f"{subject.row.max_episode_steps} steps: raise the limit",
    )
    return returns


def heuristic(subject: Subject) -> str:
    """The declared reference heuristic returns no less than a random policy, as registered."""
    engine = subject.engine(_DOCUMENTS * 2)
    rows = np.arange(min(_DOCUMENTS * 2, engine.num_instances or _DOCUMENTS * 2))
    name = subject.row.heuristic
    values = mean_returns(make_baseline(name, engine), engine, rows)
    random = random_returns(engine, rows, rollouts=_ROLLOUTS)
    found = f"{name} {values.mean():.3f}, random {random.mean():.3f} on {len(rows)} documents"
    own = subject.row.settings
    others = [setting for setting in own if subject.setting(setting) != own[setting]]
    if others:
        told = ", ".join(f"{setting}={own[setting]!r}" for setting in others)
        return f"not checked: the id names its heuristic for {told} ({found})"
    require(
        values.mean() >= random.mean(),
        f"the reference heuristic {name!r} returns {values.mean():.4f} on {len(rows)} documents, "
        f"and random {random.mean():.4f}: name a heuristic that beats random, or mend the reward",
    )
    return found
