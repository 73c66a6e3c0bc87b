"""Episode records: what somebody else needs to replay an episode and recompute its rewards.

A file of records is JSON lines, one episode a line, and is read strictly: what another program
might have read otherwise (a key that comes twice, NaN, a field nobody knows) is refused.
"""

import contextlib
import importlib.metadata
import json
import math
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from reprlib import repr as shorten
from typing import Any

import gymnasium
import numpy as np

from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.instances import ENDLESS
from lightbulb_envs.registry import find_row
from lightbulb_envs.rollout import Episode
from lightbulb_envs.splits import SUITE_VERSION, salt_digest
from lightbulb_envs.whole_file import write_whole


def versions() -> dict[str, str]:
    """Returns the versions on which documents and rewards may depend, of what is installed."""
    found = {
        "suite": str(SUITE_VERSION),
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
        "python": platform.python_version(),
    }
    for name in ("lightbulb", "sentencex", "tokenizers", "nltk"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@dataclass(frozen=True)
class EpisodeRecord:
    """One episode: (environment id, settings, instance, actions), and what it was paid.

    Raises:
        TypeError: a field of another type.
        ValueError: a field outside its range, or not as many rewards as actions.
    """

    env_id: str
    settings: dict[str, Any]
    """Plain data, in its order: the parts of a reward are added up in the order of their names."""
    instance: int
    actions: tuple[Any, ...]
    """Ints, lists of ints or of floats, strings; None for an answer that stood for no action."""
    rewards: tuple[float, ...]
    truncated: bool
    documents: str
    """Which documents the source holds: its digest."""
    salt: str = "public"
    """"public", or the digest of the secret salt."""
    versions: dict[str, str] = field(default_factory=versions)

    def __post_init__(self) -> None:
        for name in ("env_id", "documents", "salt"):
            _check_type(name, getattr(self, name), str)
        _check_type("settings", self.settings, dict)
        _check_plain("settings", self.settings)
        _check_type("instance", self.instance, int)
        if not 0 <= self.instance < ENDLESS:
            raise ValueError(f"instance must be in [0, {ENDLESS}), got {shorten(self.instance)}")
        _check_type("actions", self.actions, tuple)
        for step, action in enumerate(self.actions, start=1):
            if action is not None and type(action) not in (int, str):
                _check_places(step, action)
        _check_type("rewards", self.rewards, tuple)
        for step, reward in enumerate(self.rewards, start=1):
            _check_type(f"reward {step}", reward, float)
            if not math.isfinite(reward):
                raise ValueError(f"reward {step} must be finite, got {reward}")
        if len(self.actions) != len(self.rewards):
            raise ValueError(
                f"there must be a reward for every action, got {len(self.actions)} actions and "
                f"{len(self.rewards)} rewards"
            )
        _check_type("truncated", self.truncated, bool)
        _check_type("versions", self.versions, dict)
        for name, version in self.versions.items():
            _check_type("a name in versions", name, str)
            _check_type(f"versions[{name!r}]", version, str)
        if "suite" not in self.versions:
            raise ValueError('versions must hold that of "suite", which says what documents are')

    def to_json(self) -> str:
        """Returns the record as one line of JSON, in ASCII."""
        return json.dumps(vars(self), allow_nan=False)

    @staticmethod
    def from_json(line: str) -> "EpisodeRecord":
        """Returns the record that `to_json` wrote; ValueError or TypeError says what is wrong."""
        data = _parse(line)
        if not isinstance(data, dict):
            raise TypeError(f"a record must be an object, got {type(data).__name__}")
        known = [one.name for one in fields(EpisodeRecord)]
        for what, names in (
            ("lacks", [name for name in known if name not in data]),
            ("has unknown", [name for name in data if name not in known]),
        ):
            if names:
                raise ValueError(
                    f"a record has the fields {', '.join(known)}, and this one {what} "
                    f"{', '.join(map(shorten, names))}"
                )
        for name in ("actions", "rewards"):
            _check_type(name, data[name], list)
        data["actions"] = tuple(data["actions"])
        data["rewards"] = tuple(map(_to_float, data["rewards"]))
        return EpisodeRecord(**data)


def _check_type(name: str, value: Any, wanted: type) -> None:
    if type(value) is not wanted:  # a bool is an int to `isinstance`
        raise TypeError(
            f"{name} must be of type {wanted.__name__}, got {shorten(value)}, "
            f"which is {type(value).__name__}"
        )


def _check_places(step: int, action: Any) -> None:
    """Raises TypeError or ValueError unless an action is a list of ints or of finite floats."""
    kinds = {type(place) for place in action} if type(action) is list else {type(action)}
    if type(action) is not list or (kinds and kinds not in ({int}, {float})):
        raise TypeError(
            f"action {step} must be an int, a string, a list of ints or a list of floats, got "
            f"{shorten(action)}"
        )
    if kinds == {float} and not all(map(math.isfinite, action)):
        raise ValueError(f"action {step} must be of finite floats, got {shorten(action)}")


def _check_plain(name: str, value: Any) -> None:
    """Raises TypeError or ValueError unless JSON can hold a value and give it back as it is."""
    if type(value) is dict:
        for key, inner in value.items():
            _check_type(f"a name in {name}", key, str)
            _check_plain(f"{name}[{key!r}]", inner)
    elif type(value) is list:
        for place, inner in enumerate(value):
            _check_plain(f"{name}[{place}]", inner)
    elif type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value}")
    elif value is not None and type(value) not in (str, int, bool):
        raise TypeError(f"{name} must be plain data, got {shorten(value)}")


def _parse(line: str) -> Any:
    """Returns what a line of JSON says, refusing what readers of JSON disagree on."""
    try:
        return json.loads(line, object_pairs_hook=_to_dict, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read (brackets too deep)") from error


def _to_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"{shorten(twice)} comes more than once: a name may come once in an object"
        )
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON: numbers must be finite")


def _to_float(value: Any) -> Any:
    """Returns a whole number as a float, for JSON has numbers alone; anything else as it is."""
    try:
        return float(value) if type(value) is int else value
    except OverflowError as error:
        raise ValueError(f"a reward must be a finite float, got {shorten(value)}") from error


def salt_of(env_id: str, settings: dict[str, Any], engine: Engine) -> str:
    """Returns what a record says of the salt; files, whose documents have an end, have none."""
    is_drawn = engine.source.num_documents is None
    split = {**find_row(env_id).settings, **settings}.get("split")
    return salt_digest(split or "train") if is_drawn else "public"


def records_of(
    env_id: str, settings: dict[str, Any], engine: Engine, episodes: Iterable[Episode]
) -> list[EpisodeRecord]:
    """Returns the records of episodes that were played in the engine of an id and settings."""
    plain = json.loads(json.dumps(settings, allow_nan=False))
    salt, installed = salt_of(env_id, settings, engine), versions()
    return [
        EpisodeRecord(
            env_id=find_row(env_id).id,
            settings=plain,
            instance=episode.instance,
            actions=episode.actions,
            rewards=episode.rewards,
            truncated=episode.truncated,
            documents=engine.source.digest,
            salt=salt,
            versions=installed,
        )
        for episode in episodes
    ]


def read_records(path: Path) -> list[EpisodeRecord]:
    """Returns the records of a file: line n is record n - 1.

    Raises:
        OSError: the file is not there or cannot be read.
        ValueError: its first line that is no record, and what is wrong with it.
    """
    records: list[EpisodeRecord] = []
    try:
        with path.open("rb") as file:
            for line, raw in enumerate(file, start=1):
                records.append(_read_line(f"{path}, line {line}", raw))
    except OSError as error:
        raise type(error)(
            f"{path} cannot be read ({error.strerror}): give a file of episode records"
        ) from error
    if not records:
        raise ValueError(f"{path} is empty: a file of episode records has a line an episode")
    return records


def _read_line(name: str, raw: bytes) -> EpisodeRecord:
    if not raw.strip():
        raise ValueError(f"{name}: the line is blank; every line must be a record")
    try:
        return EpisodeRecord.from_json(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: not UTF-8 ({error.reason} at byte {error.start})") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name}: {error}") from error


def write_records(path: Path, records: Iterable[EpisodeRecord]) -> None:
    """Writes records as JSON lines, so that the file is either the old one or the whole new one.

    Raises:
        OSError: the file cannot be written, and why; what was there before still is.
    """
    write_whole(path, (f"{record.to_json()}\n".encode("ascii") for record in records))
