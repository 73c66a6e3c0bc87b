"""Laws of an episode: what it observes, what it allows and what it pays."""

import copy
import json
import math
from collections.abc import Callable
from typing import Any

import gymnasium
import hypothesis
import numpy as np
from hypothesis import strategies as st

from lightbulb_envs.actions import are_legal, draw_legal
from lightbulb_envs.checker.moves import Move, first_action, illegal_action, outside_actions, play
from lightbulb_envs.checker.strategies import moves
from lightbulb_envs.checker.subject import (
    BrokenLawError,
    Subject,
    quiet,
    require,
    require_same,
    same,
)
from lightbulb_envs.summation import add_in_order

_SEEDS = st.integers(0, (1 << 32) - 1)
_MOST_TRIED = 64
"""Actions of a Discrete space that are tried at a step."""


def _for_all_episodes(subject: Subject, holds: Callable[[Any, int, list[Move]], None]) -> str:
    """Tries a law on drawn seeds and moves."""
    env = subject.make()

    @hypothesis.settings(
        max_examples=subject.examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate],  # to shrink what fails takes minutes
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(seed=_SEEDS, drawn=moves(env.action_space))
    def holds_for(seed: int, drawn: list[Move]) -> None:
        holds(env, seed, drawn)

    holds_for()
    return f"{subject.examples} drawn episodes"


def observations(subject: Subject) -> str:
    """Observations lie in their space and are the caller's to change, and so is the info."""

    def holds(env: Any, seed: int, drawn: list[Move]) -> None:
        observation, info = env.reset(seed=seed)
        results = [(observation, info)]
        results += [(step[1], step[5]) for step in play(env, drawn, observation)]
        for told, known in results:
            if not env.observation_space.contains(told):
                raise BrokenLawError(
                    f"an observation lies outside observation_space: {_outside(env, told)}; if "
                    "`observe` should return that (has `reset` forgotten something?), make the "
                    "space as wide, with the same shapes and dtypes"
                )
            require(
                isinstance(known.get("instance"), int),
                'info["instance"] must be the int of the episode\'s instance; the adapters put '
                "it there from `engine.instance`",
            )
            require(
                same(known.get("action_mask"), told["action_mask"]),
                'info["action_mask"] must be the observation\'s action_mask, an array of its own',
            )
        told, known = results[-1]
        before = copy.deepcopy(env.unwrapped.engine.observe(np.zeros(1, dtype=np.int64)))
        for array in (*told.values(), known["action_mask"]):
            array[...] = 1 if array.dtype != np.int8 else 0
        after = env.unwrapped.engine.observe(np.zeros(1, dtype=np.int64))
        require_same(
            before,
            after,
            "writing into a returned observation changes the episode",
            "return copies from `observe`",
        )

    return _for_all_episodes(subject, holds)


def _outside(env: Any, observation: Any) -> str:
    if not isinstance(observation, dict):
        return f"it is a {type(observation).__name__}, no dict"
    spaces = env.observation_space.spaces
    if spaces.keys() != observation.keys():
        return f"it holds {sorted(observation)}, and the space {sorted(spaces)}"
    name = next((name for name in spaces if not spaces[name].contains(observation[name])), "")
    if not name:
        return "it lies in none"
    value = np.asarray(observation[name])
    told = f", from {value.min()} to {value.max()}," if value.size and value.dtype != object else ""
    return (
        f"{name!r} with shape {value.shape} and dtype {value.dtype}{told} is not in {spaces[name]}"
    )


def masks(subject: Subject) -> str:
    """What the mask allows is accepted, and what it forbids is not."""
    tried = 0

    def holds(env: Any, seed: int, drawn: list[Move]) -> None:
        nonlocal tried
        observation, _ = env.reset(seed=seed)
        for move in drawn:
            mask = observation["action_mask"]
            is_some = bool(mask.any())
            require(is_some, "no action is legal before the end of the episode: end it instead")
            snapshot = env.unwrapped.snapshot()
            actions = _each_kind(env.action_space, mask, move)
            masks_of_all = np.broadcast_to(mask, (len(actions), *mask.shape))
            allowed = are_legal(env.action_space, masks_of_all, np.asarray(actions))
            for action, allows in zip(actions, allowed.tolist(), strict=True):
                _, _, terminated, truncated, info = env.unwrapped.step(action)
                require(
                    info["illegal_action"] is not allows,
                    f"the mask says that action {_plain(action)} is "
                    f"{'legal' if allows else 'illegal'}, and the step says "
                    f"info['illegal_action'] = {info['illegal_action']}: both must come from one "
                    "place",
                )
                if allows or terminated or truncated:
                    env.unwrapped.restore(snapshot)
                tried += 1
            env.unwrapped.restore(snapshot)
            step = env.step(move.on(env.action_space, mask))
            observation = step[0]
            if step[2] or step[3]:
                break

    _for_all_episodes(subject, holds)
    return f"{tried} actions, legal and not, in {subject.examples} drawn episodes"


def _each_kind(space: Any, mask: Any, move: Move) -> list[Any]:
    """Returns actions to try: of a Discrete space all, elsewhere a drawn and a forbidden one.

    Of a large one every so manieth is tried, others at every step.
    """
    if space.shape == ():
        apart = -(-int(space.n) // _MOST_TRIED)
        return list(range(move.number % apart, int(space.n), apart))
    found = [Move(move.number).on(space, mask), move.on(space, mask), first_action(space)]
    forbidden = illegal_action(space, mask)
    return found if forbidden is None else [*found, forbidden]


def _plain(action: Any) -> Any:
    return np.asarray(action).tolist()


def illegal_actions(subject: Subject) -> str:
    """An illegal action changes nothing and costs its penalty; one of no space is refused."""
    tried = 0

    def holds(env: Any, seed: int, drawn: list[Move]) -> None:
        nonlocal tried
        observation, _ = env.reset(seed=seed)
        for move in drawn:
            action = illegal_action(env.action_space, observation["action_mask"])
            if action is not None:
                tried += 1
                after, reward, terminated, _, info = _step(env.unwrapped, action)
                changed = f"illegal action {_plain(action)} changes the episode"
                cure = "an illegal action is a no-op"
                require(not terminated, f"{changed} (it ends): {cure}")
                require_same(observation, after, changed, cure)
                parts = dict(info["reward_parts"])
                penalty = parts.pop("illegal_action", 0.0)
                require(
                    reward <= 0 and penalty == reward and not any(parts.values()),
                    f"illegal action {_plain(action)} is paid {reward} ({info['reward_parts']}): "
                    "its price must be the part 'illegal_action', zero or less, and no other part",
                )
            step = env.unwrapped.step(move.on(env.action_space, observation["action_mask"]))
            observation = step[0]
            if step[2]:
                break

    _for_all_episodes(subject, holds)
    _check_outside(subject)
    if not tried:
        return "not checked: no action was ever illegal"
    return f"{tried} illegal actions in {subject.examples} drawn episodes"


def _check_outside(subject: Subject) -> None:
    """Checks that actions outside the action space are refused, and leave the episode as it was."""
    env = subject.bare()
    env.reset(seed=0)
    before = copy.deepcopy(env.snapshot())
    for action in outside_actions(env.action_space):
        said = f"action {_plain(action)} lies outside {env.action_space}"
        try:
            env.step(action)
        except (ValueError, TypeError):
            require(
                same(env.snapshot(), before),
                f"{said}, and is refused, and changes the episode all the same",
            )
        except Exception as error:
            require(False, f"{said}, and raises {type(error).__name__}: {_CHECK_FIRST}")
        else:
            require(False, f"{said}, and is taken: {_CHECK_FIRST}")


_CHECK_FIRST = (
    "raise ValueError; `check_actions` of lightbulb_envs.actions, at the start of `step`, does"
)


def _step(env: Any, action: Any) -> Any:
    try:
        return env.step(action)
    except Exception as error:
        require(
            False,
            f"illegal action {_plain(action)} raises {type(error).__name__} ({error}): an illegal "
            "action of the space is a no-op, never an error",
        )


def endings(subject: Subject) -> str:
    """After its end an episode takes no step."""
    ended = 0

    def holds(env: Any, seed: int, drawn: list[Move]) -> None:
        nonlocal ended
        observation, _ = env.reset(seed=seed)
        played = play(
            env.unwrapped, [*drawn, *(Move(number) for number in range(100))], observation
        )
        if not played[-1][3]:
            return
        ended += 1
        before = copy.deepcopy(env.unwrapped.snapshot())
        try:
            env.unwrapped.step(played[-1][0])
        except RuntimeError:
            require(
                same(env.unwrapped.snapshot(), before),
                "a step after the end of the episode is refused, and changes it all the same",
            )
        else:
            require(
                False,
                "a step after the end of the episode is taken: raise RuntimeError instead",
            )

    _for_all_episodes(subject, holds)
    return f"{ended} episodes that ended" if ended else "not checked: no episode ended by itself"


def rewards(subject: Subject) -> str:
    """Rewards are finite floats, and their parts add up to them in order."""

    def holds(env: Any, seed: int, drawn: list[Move]) -> None:
        observation, _ = env.reset(seed=seed)
        for _, _, reward, _, _, info in play(env, drawn, observation):
            require(
                isinstance(reward, float) and math.isfinite(reward),
                f"a reward is {reward!r}: it must be a finite Python float",
            )
            parts = info.get("reward_parts")
            require(
                isinstance(parts, dict) and parts != {},
                'info["reward_parts"] must hold every part of the reward by name; the adapters '
                "put it there from `Step.parts` and `part_names`",
            )
            total = add_in_order(parts.values())
            require(
                total == reward,
                f"the parts {parts} add up to {total!r} and the reward is {reward!r}: compute the "
                "reward as `add_in_order` of the parts (lightbulb_envs.summation)",
            )

    return _for_all_episodes(subject, holds)


def gains(subject: Subject) -> str:
    """Where a draft has scores, what an episode was paid, part by part, is the final scores."""
    if not hasattr(subject.engine(1), "scores"):
        return "not checked: the engine has no `scores(row)`, so its reward is no gain of a score"

    def holds(env: Any, seed: int, drawn: list[Move]) -> None:
        observation, _ = env.reset(seed=seed)
        engine = env.unwrapped.engine
        start = engine.scores(0)
        require(
            isinstance(start, dict),
            f"`scores` returns {start!r}: it must return a dict from the name of a part to its "
            "score",
        )
        unpaid = [name for name in start if name not in engine.part_names]
        require(
            not unpaid,
            f"`scores` names {', '.join(map(repr, unpaid))}, and the parts of the reward are "
            f"{', '.join(engine.part_names)}: name the scores as `part_names` does",
        )
        paid = dict.fromkeys(start, 0.0)
        for _, _, _, _, _, info in play(env, drawn, observation):
            for name in paid:
                paid[name] += info["reward_parts"][name]
        for name, score in engine.scores(0).items():
            gained = score - start[name]
            require(
                abs(paid[name] - gained) <= 1e-9,
                f"part {name!r} was paid {paid[name]!r} in all, and its score rose by {gained!r}: "
                "pay the difference of the scores before and after each step",
            )

    return _for_all_episodes(subject, holds)


def snapshots(subject: Subject) -> str:
    """A snapshot is plain data, and going on from it is going on from the replayed actions."""
    other = subject.bare()

    def holds(env: Any, seed: int, drawn: list[Move]) -> None:
        bare = env.unwrapped
        half = len(drawn) // 2
        observation, _ = bare.reset(seed=seed)
        played = play(bare, drawn[:half], observation)
        if played and (played[-1][3] or played[-1][4]):
            return
        before = bare.snapshot()
        try:
            text = json.dumps(before, allow_nan=False)
        except (TypeError, ValueError) as error:
            require(False, f"the snapshot is no plain data ({error}): use dicts, lists and numbers")
        with quiet():
            restored, info = other.restore(json.loads(text))
        now = bare.engine.observe(np.zeros(1, dtype=np.int64))
        now = {name: array[0] for name, array in now.items()}
        require_same(
            now,
            restored,
            "a restored episode observes something else",
            "put everything that `observe` reads into the snapshot",
        )
        ahead = [play(one, drawn[half:], now) for one in (bare, other)]
        require_same(
            ahead[0],
            ahead[1],
            "a restored episode goes on differently",
            "put everything that `step` reads into the snapshot",
        )
        replayed, _ = other.reset(options={"instance": info["instance"]})
        again = play(other, [Move(0, step[0]) for step in (*played, *ahead[0])], replayed)
        require(
            same([step[1:] for step in again], [step[1:] for step in (*played, *ahead[0])]),
            "replaying the actions of an episode gives another one: an episode may depend on its "
            "instance and its actions alone",
        )

    tried = _for_all_episodes(subject, holds)
    _check_steps_are_kept(subject)
    return f"{tried}, and a batch with a time limit"


def _check_steps_are_kept(subject: Subject) -> None:
    """Checks that a restored batch is cut off when the batch that it was taken from is."""
    limit, seeds = 3, [4, 5]
    made: list[Any] = [
        gymnasium.make_vec(
            subject.name, num_envs=2, max_episode_steps=limit, **dict(subject.settings)
        )
        for _ in range(2)
    ]
    before, after = made
    observation, _ = before.reset(seed=seeds)
    generator, space = np.random.default_rng(0), before.single_action_space
    for _ in range(limit - 1):
        forbidden = [
            illegal_action(before.single_action_space, mask) for mask in observation["action_mask"]
        ]
        if any(action is None for action in forbidden):  # whatever is done, it may end
            forbidden = list(
                draw_legal(before.single_action_space, observation["action_mask"], generator)
            )
        observation, *_ = before.step(np.array(forbidden))
    after.unwrapped.restore(json.loads(json.dumps(before.unwrapped.snapshot())))
    action = draw_legal(space, observation["action_mask"], generator)
    told = [env.step(action) for env in made]
    require_same(
        told[0][1:4],
        told[1][1:4],
        "a restored batch is not cut off when the one that it was taken from is",
        "put the number of steps into the snapshot",
    )
