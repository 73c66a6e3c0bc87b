"""Documents of real text as a source: flat arrays in memory, text on request.

Facts are unknown, so rewards are made of ROUGE. Articles longer than the observation are cut to
its first `max_sentences` sentences; `report()` counts them.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import NO_FACT, PADDING_WORD, Document, DocumentBatch
from lightbulb_envs.ragged import Ragged, pad
from lightbulb_envs.sources.rows import Origin
from lightbulb_envs.sources.signatures import Propositions, Signatures
from lightbulb_envs.sources.tokenised import Tokenised
from lightbulb_envs.subwords import SubwordVocabulary
from lightbulb_envs.words import stem


@dataclass(frozen=True)
class LoadReport:
    """What became of the rows of a source."""

    documents: int
    skipped: tuple[str, ...]
    """What was wrong with each row that was left out, with its place and number; the training
    rows, from which the vocabulary was learnt, included."""
    cut_articles: int
    """Articles with more than `max_sentences` sentences."""
    cut_sentences: int
    """Sentences with more than `max_tokens` tokens."""
    longest_article: int
    """Sentences of the longest article, before cutting."""
    repeated_ids: int
    """Documents whose own id an earlier document has."""
    first_repeated: str
    """The id and the places of the first two documents of one id; empty where there are none."""


class TextSource:
    """Documents of rows; instance i is the i-th row that was kept.

    Args:
        texts: the rows, and which origin and row each is.
        own: the origins of the documents, by number.
        training: the origins that only the vocabulary was learnt from; numbered after `own`.
    """

    has_facts = False

    def __init__(
        self,
        texts: Tokenised,
        own: Sequence[Origin],
        training: Sequence[Origin],
        vocabulary: SubwordVocabulary,
        max_sentences: int,
        max_tokens: int,
    ):
        self.vocabulary = vocabulary
        self.num_documents: int | None = len(texts.num_sentences)
        self.max_sentences = max_sentences
        self.max_tokens = max_tokens
        self.digest = texts.digest()
        self._texts = texts
        self._words = texts.word_texts.take(0, len(texts.word_texts))
        self._origins = (*own, *training)
        self._num_sentences = np.minimum(texts.num_sentences, max_sentences)
        self._start = _starts(self._num_sentences)
        self._text_start = _starts(texts.num_sentences)
        self._reference_start = _starts(texts.num_references)
        repeated = self._repeated_ids()
        self._report = LoadReport(
            documents=len(texts.num_sentences),
            skipped=self._skipped(len(own)),
            cut_articles=int((texts.num_sentences > max_sentences).sum()),
            cut_sentences=int(texts.cut_sentences[0]),
            longest_article=int(texts.num_sentences.max(initial=0)),
            repeated_ids=len(repeated),
            first_repeated=self._tell_repeated(*repeated[0]) if repeated else "",
        )

    def report(self) -> LoadReport:
        """Returns how many rows were read, left out and cut."""
        return self._report

    def _repeated_ids(self) -> list[tuple[int, int]]:
        """Returns the instances whose own id an earlier one has, each after the first of its id."""
        names = self._texts.ids.take(0, len(self._texts.ids))
        first: dict[str, int] = {}
        pairs = []
        for instance in np.flatnonzero(self._texts.has_id).tolist():
            earlier = first.setdefault(names[instance], instance)
            if earlier != instance:
                pairs.append((earlier, instance))
        return pairs

    def _tell_repeated(self, first: int, second: int) -> str:
        return f"{self._texts.ids[first]!r} of {self._where(first)} and of {self._where(second)}"

    def _where(self, instance: int) -> str:
        """Returns the place and number of a document's row."""
        origin: Origin = self._origins[self._texts.origin[instance]]
        return origin.where(int(self._texts.number[instance]))

    def _skipped(self, own: int) -> tuple[str, ...]:
        """Returns what was wrong with rows; a training row that is an own row too is told once."""
        told: dict[bool, list[str]] = {True: [], False: []}
        reasons = self._texts.skipped_reason
        for row, origin in enumerate(self._texts.skipped_origin.tolist()):
            where = self._origins[origin].where(int(self._texts.skipped_number[row]))
            told[origin < own].append(f"{where}: {reasons[row]}")
        return (*told[True], *(message for message in told[False] if message not in told[True]))

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        texts = self._texts
        chosen = np.asarray(instances, dtype=np.int64)
        count, sentences = len(chosen), self.max_sentences
        length, start = self._num_sentences[chosen], self._start[chosen]
        told, told_start = texts.num_references[chosen], self._reference_start[chosen]
        return DocumentBatch(
            instance=chosen,
            num_sentences=length,
            tokens=_rows(texts.tokens, start, length, sentences, self.max_tokens, 0),
            words=_rows(texts.words, start, length, sentences, None, PADDING_WORD),
            reference_words=_rows(
                texts.reference_words,
                told_start,
                told,
                int(told.max(initial=1)),
                None,
                PADDING_WORD,
            ),
            claims=np.full((count, sentences, 0), NO_FACT, dtype=np.int32),
            fact_weight=np.zeros((count, 0)),
            fact_is_key=np.zeros((count, 0), dtype=bool),
        )

    def document(self, instance: int) -> Document:
        texts = self._texts
        name = texts.ids[instance] if texts.has_id[instance] else self._where(instance)
        return Document(
            id=name,
            instance=range(len(texts.number))[instance],
            sentences=texts.sentences.take(
                int(self._text_start[instance]), int(texts.num_sentences[instance])
            ),
            reference=texts.references.take(
                int(self._reference_start[instance]), int(texts.num_references[instance])
            ),
        )

    def stem_text(self, word: int) -> str:
        return stem(self._words[word])

    def word_text(self, word: int) -> str:
        return self._words[word]

    def word_number(self, text: str) -> int | None:
        return self._numbers.get(text)

    @functools.cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self._words)}

    def signatures(self) -> Signatures:
        return Signatures()

    def propositions(self, instances: NDArray[np.int64]) -> Propositions:
        return Propositions(*(np.zeros((len(instances), 0), dtype=np.int64) for _ in range(3)))

    def first_references(self) -> list[str]:
        """Returns the first line of every document's reference."""
        lines = self._texts.references.take(0, len(self._texts.references))
        return [lines[start] for start in self._reference_start.tolist()]


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(lengths) - lengths


def _rows(
    source: Ragged,
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    sentences: int,
    width: int | None,
    padding: int,
) -> NDArray[np.int32]:
    """Returns the sentences of documents as (documents, sentences, width)."""
    document, sentence = np.nonzero(np.arange(sentences) < length[:, None])
    values, owner = source.take(start[document] + sentence)
    place = (document * sentences + sentence)[owner]
    padded = pad(values, place, len(start) * sentences, width, padding)
    return padded.reshape(len(start), sentences, -1)
