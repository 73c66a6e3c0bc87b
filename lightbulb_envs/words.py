"""Words and stems exactly as `rouge-score` makes them, and numbers for them.

Equality with `rouge-score` starts here: its tokenizer lowers the text, splits it at everything
but a-z and 0-9, and stems words of more than three letters with NLTK's Porter stemmer.
"""

import functools
import re
from collections.abc import Callable

_NOT_WORD = re.compile(r"[^a-z0-9]+")


def split_words(text: str) -> list[str]:
    """Returns the lower-case words of a text."""
    return [word for word in _NOT_WORD.split(text.lower()) if word]


@functools.cache
def _porter() -> Callable[[str], str]:
    try:
        from nltk.stem.porter import PorterStemmer
    except ImportError as error:
        raise ImportError(
            "stemmed ROUGE needs nltk, whose Porter stemmer rouge-score uses: "
            "pip install 'lightbulb[text]', or name rewards without \"_stem\""
        ) from error
    stemmer: Callable[[str], str] = PorterStemmer().stem
    return stemmer


@functools.lru_cache(maxsize=1 << 18)
def stem(word: str) -> str:
    """Returns the Porter stem of a word of more than three letters, any other word unchanged."""
    return _porter()(word) if len(word) > 3 else word


class WordNumbers:
    """Gives every new word the next number; equal words, equal numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def words(self) -> list[str]:
        """Returns the words by number."""
        return list(self._numbers)

    def __call__(self, word: str) -> int:
        return self._numbers.setdefault(word, len(self._numbers))
