"""Signatures: runs of words by which a text states a fact, whoever writes it.

A source whose documents have facts tells each in a known set of ways. A *signature* is what is the
same in one of them for all facts of a kind, as *symbols*: a word that ways to tell are made of, or
one of the classes below. What it *means* is a list of kinds of facts, each with the value that a
fact must have: a phrase that the signature spells out, the last number or name that was said, or
whatever it has.
`Propositions` says which kinds and values the facts of documents have.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

OTHER, NUMBER, NAME, FIRST_NAME = range(4)
"""Symbols of words that no signature holds, of numbers, of names, and of first names."""
SAID_NUMBER, SAID_NAME, ANY_VALUE = -1, -2, -3
"""In the place of a value: the last number or name that was said, or whatever value a fact has."""
NO_VALUE = -4
MOST_NUMBER = 10**15
"""Numbers are told apart up to it."""
_FIRST_WORD = 4
_SPELLED = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine".split(), 1)
}

Meaning = tuple[int, int]
"""A kind of fact, and its value or what stands for it."""


@dataclass(frozen=True)
class Said:
    """A word as signatures see it."""

    symbol: int
    value: int = NO_VALUE
    """Of a number or a name."""
    digits: int = 0
    """Of a number that is written in digits."""

    def goes_on(self, number: int) -> bool:
        """Returns whether it makes thousands of a number of three digits or less before it.

        So "12 000" is one number and "71 380" are two: numbers of news have two digits that count.
        """
        whole = 1000 * number + self.value
        return self.digits == 3 and (whole % 1000 == 0 or (number < 10 and whole % 100 == 0))


@dataclass(eq=False)
class Signatures:
    """All signatures of a source, and the words in which they are told.

    Args:
        names: made-up names, in lower case; each is known by its place here.
        first_names: first names, in lower case.
    """

    names: Iterable[str] = ()
    first_names: Iterable[str] = ()
    meanings: dict[tuple[int, ...], list[Meaning]] = field(default_factory=dict)
    """What each signature means."""

    def __post_init__(self) -> None:
        self._phrases: dict[str, int] = {}
        self.names = {name: code for code, name in enumerate(self.names)}
        self._said = {name: Said(FIRST_NAME) for name in self.first_names}
        self._said |= {name: Said(NAME, 2 * code) for name, code in self.names.items()}
        self._said |= {word: Said(NUMBER, number) for word, number in _SPELLED.items()}
        self._size = _FIRST_WORD

    @property
    def num_symbols(self) -> int:
        """How many symbols there are."""
        return self._size

    def value_of_name(self, name: str) -> int:
        """Returns the value of a fact that is about a name."""
        return self._said[name].value

    def value_of_phrase(self, phrase: str) -> int:
        """Returns the value of a fact whose value is a phrase; never that of a name."""
        return 2 * self._phrases.setdefault(phrase, len(self._phrases)) + 1

    def say(self, word: str) -> Said:
        """Returns a lower-case word as signatures see it."""
        known = self._said.get(word)
        if known is not None:
            return known
        if word.isascii() and word.isdigit():
            value = int(word[-16:]) if len(word) < 16 else MOST_NUMBER
            return Said(NUMBER, min(value, MOST_NUMBER), len(word))
        return Said(OTHER)

    def add(self, words: Iterable[str | int], meaning: Meaning) -> None:
        """Adds a signature of words and of classes of words, unless it is there already."""
        symbols = tuple(one if isinstance(one, int) else self._symbol(one) for one in words)
        known = self.meanings.setdefault(symbols, [])
        if meaning not in known:
            known.append(meaning)

    def _symbol(self, word: str) -> int:
        said = self.say(word)
        if said.symbol == OTHER:
            said = self._said[word] = Said(self._size)
            self._size += 1
        elif said.symbol in (NAME, FIRST_NAME):
            raise ValueError(f"a signature is told in the word {word!r}, which is also a name")
        return said.symbol


@dataclass(frozen=True)
class Propositions:
    """What the facts of N documents are: (N, P) arrays, the main story's first.

    A fact may be there more than once; any of its entries states it.
    """

    fact: NDArray[np.int64]  # its place among the document's
    kind: NDArray[np.int64]  # -1 where there is none
    value: NDArray[np.int64]
