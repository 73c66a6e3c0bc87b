"""What every engine offers; the adapters, the rollout and the trainer know nothing more."""

import importlib
import math
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from numbers import Real
from reprlib import repr as shorten
from types import UnionType
from typing import Any, ClassVar, Protocol, Union, get_args, get_origin, get_type_hints

import gymnasium
import numpy as np
from numpy.typing import NDArray

Observation = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Step:
    """What one step of N episodes pays and ends; every array has N rows."""

    reward: NDArray[np.float64]
    parts: NDArray[np.float64]  # (N, P), by `part_names`; added up in order, the reward
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    is_illegal: NDArray[np.bool_]

    @staticmethod
    def of(paid: NDArray[np.float64], flags: NDArray[np.bool_]) -> "Step":
        """Returns the step whose rewards and parts are (1 + P, N), and whose flags are (3, N).

        A frozen dataclass takes longer to fill in its own way than a kernel to step many rows.
        """
        step = object.__new__(Step)
        vars(step).update(
            reward=paid[0],
            parts=paid[1:].T,
            terminated=flags[0],
            truncated=flags[1],
            is_illegal=flags[2],
        )
        return step

    def among(self, rows: NDArray[np.int64], count: int) -> "Step":
        """Returns this step of `rows` as one of `count` rows; the others are paid nothing."""
        if len(rows) == count and (rows == np.arange(count)).all():
            return self
        spread = []
        for one in fields(self):
            values = getattr(self, one.name)
            spread.append(np.zeros((count, *values.shape[1:]), dtype=values.dtype))
            spread[-1][rows] = values
        return Step(*spread)

    def only(self, rows: NDArray[np.bool_]) -> "Step":
        """Returns this step with nothing paid or ended outside `rows`."""
        return Step(
            self.reward * rows,
            self.parts * rows[:, None],
            self.terminated & rows,
            self.truncated & rows,
            self.is_illegal & rows,
        )


@dataclass(frozen=True)
class Taken:
    """One action that was taken in an episode, as plain data, and what every part paid for it."""

    action: Any
    parts: tuple[float, ...]
    is_illegal: bool

    @staticmethod
    def of(data: dict[str, Any]) -> "Taken":
        """Returns what `dataclasses.asdict` made plain."""
        return Taken(data["action"], tuple(data["parts"]), data["is_illegal"])


class Engine(Protocol):
    """N episodes over arrays. `Config` is a frozen dataclass of plain data, all with defaults.

    `reset` and `step` work on the rows they are given; `step` raises ValueError for an action
    outside the action space and RuntimeError for a row whose episode has ended. The observation
    holds `tokens` (S, T) int32, where 0 is padding, and `action_mask` int8 as `actions` says.

    With `max_steps` a row's last step is truncated, whether its task has ended or not, as
    Gymnasium's TimeLimit does; single environments leave it to that wrapper. Of its source an
    engine needs `vocabulary`, `has_facts`, `digest` and `num_documents` for others to use it.

    It may also offer `scores(row)`, the scores whose gains it pays; `task_text`, what is to be done
    in words; `has_stop`, whether the last action of a Discrete space means "stop"; `views()`, what
    all rows observe as arrays that later steps write into, for who wants no copies; `one_row(row)`,
    a `OneRow` that is quicker than one made of the arrays; `step_among(rows, actions)`, that is,
    `step(rows, actions).among(rows, num_envs)` with fewer copies; `keeps_tokens`, true where the
    tokens of an episode (and `words` and `article`) stay the same; `reveals_in_order`, true where
    steps only fill rows of the tokens, one after the other, and change none; and a field
    `upcoming`, into which the adapters put `InstanceStream.upcoming`: the instances to come.
    `offers` says when these are used.

    It may also offer `metrics(rows)`, what is measured besides the reward of episodes that have
    terminated, an array of numbers (n,) by name, which `info["metrics"]` and evaluations have;
    `canaries`, "module:TABLE" of degenerate policies for the audit; and the fields `max_steps` and
    `config.illegal_penalty`, without which actors that answer in words cannot be rolled out.
    """

    Config: ClassVar[type]
    baselines: ClassVar[str]
    """"module:TABLE" of the baselines, by name; see `baselines.table`."""

    num_envs: int
    source: Any
    """Its supply of documents; others use the fields named above."""
    observation_space: gymnasium.spaces.Dict
    action_space: gymnasium.Space[Any]
    part_names: tuple[str, ...]
    num_instances: int | None

    def __init__(self, config: Any, num_envs: int, max_steps: int | None = None): ...

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given."""

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given."""

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations, `action_mask` among them."""

    def instance(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the rows' instances."""

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns all that a row's episode is as plain data that JSON can hold."""

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Makes a row's episode what `snapshot` returned, here or in another engine."""

    def render(self, row: int, mode: str) -> str:
        """Returns a row's episode as text for a terminal ("ansi") or as one page ("html")."""

    def oracle_action(self, row: int) -> Any:
        """Returns the next action of the best continuation of a row's episode."""

    def oracle_return(self, row: int) -> float:
        """Returns the return of the oracle on a row's document, from its start."""

    def oracle_method(self, row: int) -> str:
        """Returns how the oracle of a row's episode is found.

        "exact": nothing returns more. "expected": `oracle_return` is what the best policy that sees
        no more than is observed returns on average. Anything else names an approximation.
        """


def task_text(engine: Any) -> str:
    """Returns what an engine says is to be done, "" if it says nothing."""
    return str(getattr(engine, "task_text", ""))


def has_stop(engine: Any) -> bool:
    """Returns whether an engine says that its last action means "stop"."""
    return bool(getattr(engine, "has_stop", False))


def offers(engine: Any, shortcut: str, *methods: str) -> bool:
    """Returns whether an engine's class offers a shortcut that does what its `methods` do.

    A class that overrides one of them, and inherits the shortcut, does not: that does something
    else.
    """
    classes = type(engine).__mro__

    def place(name: str) -> int:
        own = (number for number, one in enumerate(classes) if name in vars(one))
        return next(own, len(classes))

    is_there = place(shortcut) < len(classes)
    return is_there and all(place(shortcut) <= place(method) for method in methods)


def step_among(engine: Any, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
    """Steps some rows of an engine; returns a step of all of them."""
    if offers(engine, "step_among", "step"):
        step: Step = engine.step_among(rows, actions)
        return step
    own: Step = engine.step(rows, actions)
    return own.among(rows, engine.num_envs)


def ended_metrics(engine: Any, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Returns what an engine measures of rows that have terminated; {} if it does not."""
    if not len(rows) or not hasattr(engine, "metrics"):
        return {}
    measured: dict[str, NDArray[Any]] = engine.metrics(rows)
    return measured


def load_engine(path: str) -> type[Engine]:
    """Returns the engine class that "module:Class" names; ValueError if there is none."""
    engine: type[Engine] = named_object("engine", path)
    return engine


def tell_upcoming(engine: Any, upcoming: Callable[[int], NDArray[np.int64]]) -> None:
    """Lets an engine look up which instances are to come, if it cares."""
    if hasattr(engine, "upcoming"):
        engine.upcoming = upcoming


def named_object(what: str, path: str) -> Any:
    """Returns what "module:NAME" names; ValueError if there is none."""
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        problem = f"that module cannot be imported ({error})"
    except AttributeError as error:
        problem = str(error)
    raise ValueError(
        f'{what} is {path!r}, and {problem}: write it "module:NAME", as an import would find it'
    )


def make_config(engine: type[Engine], settings: dict[str, Any]) -> Any:
    """Returns the engine's config from keywords.

    Raises:
        TypeError: an unknown keyword, with those there are, or no number where one belongs.
        ValueError: a number that is not finite.
    """
    known = {field.name: field for field in fields(engine.Config)}
    unknown = [name for name in settings if name not in known]
    if unknown:
        listed = ", ".join(
            name if field.default is MISSING else f"{name}={field.default!r}"
            for name, field in known.items()
        )
        raise TypeError(f"unknown keyword {', '.join(map(repr, unknown))}: there are {listed}")
    hints = get_type_hints(engine.Config)
    return engine.Config(
        **{name: _check_number(name, value, hints[name]) for name, value in settings.items()}
    )


def _check_number(name: str, value: Any, hint: Any) -> Any:
    """Returns the value of a field, as an int or float where its type is that."""
    allowed = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    wanted = int if int in allowed else float
    if wanted not in allowed or (value is None and type(None) in allowed):
        return value
    or_none = " or None" if type(None) in allowed else ""
    if wanted is int:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} must be an integer{or_none}, got {value!r}")
        return int(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number{or_none}, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number{or_none}, got {shorten(value)}")
    return number
