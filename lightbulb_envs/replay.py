"""Replaying records: `python -m lightbulb_envs.replay FILE ...` recomputes every reward.

An episode is replayed from its instance and actions alone, without the policy that played it.
Episodes of one id and settings are stepped together, and every document is made once.
"""

import argparse
import importlib
import itertools
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs import registry
from lightbulb_envs.actions import check_actions
from lightbulb_envs.engines.engine import Engine, Step
from lightbulb_envs.engines.refusals import refusal_penalty, step_or_refuse
from lightbulb_envs.record import EpisodeRecord, read_records, salt_of, versions
from lightbulb_envs.splits import HELDOUT_SALT_VARIABLE, SUITE_VERSION

ROWS = 256
"""Episodes that are stepped together."""
SHOWN = 20
"""Differences, and notes, that the command prints."""


@dataclass(frozen=True)
class Difference:
    """The first step at which an episode is not what its record says."""

    name: str
    """What the caller calls the record: its file and line."""
    env_id: str
    instance: int
    step: int
    """From 1; 0 where the record has no step."""
    action: Any
    """None where the record has no step, or an answer that stood for no action."""
    what: str
    """"action", "reward", "end" or "truncated": where record and episode part."""
    recorded: Any
    recomputed: Any
    parts: dict[str, float]
    """What every part paid at this step when it was recomputed; none where it could not be."""

    def __str__(self) -> str:
        paid = ", ".join(f"{part} {value!r}" for part, value in self.parts.items())
        return (
            f"{self.name}: {self.env_id}, instance {self.instance}, step {self.step}, action "
            f"{self.action}: {self.what} recorded {self.recorded}, recomputed {self.recomputed}"
            + (f" ({paid})" if paid else "")
        )


@dataclass(frozen=True)
class ReplayReport:
    """What a replay found."""

    episodes: int
    steps: int
    """Steps that were recomputed."""
    ids: tuple[str, ...]
    differences: tuple[Difference, ...]
    """At most one an episode, in the order of the records."""
    notes: tuple[str, ...]
    """Versions that differ, and did not keep the rewards from being recomputed."""


@dataclass(frozen=True)
class _Named:
    """A record, its number among all, and what the caller calls it."""

    number: int
    name: str
    record: EpisodeRecord


def replay(
    records: Sequence[EpisodeRecord], names: Sequence[str] | None = None, tolerance: float = 0.0
) -> ReplayReport:
    """Recomputes every reward of records from their actions; returns where they differ.

    Args:
        names: what errors and differences call the records. Default: by their numbers, from 1.
        tolerance: how far a reward may be from the recorded one; rewards are deterministic, so
            none on the platform that they were recorded on.

    Raises:
        ValueError: a record that cannot be replayed here: an unknown id, settings that it does
            not take, another version of the suite, another salt, other documents.
    """
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance must be 0 or more, got {tolerance}")
    if names is None:
        names = [f"record {number}" for number in range(1, len(records) + 1)]
    groups: dict[tuple[str, ...], list[_Named]] = {}
    for number, (name, record) in enumerate(zip(names, records, strict=True)):
        # Not sorted: the order of a reward's parts is that in which they are added up.
        settings = json.dumps(record.settings)
        suite = record.versions["suite"]
        key = (record.env_id, settings, record.documents, record.salt, suite)
        groups.setdefault(key, []).append(_Named(number, name, record))
    differences: dict[int, Difference] = {}
    steps = 0
    for group in groups.values():
        engine = _open(group[0], min(ROWS, len(group)))
        _check_instances(engine, group)
        for rows in _rounds(group):
            together = _Round(engine, rows, tolerance)
            together.play()
            differences |= together.differences
            steps += together.steps
    return ReplayReport(
        episodes=len(records),
        steps=steps,
        ids=tuple(dict.fromkeys(record.env_id for record in records)),
        differences=tuple(differences[number] for number in sorted(differences)),
        notes=_notes(records),
    )


def _open(named: _Named, rows: int) -> Engine:
    """Returns an engine for records like this one, with the documents that it was played on."""
    record = named.record
    suite, installed = record.versions["suite"], versions()
    if suite != str(SUITE_VERSION):
        raise ValueError(
            f"{named.name}: it was played on version {suite!r} of the suite, and this is version "
            f"'{SUITE_VERSION}', whose documents are others: replay it with lightbulb "
            f"{record.versions.get('lightbulb', 'of that time')}, not with "
            f"{installed.get('lightbulb', 'this one')}"
        )
    if ":" in record.env_id:
        raise ValueError(
            f"{named.name}: the id {record.env_id!r} would import a module that the record names: "
            "a record holds the id alone; say yourself what to import, with --import MODULE"
        )
    try:
        engine = registry.make_engine(record.env_id, rows, **record.settings)
        salt = salt_of(record.env_id, record.settings, engine)
    except Exception as error:  # whatever an engine makes of settings that a stranger wrote
        if record.env_id not in registry.ROWS:
            raise ValueError(
                f"{named.name}: no environment is called {record.env_id!r}: if a package of your "
                "own registers it, name its module with --import MODULE"
            ) from error
        raise ValueError(f"{named.name}: {record.env_id!r} cannot be made: {error}") from error
    if salt != record.salt:
        raise ValueError(
            f"{named.name}: it was played with the salt {record.salt!r}, and its settings give "
            f"{salt!r} here: the secret salt is that of the file which {HELDOUT_SALT_VARIABLE} "
            'names, and all splits but "heldout" have the public one'
        )
    if engine.source.digest != record.documents:
        raise ValueError(
            f"{named.name}: it was played on the documents {record.documents!r}, and its source "
            f"holds {engine.source.digest!r} here: the files were changed, or are others of the "
            "same name; replay it where the files are that it was played on"
        )
    return engine


def _check_instances(engine: Engine, group: Sequence[_Named]) -> None:
    most = engine.source.num_documents
    for named in group:
        if most is not None and named.record.instance >= most:
            raise ValueError(
                f"{named.name}: its instance must be in [0, {most}), for the source holds so many "
                f"documents, got {named.record.instance}"
            )


def _rounds(group: Sequence[_Named]) -> Iterator[dict[int, _Named]]:
    """Yields, by row, the records to play together.

    An engine keeps a row's document while its instance stays, so the records of one instance
    follow each other in one row.
    """
    by_instance: dict[int, list[_Named]] = {}
    for named in group:
        by_instance.setdefault(named.record.instance, []).append(named)
    waiting = list(by_instance.values())
    for start in range(0, len(waiting), ROWS):
        for records in itertools.zip_longest(*waiting[start : start + ROWS]):
            yield {row: named for row, named in enumerate(records) if named is not None}


class _Round:
    """Records that are replayed together, one a row."""

    def __init__(self, engine: Engine, rows: dict[int, _Named], tolerance: float):
        self.differences: dict[int, Difference] = {}
        """By the number of the record."""
        self.steps = 0
        self._engine = engine
        self._tolerance = tolerance
        self._active = rows

    def play(self) -> None:
        """Plays every episode to its end, or to the first step that differs."""
        instances = [named.record.instance for named in self._active.values()]
        self._engine.reset(np.array(list(self._active)), np.array(instances))
        number = 0
        while self._active:
            chosen = self._choose(number)
            if self._active:
                rows = np.array(list(self._active))
                self._compare(number, step_or_refuse(self._engine, rows, chosen, number + 1))
            number += 1

    def _choose(self, number: int) -> NDArray[np.int64] | list[Any]:
        """Returns the actions of a step; rows whose record has none that can be taken end."""
        for row, named in list(self._active.items()):
            count = len(named.record.actions)
            if count == number:
                self._end(row, count - 1, "end", f"after step {count}", "later, if at all")
        space = self._engine.action_space
        actions = {row: named.record.actions[number] for row, named in self._active.items()}
        try:
            return check_actions(list(actions.values()), len(actions), space)
        except (TypeError, ValueError):
            pass  # one by one they tell which of them it was
        held: list[Any] = []
        for row, action in actions.items():
            try:
                if action is None:
                    refusal_penalty(self._engine)
                    held.append(None)
                else:
                    held.append(check_actions([action], 1, space)[0])
            except (TypeError, ValueError) as error:
                self._end(row, number, "action", action, f"none, for {error}")
        return held

    def _compare(self, number: int, step: Step) -> None:
        """Compares what a step paid and ended with the records."""
        self.steps += len(self._active)
        rewards, truncated = step.reward.tolist(), step.truncated.tolist()
        has_ended = (step.terminated | step.truncated).tolist()
        for position, (row, named) in enumerate(list(self._active.items())):
            record = named.record
            recorded, recomputed = record.rewards[number], rewards[position]
            count = len(record.actions)
            differs: tuple[str, Any, Any] | None = None
            if not abs(recorded - recomputed) <= self._tolerance:  # so that NaN differs
                differs = ("reward", recorded, recomputed)
            elif not has_ended[position]:
                continue
            elif count > number + 1:
                differs = ("end", f"after step {count}", f"after step {number + 1}")
            elif record.truncated != truncated[position]:
                differs = ("truncated", record.truncated, truncated[position])
            if differs is None:
                del self._active[row]
            else:
                self._end(row, number, *differs, step.parts[position].tolist())

    def _end(
        self,
        row: int,
        number: int,
        what: str,
        recorded: Any,
        recomputed: Any,
        paid: Sequence[float] = (),
    ) -> None:
        """Notes a difference; what follows it in the episode says nothing more."""
        named = self._active.pop(row)
        record = named.record
        self.differences[named.number] = Difference(
            name=named.name,
            env_id=record.env_id,
            instance=record.instance,
            step=number + 1,
            action=record.actions[number] if number >= 0 else None,
            what=what,
            recorded=recorded,
            recomputed=recomputed,
            parts=dict(zip(self._engine.part_names, paid, strict=True)) if paid else {},
        )


def _notes(records: Sequence[EpisodeRecord]) -> tuple[str, ...]:
    """Returns a note for every version that is not the installed one."""
    installed = versions()
    played = {pair: None for record in records for pair in record.versions.items()}
    return tuple(
        f"the version of {name!r} was {version!r} when played, and is {installed.get(name)!r} here"
        for name, version in played
        if installed.get(name) != version
    )


def _read_all(paths: Sequence[Path]) -> tuple[list[EpisodeRecord], list[str]]:
    """Returns the records of files, and their files and lines."""
    records: list[EpisodeRecord] = []
    names: list[str] = []
    for path in paths:
        read = read_records(path)
        records += read
        names += [f"{path}, line {line}" for line in range(1, len(read) + 1)]
    return records, names


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"--import {module} cannot be imported ({error}): is its folder on PYTHONPATH, or the "
            "package installed?"
        ) from error


def _print_first(lines: Sequence[object]) -> None:
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print(f"and {len(lines) - SHOWN:,} more")


def main() -> None:
    """Replays files: exit code 1 for a difference, 2 for bad input, 130 when it is stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m lightbulb_envs.replay",
        description="Recompute every reward of episode records from their actions.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="episode records")
    parser.add_argument(
        "--tolerance", type=float, default=0.0, help="how far a reward may be off (0)"
    )
    parser.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module that registers ids of its own; may be given several times",
    )
    arguments = parser.parse_args()
    try:
        _replay_files(arguments.files, arguments.modules, arguments.tolerance)
    except (ValueError, OSError, ImportError) as error:
        print(f"lightbulb: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nStopped. Nothing was written; the same command begins again", file=sys.stderr)
        sys.exit(130)


def _replay_files(files: Sequence[Path], modules: Sequence[str], tolerance: float) -> None:
    """Prints what a replay of files finds; exits when something differs."""
    start = time.perf_counter()
    for module in modules:
        _import(module)
    records, names = _read_all(files)
    report = replay(records, names, tolerance)
    seconds = time.perf_counter() - start
    _print_first([f"note: {note}" for note in report.notes])
    _print_first(report.differences)
    print(
        f"{report.episodes:,} episodes, {report.steps:,} steps of {', '.join(report.ids)} in "
        f"{seconds:.1f} s, {report.episodes / seconds:,.0f} episodes a second"
    )
    if report.differences:
        sys.exit(f"{len(report.differences):,} of {report.episodes:,} episodes differ")
    print("Every episode is as recorded")


if __name__ == "__main__":
    main()
