"""A source whose observations are told in another vocabulary than its own."""

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import Document, DocumentBatch
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
        self.max_sentences = source.max_sentences
        self.max_tokens = max_tokens or DEFAULT_TOKENS
        self._tokens = functools.lru_cache(maxsize=_REMEMBERED)(self._encode)

    def _encode(self, instance: int) -> NDArray[np.int32]:
        return pad_tokens(
            self.vocabulary.encode(self.document(instance).sentences),
            self.max_sentences,
            self.max_tokens,
        )

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        batch = self._source.batch(instances)
        tokens = np.stack([self._tokens(instance) for instance in batch.instance.tolist()])
        return dataclasses.replace(batch, tokens=tokens)

    def document(self, instance: int) -> Document:
        return self._source.document(instance)

    def stem_text(self, word: int) -> str:
        return self._source.stem_text(word)


def pad_tokens(
    sentences: list[list[int]], max_sentences: int, max_tokens: int
) -> NDArray[np.int32]:
    """Returns (max_sentences, max_tokens); what is longer is cut, what is shorter padded by 0."""
    tokens = np.zeros((max_sentences, max_tokens), dtype=np.int32)
    for row, sentence in enumerate(sentences[:max_sentences]):
        cut = sentence[:max_tokens]
        tokens[row, : len(cut)] = cut
    return tokens
