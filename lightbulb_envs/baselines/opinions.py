"""What the words of opinion in a text come to, whatever stands around them."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.reviews.lexicon import OPINIONS
from lightbulb_envs.subwords import SubwordVocabulary

_WORTH = {word: worth for worth, words in OPINIONS.items() for word in words.split()}
_WORD = re.compile(r"[^\W\d_]+")
_REMEMBERED = 65_536


class Opinions:
    """Adds up what words are worth, -3 to 3 each, in tokens of a vocabulary.

    Words are those of simulated reviews. A tokenizer may tell a word in several pieces, so its
    tokens are put together to text again, row by row.
    """

    def __init__(self, vocabulary: Any):
        self._vocabulary = vocabulary
        self._of_rows: dict[bytes, int] = {}
        is_told_in_pieces = isinstance(vocabulary, SubwordVocabulary)
        self._of_tokens = None if is_told_in_pieces else _worth_of_tokens(vocabulary)

    def __call__(self, tokens: NDArray[np.int32]) -> NDArray[np.int64]:
        """Returns the sums (n,) of tokens (n, R, T)."""
        if self._of_tokens is not None:
            total: NDArray[np.int64] = self._of_tokens[tokens].sum(axis=(1, 2))
            return total
        sums = [sum(self._of_row(row) for row in rows[rows.any(axis=1)]) for rows in tokens]
        return np.array(sums, dtype=np.int64)

    def _of_row(self, tokens: NDArray[np.int32]) -> int:
        key = tokens.tobytes()
        if key not in self._of_rows:
            while len(self._of_rows) >= _REMEMBERED:
                del self._of_rows[next(iter(self._of_rows))]
            words = _WORD.findall(self._vocabulary.decode(tokens.tolist()).lower())
            self._of_rows[key] = sum(_WORTH.get(word, 0) for word in words)
        return self._of_rows[key]


def _worth_of_tokens(vocabulary: Any) -> NDArray[np.int64]:
    """Returns what each token of a vocabulary is worth as a word of opinion, 0 for most."""
    tokens = [vocabulary.decode([number]).strip().lower() for number in range(vocabulary.size)]
    return np.array([_WORTH.get(token, 0) for token in tokens], dtype=np.int64)
