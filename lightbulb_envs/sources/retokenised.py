"""A source whose observations are told in another vocabulary than its own."""

import dataclasses
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import Document, DocumentBatch
from lightbulb_envs.ragged import Ragged, pad
from lightbulb_envs.sources.signatures import Propositions, Signatures
from lightbulb_envs.sources.source import Source
from lightbulb_envs.subwords import SubwordVocabulary

DEFAULT_TOKENS = 64
_REMEMBERED = 4096


class Told(Source, Protocol):
    """A source that tells the text of what it has read."""

    def sentences(self, batch: DocumentBatch, place: int) -> tuple[str, ...]:
        """Returns the article at a place of a batch in text, as its `document` has it."""


class RetokenisedSource:
    """Wraps a source; words, facts and claims stay, only `tokens` change."""

    def __init__(self, source: Told, vocabulary: SubwordVocabulary, max_tokens: int | None):
        self._source = source
        self.vocabulary = vocabulary
        self.num_documents = source.num_documents
        self.has_facts = source.has_facts
        self.digest = source.digest
        self.max_sentences = source.max_sentences
        if max_tokens is not None and max_tokens < 1:
            raise ValueError(f"max_tokens must be 1 or more, got {max_tokens}")
        self.max_tokens = DEFAULT_TOKENS if max_tokens is None else max_tokens
        self._remembered: dict[int, NDArray[np.int32]] = {}

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        batch = self._source.batch(instances)
        known = self._remembered
        places = {
            one: place for place, one in enumerate(batch.instance.tolist()) if one not in known
        }
        fresh = dict(zip(places, self._encode(batch, list(places.values())), strict=True))
        tokens = [known[one] if one in known else fresh[one] for one in batch.instance.tolist()]
        known.update(fresh)
        while len(known) > _REMEMBERED:
            del known[next(iter(known))]
        return dataclasses.replace(batch, tokens=np.stack(tokens))

    def _encode(self, batch: DocumentBatch, places: list[int]) -> NDArray[np.int32]:
        """Returns the tokens of documents of a batch, (len(places), S, T)."""
        texts = [self._source.sentences(batch, place) for place in places]
        encoded = self.vocabulary.encode([text for told in texts for text in told])
        rows = Ragged.of(sentence[: self.max_tokens] for sentence in encoded)
        values, owner = rows.take(np.arange(len(encoded)))
        line = np.concatenate(
            [np.arange(len(told)) + place * self.max_sentences for place, told in enumerate(texts)]
            or [np.zeros(0, dtype=np.int64)]
        )
        count = len(places) * self.max_sentences
        shape = (len(places), self.max_sentences, self.max_tokens)
        return pad(values, line[owner], count, self.max_tokens, 0).reshape(shape)

    def document(self, instance: int) -> Document:
        return self._source.document(instance)

    def stem_text(self, word: int) -> str:
        return self._source.stem_text(word)

    def word_text(self, word: int) -> str:
        return self._source.word_text(word)

    def word_number(self, text: str) -> int | None:
        return self._source.word_number(text)

    def signatures(self) -> Signatures:
        return self._source.signatures()

    def propositions(self, instances: NDArray[np.int64]) -> Propositions:
        return self._source.propositions(instances)
