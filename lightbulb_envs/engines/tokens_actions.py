"""What the actions of writing word by word are: the words of the article, and function words.

Action i writes word i: first the article's distinct words, in the order in which they first appear,
as many as there is room for; then, always in the same places, `FUNCTION_WORDS`; the last action
stops. A function word that the article has is one of the article's words, and its own place is not
used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import PADDING_WORD, DocumentBatch
from lightbulb_envs.sources.pieces import PieceVocabulary
from lightbulb_envs.sources.signatures import Said
from lightbulb_envs.sources.source import Source

FUNCTION_WORDS = tuple(
    "a about after all also an and any are as at be been before by can could did do for from had "
    "has have he in into is it its last may more no not now of off on one other our out over said "
    "says she so than that the their them there they this those to two under up was we were what "
    "when while who will with would".split()
)
"""Words that a draft may be written in whether the article has them or not. The newsroom has all of
them, so that their pieces can be read. Part of what a version of an id means."""
MOST_PIECES = {True: 2, False: 4}
"""Pieces in which a word is told, in the newsroom's vocabulary and in others; more are cut."""


@dataclass(frozen=True)
class WordActions:
    """What the words of N documents are, (N, A) arrays; A actions and STOP."""

    words: NDArray[np.int32]  # numbers of words, PADDING_WORD where there is none
    stems: NDArray[np.int32] | None
    mask: NDArray[np.int8]  # (N, A + 1)
    pieces: NDArray[np.int32]  # (N, A, P), 0 where there is none
    article: NDArray[np.int32]  # (N, S, T), the action of each word and 1, 0 where there is none
    symbols: NDArray[np.int32]
    values: NDArray[np.int64]
    digits: NDArray[np.int32]

    def take(self, row: int) -> "WordActions":
        """Returns the words of one document."""
        own: dict[str, Any] = {
            name: None if one is None else one[[row]] for name, one in vars(self).items()
        }
        return WordActions(**own)


class WordTable:
    """Everything about words that actions need, found out once a word.

    Args:
        source: where the words are from.
        most: distinct words of an article that have an action.
        stem: returns the number of the stem of a word's number; None where nobody asks for stems.
    """

    def __init__(self, source: Source, most: int, stem: Callable[[int, str], int] | None):
        self._source = source
        self._most = most
        self._stem = stem
        self.num_pieces = MOST_PIECES[isinstance(source.vocabulary, PieceVocabulary)]
        self._row: dict[int, int] = {}
        self._text: list[str] = []
        self._said: list[Said] = []
        self._columns: list[tuple[int, int, int, int, list[int]]] = []
        self._arrays: tuple[NDArray[Any], ...] = ()
        self._add(PADDING_WORD, "")
        self._function = np.array([self._number(text) for text in FUNCTION_WORDS], dtype=np.int32)
        for number, text in zip(self._function.tolist(), FUNCTION_WORDS, strict=True):
            if number not in self._row:
                self._add(number, text)

    def _number(self, text: str) -> int:
        """Returns the number of a function word; one that no document has gets one of its own."""
        known = self._source.word_number(text)
        return PADDING_WORD - 1 - FUNCTION_WORDS.index(text) if known is None else known

    @property
    def num_words(self) -> int:
        """How many actions write a word."""
        return self._most + len(FUNCTION_WORDS)

    def _add(self, number: int, text: str) -> None:
        said = self._source.signatures().say(text)
        stem = self._stem(number, text) if self._stem is not None and text else PADDING_WORD
        pieces = (self._spell(text) + [0] * self.num_pieces)[: self.num_pieces]
        self._row[number] = len(self._text)
        self._text.append(text)
        self._said.append(said)
        self._columns.append((stem, said.symbol, said.value, said.digits, pieces))

    def _spell(self, text: str) -> list[int]:
        vocabulary = self._source.vocabulary
        if not text:
            return []
        if isinstance(vocabulary, PieceVocabulary):
            return vocabulary.spell(text)
        spelled: list[int] = vocabulary.encode([text])[0]
        return spelled

    def _rows(self, words: list[int]) -> NDArray[np.int64]:
        """Returns the rows of words in the columns; what is new is found out."""
        for word in words:
            if word not in self._row:
                self._add(word, self._source.word_text(word))
        return np.array([self._row[word] for word in words], dtype=np.int64)

    def text(self, word: int) -> str:
        """Returns the text of a word's number."""
        return self._text[self._row[word]]

    def said(self, word: int) -> Said:
        """Returns what a word's number is to signatures."""
        return self._said[self._row[word]]

    def _told(self) -> tuple[NDArray[Any], ...]:
        """Returns the columns as arrays, made anew when there are more rows."""
        if not self._arrays or len(self._arrays[0]) < len(self._columns):
            kinds = (np.int32, np.int32, np.int64, np.int32, np.int32)
            columns = zip(*self._columns, strict=True)
            self._arrays = tuple(
                np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)
            )
        return self._arrays

    def actions(self, batch: DocumentBatch) -> WordActions:
        """Returns what the words of documents are."""
        count, most = len(batch), self._most
        words = np.full((count, self.num_words), PADDING_WORD, dtype=np.int32)
        mask = np.zeros((count, self.num_words + 1), dtype=np.int8)
        words[:, most:] = self._function
        mask[:, -1] = 1
        article = np.zeros_like(batch.tokens)
        width = min(batch.words.shape[2], article.shape[2])
        for row in range(count):
            copied = _distinct(batch.words[row])[:most]
            words[row, : len(copied)] = copied
            mask[row, : len(copied)] = 1
            mask[row, most:-1] = ~np.isin(self._function, copied)
            text = batch.words[row, :, :width]
            article[row, : len(text), :width] = _places(text, copied)
        rows = self._rows(words.ravel().tolist())
        stems, symbols, values, digits, pieces = (column[rows] for column in self._told())
        shape = words.shape
        return WordActions(
            words=words,
            stems=None if self._stem is None else stems.reshape(shape),
            mask=mask,
            pieces=pieces.reshape(*shape, self.num_pieces),
            article=article,
            symbols=symbols.reshape(shape),
            values=values.reshape(shape),
            digits=digits.reshape(shape),
        )


def _places(text: NDArray[np.int32], copied: NDArray[np.int32]) -> NDArray[np.int32]:
    """Returns where words stand among those copied, counted from 1; 0 where they do not."""
    if not len(copied):
        return np.zeros_like(text)
    order = np.argsort(copied)
    found = order[np.searchsorted(copied, text, sorter=order).clip(max=len(copied) - 1)]
    return np.where(copied[found] == text, found + 1, 0).astype(np.int32)


def _distinct(words: NDArray[np.int32]) -> NDArray[np.int32]:
    """Returns the distinct words of an article, in the order of their first appearance."""
    known, first = np.unique(words[words != PADDING_WORD], return_index=True)
    ordered: NDArray[np.int32] = known[np.argsort(first)]
    return ordered
