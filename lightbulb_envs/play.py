"""A person plays in the terminal: `python -m lightbulb_envs.play Lightbulb/NewsSummariser-v0`.

A `Game` is one engine and a player; one of the `boards` shows what there is to see.
"""

import argparse
import importlib
import io
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from lightbulb_envs.answers import RefusedError
from lightbulb_envs.boards import Look, make_board
from lightbulb_envs.engines.engine import Engine, Step
from lightbulb_envs.instances import ENDLESS, InstanceStream
from lightbulb_envs.registry import ROWS, find_row, make_engine
from lightbulb_envs.render import printable
from lightbulb_envs.score import normalised_score, random_returns
from lightbulb_envs.settings import parse_settings
from lightbulb_envs.summation import add_in_order

ENV_ID = "Lightbulb/NewsSummariser-v0"
COMMANDS = {
    "s": "stop, with the draft as it is",
    "u": "take the last move back; as often as you like",
    "h": "a hint: the oracle's next move",
    "a": "show the article again",
    "n": "the next article, after the end of this one",
    "?": "this help",
    "q": "quit",
}
_NAMES = {"stop": "s", "undo": "u", "hint": "h", "article": "a", "next": "n", "help": "?"}
_NAMES |= {"quit": "q", "exit": "q"}
_ROW = np.zeros(1, dtype=np.int64)
_MOST_COLUMNS = 100
_PLAIN_ZERO = "+0.000"


class Game:
    """A player's moves in an engine of one row, and what they returned.

    Args:
        instances: the documents, one an episode, one or more.
    """

    def __init__(self, engine: Engine, instances: Iterator[int], look: Look | None = None):
        self._engine = engine
        self._instances = instances
        self._look = look or Look()
        self._board = make_board(engine, self._look)
        self._finished: dict[int, tuple[float, float, float]] = {}
        self._commands: dict[str, Callable[[], list[str]]] = {
            "s": self._stop,
            "u": self._undo,
            "h": self._hint,
            "a": self._board.opening,
            "n": self._next,
            "?": self._help,
        }
        self._start(next(instances))

    def _start(self, instance: int) -> None:
        self._instance = instance
        self._engine.reset(_ROW, np.array([instance]))
        self._past: list[dict[str, Any]] = []
        self._steps: list[Step] = []
        self._hints = self._undos = 0

    def opening(self) -> list[str]:
        """Returns what a player sees first."""
        return [*self._board.opening(), self._look.soft(self._short_help())]

    def obey(self, line: str) -> list[str]:
        """Returns the answer to a line that was typed; RefusedError says why there is none."""
        word = _word(line)
        command = self._commands.get(word)
        if command is not None:
            return command()
        if not word:
            raise RefusedError(self._short_help())
        return self._move(self._read(word))

    def _read(self, line: str) -> Any:
        self._check_going()
        if self._board.answers.is_free:
            return self._board.answers.parse(line)
        try:
            numbers = self._board.answers.numbers_in(line)
        except RefusedError as refusal:
            raise RefusedError(f"{refusal}: {self._short_help()}") from None
        return self._board.read(numbers)

    def _has_ended(self) -> bool:
        return bool(self._steps and (self._steps[-1].terminated[0] or self._steps[-1].truncated[0]))

    def _check_going(self) -> None:
        if self._has_ended():
            raise RefusedError("the episode has ended: n is the next, u takes the last move back")

    def _move(self, action: Any) -> list[str]:
        self._past.append(self._engine.snapshot(0))
        self._steps.append(self._engine.step(_ROW, np.array([action])))
        gain = self._paid(self._steps[-1:])
        if not self._has_ended():
            return [gain, *self._board.situation()]
        is_cut = self._steps[-1].truncated[0] and not self._steps[-1].terminated[0]
        why = "that was the last step allowed" if is_cut else "the episode has ended"
        has_stopped = action == self._board.answers.stop
        return [why if has_stopped else f"{gain}; {why}", "", *self._ending()]

    def _paid(self, steps: Sequence[Step]) -> str:
        """Returns what steps were paid, and for what."""
        rows = [step.parts[0].tolist() for step in steps]
        names = self._engine.part_names
        sums = [add_in_order(column) for column in zip(*rows, strict=True)]
        told = [f"{name} {value:+.3f}" for name, value in zip(names, sums, strict=True)]
        parts = ", ".join(part for part in told if part[-6:] != _PLAIN_ZERO)
        paid = self._look.strong(f"{self._return(steps):+.3f}")
        return f"{paid}  {self._look.soft(f'({parts})')}" if parts else paid

    @staticmethod
    def _return(steps: Sequence[Step]) -> float:
        return add_in_order(float(step.reward[0]) for step in steps)

    def _ending(self) -> list[str]:
        own, oracle = self._return(self._steps), self._engine.oracle_return(0)
        lines = [*self._board.ending(), ""]
        random = self._random_return()
        self._finished[self._instance] = own, random, oracle
        lines.append(f"return  {self._paid(self._steps)}")
        lines.append(f"oracle  {oracle:+.3f}")
        lines.append(f"score   {_score([self._finished[self._instance]])}")
        lines.append(f"{_count(self._hints, 'hint')}, {_count(self._undos, 'move')} taken back")
        return [*lines, "", self._look.soft(self._short_help())]

    def _random_return(self) -> float:
        """Returns what a random policy would get here; the episode stays as it is."""
        kept = self._engine.snapshot(0)
        (value,) = random_returns(self._engine, np.array([self._instance])).tolist()
        self._engine.restore(0, kept)
        return float(value)

    def _stop(self) -> list[str]:
        self._check_going()
        return self._move(self._board.read(()))

    def _undo(self) -> list[str]:
        if not self._past:
            raise RefusedError("there is no move to take back")
        self._engine.restore(0, self._past.pop())
        self._steps.pop()
        self._undos += 1
        self._finished.pop(self._instance, None)
        return ["taken back", *self._board.situation()]

    def _hint(self) -> list[str]:
        self._check_going()
        self._hints += 1
        action = self._engine.oracle_action(0)
        return [f"hint {self._hints}: the oracle would type {self._board.typed(action)}"]

    def _next(self) -> list[str]:
        if not self._has_ended():
            raise RefusedError("this episode has not ended: n is for afterwards")
        instance = next(self._instances, None)
        if instance is None:
            raise RefusedError("that was the last article: q quits")
        self._start(instance)
        return self.opening()

    def _help(self) -> list[str]:
        number = "number" if isinstance(self._engine.action_space, Discrete) else "numbers"
        lines = [f"  {number:<8} take that action: pick what has that number"]
        if self._board.answers.is_free:
            lines = [f"  {'text':<8} write that"]
        return lines + [f"  {name:<8} {meaning}" for name, meaning in COMMANDS.items()]

    def _short_help(self) -> str:
        if self._has_ended():
            return "n next, u take back, q quit, ? help"
        number = "a number" if isinstance(self._engine.action_space, Discrete) else "numbers"
        stop = "" if self._board.answers.stop is None else ", s stop"
        if self._board.answers.is_free:
            return "text to write, u take back, h hint, q quit, ? help"
        return f"{number} to pick{stop}, u take back, h hint, q quit, ? help"

    def farewell(self) -> str:
        """Returns a line on all episodes that were finished."""
        if not self._finished:
            return "Nothing was finished."
        told = list(self._finished.values())
        mean = float(np.mean([own for own, _, _ in told]))
        finished = f"{_count(len(told), 'episode')} finished"
        return f"{finished}: mean return {mean:.3f}, score {_score(told)}"


def play(game: Game, lines: Iterable[str], write: Callable[[str], object]) -> None:
    """Plays until the lines end or one of them is `q`; every answer is one call of `write`."""
    write("\n".join(game.opening()) + "\n")
    for line in lines:
        if _word(line) == "q":
            break
        try:
            answer = game.obey(line)
        except RefusedError as refusal:
            answer = [str(refusal)]
        write("\n".join(answer) + "\n")
    write(game.farewell() + "\n")


def _word(line: str) -> str:
    """Returns a line without case and spaces around it, a command by its short name."""
    word = line.strip().lower()
    return _NAMES.get(word, word)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _score(told: Sequence[tuple[float, float, float]]) -> str:
    """Returns the normalised score of own, random and oracle returns, in words."""
    own, random, oracle = (np.array(column) for column in zip(*told, strict=True))
    scale = f"(0 is random, {random.mean():.3f}; 100 the oracle, {oracle.mean():.3f})"
    try:
        return f"{normalised_score(own, random, oracle):.1f}  {scale}"
    except ValueError:
        return "none: random play does as well as the oracle here"


def instances_from(engine: Engine, first: int | None, seed: int | None) -> Iterator[int]:
    """Yields the instances to play: from `first` on, or those of a seed, a fresh one for None."""
    if first is not None:
        if not 0 <= first < ENDLESS:
            raise ValueError(f"--instance must be in [0, {ENDLESS}), got {first}")
        last = engine.source.num_documents
        yield from itertools.count(first) if last is None else range(first, max(last, first + 1))
        return
    stream = InstanceStream(1, engine.num_instances)
    stream.seed(seed)
    while True:
        yield int(stream.draw(_ROW)[0])


def _open(arguments: argparse.Namespace) -> Engine:
    """Returns the engine that the command line asks for."""
    settings = parse_settings(arguments.settings, {"split": "name it with --split"})
    if arguments.split is not None:
        settings["split"] = arguments.split
    module, colon, env_id = arguments.id.rpartition(":")
    if colon:
        importlib.import_module(module)
    find_row(env_id)
    return make_engine(env_id, 1, **settings)


def _typed() -> Iterator[str]:
    """Yields the lines that are typed, until the end of the input."""
    prompt = "> " if sys.stdin.isatty() else ""
    while True:
        try:
            yield input(prompt)
        except EOFError:
            if prompt:
                print()
            return


def _look() -> Look:
    columns = shutil.get_terminal_size().columns
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Look(
        width=max(40, min(columns, _MOST_COLUMNS)),
        has_colour=sys.stdout.isatty() and not is_plain,
    )


def main() -> None:
    """Plays what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m lightbulb_envs.play",
        description="Play an environment yourself.",
        epilog=f"Ids: {', '.join(ROWS)}; package:ID imports a package first, to register its own.",
    )
    parser.add_argument("id", nargs="?", default=ENV_ID, metavar="ID", help=f"({ENV_ID})")
    parser.add_argument("--split", help="split of the documents (the environment's own)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--instance", type=int, metavar="N", help="number of the first document")
    which.add_argument("--seed", type=int, metavar="S", help="seed of the documents (a fresh one)")
    parser.add_argument(
        "--settings", nargs="+", action="extend", default=[], metavar="NAME=JSON",
        help="keywords of the environment, as in --settings level=4 source=jsonl:news.jsonl",
    )  # fmt: skip
    arguments = parser.parse_args()
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            engine = _open(arguments)
            instances = instances_from(engine, arguments.instance, arguments.seed)
            game = Game(engine, instances, _look())
        except (ValueError, TypeError, OverflowError, ImportError, OSError) as error:
            parser.exit(2, f"play: {printable(str(error))}\n")
        play(game, _typed(), lambda text: print(text, end="", flush=True))
    except KeyboardInterrupt:
        print()
        sys.exit(130)


if __name__ == "__main__":
    main()
