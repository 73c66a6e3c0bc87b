"""A person plays in the terminal: `python -m lightbulb_envs.play Lightbulb/NewsSummariser-v0`.

A `Game` is one engine and a player; a board shows what there is to see and reads moves. Summarisers
have a board of their own; any other engine with numbered actions is shown as it renders itself.
Both boards offer the same: `opening` shows all there is, `situation` what changes with every move,
`ending` what may be told at the end; `read` makes an action of numbers, `typed` turns one back, and
`stop` is the action that ends an episode, None if there is none.
"""

import argparse
import importlib
import io
import itertools
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from lightbulb_envs.actions import are_legal, to_plain
from lightbulb_envs.engines.engine import Engine, Step
from lightbulb_envs.engines.slate import SlateEngine
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.instances import ENDLESS, InstanceStream
from lightbulb_envs.registry import ROWS, find_row, make_engine
from lightbulb_envs.render import account_lines, printable
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


class RefusedError(ValueError):
    """A line that is no move here; it costs nothing, and the message says why."""


@dataclass(frozen=True)
class Look:
    """How wide lines are, and whether there are colours."""

    width: int = 80
    has_colour: bool = False

    def strong(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.has_colour else text

    def soft(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.has_colour else text

    def wrapped(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        """Returns a text as lines, the first led in by `first`, the others by `rest`."""
        indent = " " * len(first) if rest is None else rest
        width = max(self.width - len(indent), 20)
        lines = textwrap.wrap(printable(text), width, break_on_hyphens=False) or [""]
        return [first + lines[0], *(indent + line for line in lines[1:])]


class PlainBoard:
    """Any engine with a Discrete action space: what it renders, and the legal actions."""

    stop: Any = None

    def __init__(self, engine: Engine):
        if not isinstance(engine.action_space, Discrete):
            raise ValueError(
                "a person can play environments whose actions are Discrete, and this one's are "
                f"{engine.action_space}"
            )
        self._engine = engine

    def _legal(self) -> list[int]:
        mask = self._engine.observe(_ROW)["action_mask"][0]
        return [int(action) for action in np.flatnonzero(mask)]

    def opening(self) -> list[str]:
        return self.situation()

    def situation(self) -> list[str]:
        return [self._engine.render(0, "ansi"), f"legal actions: {_ranges(self._legal())}"]

    def ending(self) -> list[str]:
        return [self._engine.render(0, "ansi")]

    def read(self, numbers: Sequence[int]) -> Any:
        (action,) = _one(numbers)
        if action not in (legal := self._legal()):
            raise RefusedError(f"{action} is not legal now: legal actions are {_ranges(legal)}")
        return action

    def typed(self, action: Any) -> str:
        return str(action)


class ArticleBoard:
    """A summariser: the numbered article, the draft, and afterwards the reference and the facts."""

    def __init__(self, engine: SummariseEngine | SlateEngine, look: Look):
        self._engine = engine
        self._look = look
        self._most = engine.source.max_sentences
        self._is_slate = isinstance(engine, SlateEngine)
        self._is_subset = engine.task.in_article_order
        self.stop: Any = self._most
        if self._is_subset:
            self.stop = [0] * self._most
        elif self._is_slate:
            self.stop = [self._most] * int(engine.action_space.shape[0])  # type: ignore[index]

    def opening(self) -> list[str]:
        document, draft = self._engine.document(0), self._engine.draft(0)
        place = {sentence: order for order, sentence in enumerate(draft, start=1)}
        costs = self._costs()
        lines = [self._look.strong(printable(document.id)), ""]
        for number, sentence in enumerate(document.sentences[: self._most]):
            mark = f"[{place[number]}]" if number in place else "   "
            words = "" if costs is None else f"{costs[number]:>4}w"
            first = f"{mark} {number:>2}{words}  "
            shown = self._look.wrapped(sentence, first)
            lines += [self._look.strong(line) for line in shown] if number in place else shown
        cut = len(document.sentences) - self._most
        if cut > 0:
            lines.append(self._look.soft(f"    (the article goes on for {cut} more sentences)"))
        return [*lines, "", *self.situation()]

    def _costs(self) -> list[int] | None:
        """Returns the words of every sentence, None where the budget does not count words."""
        if self._engine.task.counts_sentences:
            return None
        batch = self._engine.source.batch(self._engine.instance(_ROW))
        return [int(count) for count in (batch.words[0] >= 0).sum(axis=1)]

    def _left(self) -> int:
        share = float(self._engine.observe(_ROW)["budget"][0, 0])
        return round(share * self._engine.task.budget)

    def situation(self) -> list[str]:
        budget, unit = self._engine.task.budget, self._engine.config.budget_unit
        lines = self._draft("draft", self._engine.draft(0))
        if not self._is_slate:
            return [*lines, f"budget: {self._left()} of {budget} {unit} left"]
        how = "as in: 2 0, told in that order"
        if self._is_subset:
            how = "as in: 0 2, told in the article's order"
        return [*lines, f"budget: {budget} {unit}; name the whole draft on one line, {how}"]

    def _draft(self, name: str, draft: Sequence[int]) -> list[str]:
        sentences = self._engine.document(0).sentences
        lines = [f"{name}:" if draft else f"{name}: empty"]
        for number in draft:
            lines += self._look.wrapped(sentences[number], f"{number:>6}  ")
        return lines

    def ending(self) -> list[str]:
        document, draft = self._engine.document(0), self._engine.draft(0)
        lines = self._draft("your draft", draft)
        last = self._engine.taken(0)[-1].action
        left_out = [number for number in self._sentences(last) if number not in draft]
        if left_out:
            lines.append(f"left out, for the budget: {', '.join(map(str, left_out))}")
        lines += self._draft(
            f"oracle's draft ({self._engine.oracle_method(0)} search)", self._engine.oracle(0).draft
        )
        lines.append("reference:")
        for sentence in document.reference:
            lines += self._look.wrapped(sentence, " " * 8)
        for line in account_lines(document, draft, self._engine.task.weights):
            indent = "  " if line[0] == " " else ""
            lines += self._look.wrapped(line.strip(), indent, 2 * indent)
        return lines

    def read(self, numbers: Sequence[int]) -> Any:
        count = min(len(self._engine.document(0).sentences), self._most)
        chosen = list(numbers) if self._is_slate else _one(numbers)
        for number in chosen:
            if not 0 <= number < count:
                raise RefusedError(f"there is no sentence {number}: they go from 0 to {count - 1}")
            if chosen.count(number) > 1:
                raise RefusedError(f"{number} is named twice, and a draft tells it once")
        action: Any = chosen[0]
        if self._is_subset:
            action = [int(number in chosen) for number in range(self._most)]
        elif self._is_slate:
            places = len(self.stop)
            if len(chosen) > places:
                raise RefusedError(
                    f"{len(chosen)} sentences are too many: there is room for {places}"
                )
            action = chosen + self.stop[len(chosen) :]
        mask = self._engine.observe(_ROW)["action_mask"]
        if not are_legal(self._engine.action_space, mask, np.array([action]))[0]:
            raise RefusedError(self._reason(chosen))
        return action

    def _reason(self, chosen: Sequence[int]) -> str:
        """Returns why sentences that are there may not be picked now."""
        for number in chosen:
            if number in self._engine.draft(0):
                return f"{number} is in the draft already: u takes the last pick back"
        return f"that is more than the {self._left()} {self._engine.config.budget_unit} left"

    def typed(self, action: Any) -> str:
        if to_plain(action) == self.stop:
            return "s, to stop"
        return " ".join(map(str, self._sentences(action)))

    def _sentences(self, action: Any) -> list[int]:
        """Returns the sentences that an action names."""
        if self._is_subset:
            return [int(number) for number in np.flatnonzero(action)]
        return [number for number in np.atleast_1d(action).tolist() if number != self._most]


Board = ArticleBoard | PlainBoard


def make_board(engine: Engine, look: Look) -> Board:
    """Returns the board for an engine; ValueError when nobody can type its actions."""
    if isinstance(engine, (SummariseEngine, SlateEngine)):
        return ArticleBoard(engine, look)
    return PlainBoard(engine)


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

    def _read(self, word: str) -> Any:
        self._check_going()
        numbers = []
        for part in word.replace(",", " ").split():
            try:
                numbers.append(int(part))
            except ValueError:
                shown = printable(textwrap.shorten(part, 40, placeholder="…") or part[:40])
                raise RefusedError(f"{shown!r} is no command: {self._short_help()}") from None
        if not numbers:
            raise RefusedError(self._short_help())
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
        return [why if action == self._board.stop else f"{gain}; {why}", "", *self._ending()]

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
        if self._board.stop is None:
            raise RefusedError("nothing stops this environment: type the number of an action")
        return self._move(self._board.stop)

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
        return lines + [f"  {name:<8} {meaning}" for name, meaning in COMMANDS.items()]

    def _short_help(self) -> str:
        if self._has_ended():
            return "n next, u take back, q quit, ? help"
        number = "a number" if isinstance(self._engine.action_space, Discrete) else "numbers"
        stop = "" if self._board.stop is None else ", s stop"
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


def _one(numbers: Sequence[int]) -> list[int]:
    if len(numbers) != 1:
        raise RefusedError("one number at a time: each is a step of its own")
    return list(numbers)


def _ranges(numbers: Sequence[int]) -> str:
    """Returns ascending numbers in words: "0-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(told) or "none"


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
