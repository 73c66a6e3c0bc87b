"""Rows of real text as flat arrays: everything about them that takes time to find out."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.ragged import Ragged
from lightbulb_envs.sources.rows import Row, Skipped
from lightbulb_envs.sources.strings import Strings
from lightbulb_envs.subwords import SubwordVocabulary
from lightbulb_envs.words import WordNumbers, split_words


@dataclass(frozen=True)
class Tokenised:
    """Documents by row, their sentences by document, and the rows left out.

    Names no path: a row is known by the number of its origin and its own number there.
    """

    origin: NDArray[np.int64]
    number: NDArray[np.int64]
    ids: Strings
    has_id: NDArray[np.bool_]
    num_sentences: NDArray[np.int64]
    """Sentences of each article, before cutting."""
    sentences: Strings
    num_references: NDArray[np.int64]
    references: Strings
    words: Ragged
    """Of the sentences that were kept."""
    tokens: Ragged
    """Of the sentences that were kept, cut."""
    reference_words: Ragged
    word_texts: Strings
    cut_sentences: NDArray[np.int64]
    """One number: sentences that were kept and lost tokens."""
    skipped_origin: NDArray[np.int64]
    skipped_number: NDArray[np.int64]
    skipped_reason: Strings

    def digest(self) -> str:
        """Returns a digest of the documents' texts, before cutting, and of their order."""
        hasher = hashlib.blake2b(digest_size=16)
        for numbers, texts in (
            (self.num_sentences, self.sentences),
            (self.num_references, self.references),
        ):
            for values in (numbers, texts.lengths):
                hasher.update(len(values).to_bytes(8, "little"))
                hasher.update(values.astype("<i8").tobytes())
            hasher.update(texts.utf8.tobytes())
        return hasher.hexdigest()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns everything as arrays by name."""
        named: dict[str, NDArray[Any]] = {}
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Strings):
                named[f"{one.name}.utf8"] = value.utf8
                named[f"{one.name}.lengths"] = value.lengths
            elif isinstance(value, Ragged):
                named[f"{one.name}.values"] = value.values
                named[f"{one.name}.lengths"] = value.lengths
            else:
                named[one.name] = value
        return named

    @staticmethod
    def of_arrays(named: Mapping[str, NDArray[Any]]) -> "Tokenised":
        """Returns what `arrays` took apart."""
        parts: dict[str, Any] = {}
        for one in dataclasses.fields(Tokenised):
            lengths = named.get(f"{one.name}.lengths")
            if lengths is None:
                parts[one.name] = named[one.name]
            elif f"{one.name}.utf8" in named:
                parts[one.name] = Strings.at(named[f"{one.name}.utf8"], lengths)
            else:
                starts = np.cumsum(lengths) - lengths
                parts[one.name] = Ragged(named[f"{one.name}.values"], starts, lengths)
        return Tokenised(**parts)


def tokenise(
    rows: Sequence[Row],
    skipped: Sequence[Skipped],
    vocabulary: SubwordVocabulary,
    max_sentences: int,
    max_tokens: int,
) -> Tokenised:
    """Returns rows in words and tokens: of the first `max_sentences` sentences, of the first
    `max_tokens` tokens of each."""
    number = WordNumbers()
    kept = [sentence for row in rows for sentence in row.sentences[:max_sentences]]
    references = [sentence for row in rows for sentence in row.reference]
    encoded = vocabulary.encode(kept)
    words = Ragged.of([number(word) for word in split_words(text)] for text in kept)
    reference_words = Ragged.of([number(word) for word in split_words(text)] for text in references)
    return Tokenised(
        origin=_integers(row.origin for row in rows),
        number=_integers(row.number for row in rows),
        ids=Strings.of(row.id or "" for row in rows),
        has_id=np.array([row.id is not None for row in rows], dtype=bool),
        num_sentences=_integers(len(row.sentences) for row in rows),
        sentences=Strings.of(sentence for row in rows for sentence in row.sentences),
        num_references=_integers(len(row.reference) for row in rows),
        references=Strings.of(references),
        words=words,
        tokens=Ragged.of(sentence[:max_tokens] for sentence in encoded),
        reference_words=reference_words,
        word_texts=Strings.of(number.words()),
        cut_sentences=_integers([sum(len(sentence) > max_tokens for sentence in encoded)]),
        skipped_origin=_integers(row.origin for row in skipped),
        skipped_number=_integers(row.number for row in skipped),
        skipped_reason=Strings.of(row.reason for row in skipped),
    )


def _integers(values: Any) -> NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)
