"""Documents: as people read them, and as padded integer arrays in batches.

Letters of shapes: N documents, S sentences, T tokens, W words, R reference sentences, F facts,
C claims of a sentence.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

PADDING_WORD = -1
NO_FACT = -1


@dataclass(frozen=True)
class Fact:
    """Something that is true of the world, or was reported and then corrected."""

    subject: str
    predicate: str
    object: str
    time: str
    magnitude: int | None
    """The number in it, None without one."""
    weight: float
    """How much it matters; 0 or more."""
    polarity: int
    """-1 bad, 0 neutral, 1 good."""
    is_key: bool
    """Whether the reference tells it."""
    superseded_by: int | None = None
    """The number of the fact that corrects it, None if it stands."""


@dataclass(frozen=True)
class Document:
    """A document in text. `facts` and `claims` are empty where the facts are unknown."""

    id: str
    instance: int
    sentences: tuple[str, ...]
    reference: tuple[str, ...]
    """The sentences of the reference summary."""
    facts: tuple[Fact, ...] = ()
    claims: tuple[tuple[int, ...], ...] = ()
    """For every sentence the numbers of the facts that it states."""

    @property
    def text(self) -> str:
        return "\n".join(self.sentences)

    @property
    def reference_text(self) -> str:
        return "\n".join(self.reference)


@dataclass(frozen=True)
class DocumentBatch:
    """N documents as arrays; what an engine sees of them. Nobody writes to these arrays."""

    instance: NDArray[np.int64]  # (N,)
    num_sentences: NDArray[np.int64]  # (N,)
    tokens: NDArray[np.int32]  # (N, S, T), 0 where there is none
    words: NDArray[np.int32]  # (N, S, W), PADDING_WORD where there is none
    reference_words: NDArray[np.int32]  # (N, R, W')
    claims: NDArray[np.int32]  # (N, S, C), NO_FACT where there is none
    fact_weight: NDArray[np.float64]  # (N, F)
    fact_is_key: NDArray[np.bool_]  # (N, F)

    def __len__(self) -> int:
        return len(self.instance)

    def take(self, rows: NDArray[np.int64]) -> "DocumentBatch":
        """Returns the documents of these rows."""
        return DocumentBatch(*(getattr(self, one.name)[rows] for one in fields(self)))
