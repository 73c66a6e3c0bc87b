"""Synthetic documents of exact sizes, cut from the words of the "wide" workload."""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from benchmarks.throughput.workloads import WIDE, Text, texts
from lightbulb_envs.words import split_words

SENTENCES = 32
WORDS = 21
REFERENCE = 55
"""The sizes of a document where nothing else is asked for: those of the "wide" workload."""
LINE = 18
"""Words of a reference's sentence, about."""
_SUPPLY = 64
"""Documents of the workload whose words are drawn from."""


def documents(
    count: int, *, sentences: int = SENTENCES, words: int = WORDS, reference: int = REFERENCE
) -> list[Text]:
    """Returns documents of so many sentences, words a sentence, and words of a reference.

    As in the "wide" workload, half of every reference sentence is a run of words of the article.
    """
    supply = _supply()
    generator = np.random.default_rng((sentences, words, reference))

    def drawn(number: int) -> list[str]:
        return [supply[place] for place in generator.integers(0, len(supply), number)]

    def document() -> Text:
        article = [drawn(words) for _ in range(sentences)]
        lines = []
        for length in _line_lengths(reference):
            source = article[generator.integers(sentences)]
            copied = source[: length // 2]
            lines.append(copied + drawn(length - len(copied)))
        return Text(tuple(map(_sentence, article)), "\n".join(map(_sentence, lines)))

    return [document() for _ in range(count)]


@cache
def _supply() -> tuple[str, ...]:
    """Returns words of the workload, as often as it has them."""
    told = texts(next(iter(WIDE)), _SUPPLY)
    return tuple(
        word for text in told for sentence in text.sentences for word in split_words(sentence)
    )


def _line_lengths(reference: int) -> Iterator[int]:
    ends = np.linspace(0, reference, max(1, reference // LINE) + 1).round().astype(int)
    return iter(np.diff(ends).tolist())


def _sentence(words: Sequence[str]) -> str:
    return " ".join(words).capitalize() + "."
