"""The vocabulary of simulated documents: pieces of text, how they join, and their ROUGE words.

A piece is a word, a name part, a number part or a mark. `##` in front says that it is written
onto what came before ("##ford", "##'s", "##,"), as the marks in `CLOSING` always are; those in
`OPENING` are written onto what follows. Piece 0 is padding. A name is two pieces and one word, so
a model can read a name that it has never seen, while ROUGE compares whole words.
"""

import functools
import hashlib
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.words import stem

PADDING = "[pad]"
OPENING = frozenset("“$(")
CLOSING = frozenset(",.;:!?)”")
_TOKEN = re.compile(r"\s+|[A-Za-z]+|\d+|'[a-z]+|[^\sA-Za-z\d]")
_WORD_CHARACTER = re.compile(r"[a-z0-9]")


def split_pieces(text: str) -> list[str]:
    """Splits text into pieces, marking with `##` what is written onto the piece before it."""
    pieces: list[str] = []
    joins = False
    for token in _TOKEN.findall(text):
        if token.isspace():
            joins = False
            continue
        pieces.append("##" + token if joins or token in CLOSING else token)
        joins = token not in OPENING
    return pieces


class PieceVocabulary:
    """Numbers for pieces, and for the lower-case words that ROUGE sees.

    A word's number is that of its only fragment, or, for a word of two pieces (a name), one made
    from both. Equal words have equal numbers, and different words different ones.
    """

    def __init__(self, pieces: Iterable[str]):
        self.pieces: tuple[str, ...] = (PADDING, *pieces)
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}
        if len(self.ids) != len(self.pieces):
            raise ValueError("the vocabulary holds a piece twice")
        self.size = len(self.pieces)
        self.digest = hashlib.blake2b("\n".join(self.pieces).encode(), digest_size=8).hexdigest()
        texts = [piece.removeprefix("##") for piece in self.pieces]
        self.joins_left = np.array([piece.startswith("##") for piece in self.pieces])
        fragments = [text.lower() if _WORD_CHARACTER.search(text.lower()) else "" for text in texts]
        fragments[0] = ""
        fragments = [fragment.strip("',") for fragment in fragments]
        self.fragment_texts: tuple[str, ...] = tuple(sorted(set(fragments) - {""}))
        number = {text: index for index, text in enumerate(self.fragment_texts)}
        self._fragment_number = number
        self.fragment = np.array([number.get(text, -1) for text in fragments], dtype=np.int32)
        known = [(text, number) for number, text in enumerate(fragments) if text]
        known.sort(key=lambda pair: bool(self.joins_left[pair[1]]), reverse=True)
        self._piece_of = dict(known)  # a piece that stands alone, where there is one
        # "##'s" and "##,000" stand apart from the word before them: the mark is no word character.
        self.joins_word = np.array(
            [
                piece.startswith("##") and piece[2:3].isalnum() and fragment != ""
                for piece, fragment in zip(self.pieces, fragments, strict=True)
            ]
        )

    def encode(self, text: str) -> list[int]:
        """Returns the pieces of a text; KeyError names one that is not in the vocabulary."""
        return [self.ids[piece] for piece in split_pieces(text)]

    def decode(self, pieces: Sequence[int]) -> str:
        """Returns the text of a sequence of pieces; padding is left out."""
        text = ""
        glue = True
        for number in pieces:
            if number == 0:
                continue
            piece = self.pieces[number]
            if piece.startswith("##"):
                text += piece[2:]
            else:
                text += piece if glue else " " + piece
            glue = piece in OPENING
        return text

    def sentence(self, pieces: Sequence[int]) -> str:
        """Returns the text of a sentence, its first letter in upper case."""
        text = self.decode(pieces)
        place = next((place for place, letter in enumerate(text) if letter.isalpha()), 0)
        return text[:place] + text[place : place + 1].upper() + text[place + 1 :]

    def spell(self, word: str) -> list[int]:
        """Returns the pieces of a lower-case word, [] for one that cannot be told in pieces."""
        if word in self._piece_of:
            return [self._piece_of[word]]
        for place in range(1, len(word)):
            first, second = word[:place], "##" + word[place:]
            if first in self._piece_of and second in self.ids:
                return [self._piece_of[first], self.ids[second]]
        return []

    def words(
        self, pieces: NDArray[np.int32], row: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Returns the ROUGE words of flat pieces and the row of each word.

        `row` (same length, ascending) says which sentence a piece is in.
        """
        fragment = self.fragment[pieces]
        is_word = fragment >= 0
        follows_word = np.zeros(len(pieces), dtype=bool)
        follows_word[1:] = is_word[:-1] & (row[1:] == row[:-1])
        joined = is_word & self.joins_word[pieces] & follows_word
        word = fragment.astype(np.int32)
        ends = np.flatnonzero(joined)
        size = len(self.fragment_texts)
        word[ends - 1] = size + fragment[ends - 1] * size + fragment[ends]
        keep = is_word & ~joined
        return word[keep], row[keep]

    def word_text(self, word: int) -> str:
        """Returns the lower-case text of a ROUGE word's number."""
        size = len(self.fragment_texts)
        if word < size:
            return self.fragment_texts[word]
        first, second = divmod(word - size, size)
        return self.fragment_texts[first] + self.fragment_texts[second]

    def word_number(self, text: str) -> int | None:
        """Returns the number of a lower-case word of one fragment, None if there is no such."""
        return self._fragment_number.get(text)

    @functools.cache  # noqa: B019 (one vocabulary lives as long as the process)
    def stem_text(self, word: int) -> str:
        """Returns the Porter stem that `rouge-score` compares in place of the word."""
        return stem(self.word_text(word))
