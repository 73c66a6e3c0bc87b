"""Answers that people and language models write, and the actions that they stand for.

A line of a text is an *answer* when it holds numbers or the word "stop", and besides them nothing
but the words of `WORDS` and marks: `3`, `pick 3`, `I choose sentence 3.`, `**Answer:** [3]`,
`STOP`, and where several numbers are asked for `3, 1, 7` or `3 1 and 7, stop`, in any case. Where
shares are asked for they are whole numbers, in per cent if they say so: `70, 30` or `70% and 30%`.

    The last line that is an answer is the answer. All other lines are prose, and are not read.

Nothing is guessed: `3 or 7`, `3-7`, `3.5`, `-3`, `007` and `not 3` are prose, and an answer with
more numbers than are asked for is refused, even if a line before it has fewer.
"""

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Text

from lightbulb_envs.actions import Space, to_plain
from lightbulb_envs.render import printable

STOP = "stop"
WORDS = frozenset(
    """
    a action add and answer choice choose chosen d draft final i is let ll m my next number option
    our pick s select selected sentence sentences slate subset summary take the then us we will
    would
    """.split()
)
"""Words that an answer may hold; none of them says "not", "or" or "up to"."""
_TAG = re.compile("</?[a-z]+>")
_MARKS = str.maketrans(dict.fromkeys("*_`\"'“”‘’()[]{}:=,;#", " "))
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")
_PERCENT = re.compile("([0-9]) ?%")
_LONGEST_LINE = 4000
"""Characters; a longer line is prose."""


class RefusedError(ValueError):
    """A text that is no answer or no move; the message says why, in one line."""


def parse_answer(text: str, most: int, *, in_percent: bool = False) -> tuple[int, ...]:
    """Returns the numbers of an answer, () for "stop".

    Args:
        most: how many numbers are asked for, at most. With more than one, "stop" may follow them.
        in_percent: whether a number may be followed by "%".

    Raises:
        RefusedError: no line is an answer, or the last one that is has too many numbers.
    """
    for line in reversed(text.splitlines()):
        words = _answer_words(_PERCENT.sub(r"\1 ", line) if in_percent else line)
        if words is not None:
            return _numbers(words, most)
    if not text.strip():
        raise RefusedError("the answer is empty")
    last = printable(text.strip().splitlines()[-1][:_LONGEST_LINE])
    shown = textwrap.shorten(last, 40, placeholder="…")
    raise RefusedError(f"{shown if len(shown) > 1 else last[:40]!r} is no answer")


def plain_words(line: str) -> list[str]:
    """Returns the words of a line in lower case, without marks; [] if it is too long to read."""
    if len(line) > _LONGEST_LINE:
        return []
    return _TAG.sub(" ", line.lower()).translate(_MARKS).rstrip(" .!\t").split()


def _answer_words(line: str) -> list[str] | None:
    """Returns the numbers and stops of a line; None if it is prose."""
    words = " ".join(plain_words(line)).replace(" to stop", " stop").split()
    told = [word for word in words if word == STOP or _NUMBER.fullmatch(word)]
    is_answer = told and all(word in told or word in WORDS for word in words)
    return told if is_answer else None


def _numbers(words: Sequence[str], most: int) -> tuple[int, ...]:
    numbers = tuple(int(word) for word in words if word != STOP)
    stops = len(words) - len(numbers)
    if numbers and stops and (most == 1 or words.index(STOP) < len(numbers)):
        raise RefusedError('the answer has both a number and "stop", and may have one of them')
    if len(numbers) > most:
        asked = "one is asked for" if most == 1 else f"at most {most} are asked for"
        raise RefusedError(f"the answer has {len(numbers)} numbers, and {asked}")
    return numbers


class Answers:
    """What may be answered where actions are numbers, or choices of numbers.

    Args:
        space: Discrete, or a choice of several: MultiDiscrete with a place a number (`slate`), or
            MultiBinary with a bit a number (`multibinary`); or a Box from 0 to 1 of weights, which
            are told in per cent; or Text, of which every answer is an action.
        has_stop: whether the last action of a Discrete space stands for "stop".
    """

    def __init__(self, space: Space, *, has_stop: bool):
        self._space = space
        self.most = 1
        """How many numbers an answer may have."""
        self.stop: Any = None
        """The action that "stop" stands for, None if nothing stops."""
        self.in_percent = isinstance(space, Box)
        """Whether an answer has a whole number a place, in per cent, and all of them."""
        self.is_free = isinstance(space, Text)
        """Whether an answer may be any text, which is the action."""
        if isinstance(space, Discrete):
            self.numbers = range(int(space.start), int(space.start + space.n) - has_stop)
            self.stop = self.numbers.stop if has_stop else None
        elif isinstance(space, MultiDiscrete) and has_stop:
            self.most = len(space.nvec)
            self.numbers = range(int(space.nvec.min()) - 1)
            self.stop = [len(self.numbers)] * self.most
        elif isinstance(space, MultiBinary) and has_stop:
            self.most = int(space.n)  # type: ignore[arg-type] # of one axis here
            self.numbers = range(self.most)
            self.stop = [0] * self.most
        elif isinstance(space, Box) and _is_of_weights(space):
            self.most = space.shape[0]
            self.numbers = range(101)
        elif isinstance(space, Text):
            self.most, self.numbers = 0, range(0)
        else:
            raise ValueError(
                f"people and language models answer where actions are Discrete, and here they are "
                f"{space}"
            )

    @property
    def asked(self) -> str:
        """What an answer is, in words."""
        if self.in_percent:
            even = ", ".join([str(100 // self.most)] * self.most)
            return f'{self.most} whole numbers in per cent, such as "{even}"'
        or_stop = "" if self.stop is None else f', or "{STOP}"'
        return f'the number of an action, such as "{self.numbers[-1]}"{or_stop}'

    def numbers_in(self, text: str) -> tuple[int, ...]:
        """Returns the numbers of an answer, () for "stop"; RefusedError if a text is none."""
        return parse_answer(text, self.most, in_percent=self.in_percent)

    def parse(self, text: str) -> Any:
        """Returns the action that a text stands for; RefusedError if it stands for none."""
        if isinstance(self._space, Text):
            if len(text) > self._space.max_length:
                raise RefusedError(
                    f"the answer has {len(text):,} characters, and may have "
                    f"{self._space.max_length:,}"
                )
            return text
        return self.action(self.numbers_in(text))

    def action(self, numbers: Sequence[int]) -> Any:
        """Returns the action that numbers stand for, none of them for "stop".

        Raises:
            RefusedError: no action of the space is called so.
        """
        for number in numbers:
            if number not in self.numbers:
                first, last = self.numbers[0], self.numbers[-1]
                raise RefusedError(f"there is no {number}: they go from {first} to {last}")
        if not numbers:
            if self.stop is None:
                raise RefusedError("nothing stops this environment: answer with a number")
            return self.stop
        if self.in_percent:
            if len(numbers) < self.most:
                raise RefusedError(
                    f"the answer has {len(numbers)} numbers, and {self.most} are asked for"
                )
            share = np.array(numbers) / 100
            return share.astype(self._space.dtype).tolist()  # as the space holds them
        if isinstance(self._space, MultiBinary):
            return [int(number in numbers) for number in self.numbers]
        if isinstance(self._space, MultiDiscrete):
            return [*numbers, *self.stop[len(numbers) :]]
        return numbers[0]

    def named(self, action: Any) -> list[int]:
        """Returns the numbers that an action stands for."""
        plain = to_plain(action)
        if self.in_percent:
            return [round(100 * share) for share in plain]
        if isinstance(self._space, MultiBinary):
            return [int(number) for number in np.flatnonzero(plain)]
        named = [int(number) for number in np.atleast_1d(plain)]
        end = self.numbers.stop if self.stop is not None else None
        return named[: named.index(end)] if end in named else named


def _is_of_weights(space: Box) -> bool:
    is_list = len(space.shape) == 1 and space.shape[0] > 1
    return is_list and bool((space.low == 0).all() and (space.high == 1).all())


def ranges(numbers: Sequence[int]) -> str:
    """Returns ascending numbers in words: "0-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(told) or "none"
