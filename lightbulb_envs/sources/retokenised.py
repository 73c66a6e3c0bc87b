"""A source whose observations are told in another vocabulary than its own."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import Document, DocumentBatch
from lightbulb_envs.ragged import Ragged, pad
from lightbulb_envs.sources.source import Source
from lightbulb_envs.subwords import SubwordVocabulary

DEFAULT_TOKENS = 64
_REMEMBERED = 4096


class RetokenisedSource:
    """Wraps a source; words, facts and claims stay, only `tokens` change."""

    def __init__(self, source: Source, vocabulary: SubwordVocabulary, max_tokens: int | None):
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

    def _tokens(self, instance: int) -> NDArray[np.int32]:
        """Returns a document's tokens; the latest ones are remembered, for episodes repeat them."""
        if instance not in self._remembered:
            if len(self._remembered) >= _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[instance] = self._encode(instance)
        return self._remembered[instance]

    def _encode(self, instance: int) -> NDArray[np.int32]:
        encoded = self.vocabulary.encode(self.document(instance).sentences)
        rows = Ragged.of(sentence[: self.max_tokens] for sentence in encoded)
        values, owner = rows.take(np.arange(len(encoded)))
        return pad(values, owner, self.max_sentences, self.max_tokens, 0)

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        batch = self._source.batch(instances)
        tokens = np.stack([self._tokens(instance) for instance in batch.instance.tolist()])
        return dataclasses.replace(batch, tokens=tokens)

    def document(self, instance: int) -> Document:
        return self._source.document(instance)

    def stem_text(self, word: int) -> str:
        return self._source.stem_text(word)
