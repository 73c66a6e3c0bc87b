"""The baselines and canaries of summarising in words: texts made of the article's sentences."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import as_objects
from lightbulb_envs.baselines.canaries import Canary
from lightbulb_envs.baselines.centrality import central_sentences
from lightbulb_envs.baselines.labelling import Always
from lightbulb_envs.baselines.table import Baseline
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.engines.summarise_text import SummariseTextEngine

Texts = NDArray[np.object_]
Chooser = Callable[[NDArray[np.int32], np.random.Generator], Sequence[int]]
"""Returns the sentences of a summary from an article's tokens (S, T), those that are there."""
_LEAD = 3
_REMEMBERED = 512
"""Articles that are kept at hand."""


class Picker:
    """Writes out the sentences that a rule picks; it draws by its own generator."""

    def __init__(self, engine: SummariseTextEngine, choose: Chooser):
        self._choose = choose
        self._sentences = functools.lru_cache(maxsize=_REMEMBERED)(
            lambda instance: engine.source.document(instance).sentences
        )
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self._generator = np.random.default_rng(seed)

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        texts = []
        for tokens, instance in zip(
            observation["tokens"], np.asarray(info["instance"]).tolist(), strict=True
        ):
            sentences = self._sentences(instance)
            there = tokens[tokens.any(axis=1)]
            picked = self._choose(there, self._generator)
            texts.append("\n".join(sentences[number] for number in picked))
        return as_objects(texts)


def at_random(tokens: NDArray[np.int32], generator: np.random.Generator) -> Sequence[int]:
    """Returns none, one, two or three sentences, each count as often, in any order."""
    count = min(int(generator.integers(_LEAD + 1)), len(tokens))
    picked: list[int] = generator.permutation(len(tokens))[:count].tolist()
    return picked


def lead(tokens: NDArray[np.int32], generator: np.random.Generator) -> Sequence[int]:
    """Returns the first three sentences."""
    return range(min(_LEAD, len(tokens)))


def central(tokens: NDArray[np.int32], generator: np.random.Generator) -> Sequence[int]:
    """Returns the three most central sentences that do not repeat one another (LexRank)."""
    return central_sentences(tokens, _LEAD) if len(tokens) else []


class Reference:
    """Knows the reference, and writes it; or that of the next document, which is good prose too."""

    def __init__(self, engine: SummariseTextEngine, shift: int = 0):
        self._source, self._shift = engine.source, shift

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        wanted = np.asarray(info["instance"]) + self._shift
        if self._source.num_documents is not None:
            wanted %= self._source.num_documents
        return as_objects([self._source.document(one).reference_text for one in wanted.tolist()])


class Words:
    """Writes the article's words: as they come, in any order, or each once."""

    def __init__(self, engine: SummariseTextEngine, order: str):
        self._source, self._order = engine.source, order
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self._generator = np.random.default_rng(0)

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        texts = []
        for instance in np.asarray(info["instance"]).tolist():
            words = self._source.document(instance).text.split()
            if self._order == "shuffled":
                words = [words[one] for one in self._generator.permutation(len(words)).tolist()]
            elif self._order == "most frequent":
                counts = {word: words.count(word) for word in words}
                words = sorted(counts, key=lambda word: (-counts[word], word))
            texts.append(" ".join(words))
        return as_objects(texts)


class Repeated:
    """Writes the reference's first sentence again and again."""

    def __init__(self, engine: SummariseTextEngine):
        self._source = engine.source

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> Texts:
        instances = np.asarray(info["instance"]).tolist()
        firsts = [self._source.document(one).reference[0] for one in instances]
        return as_objects(["\n".join([first] * 8) for first in firsts])


BASELINES: dict[str, Baseline] = {
    "random": Baseline(lambda engine: Picker(engine, at_random)),
    "lead-3": Baseline(lambda engine: Picker(engine, lead)),
    "centrality": Baseline(lambda engine: Picker(engine, central)),
    "oracle": Baseline(Reference, knows_truth=True),
}
"""The baselines of summarising in words; a random policy writes out sentences at random."""

CANARIES: dict[str, Canary] = {
    "no text": Canary(lambda engine: Always("")),
    "whole article": Canary(lambda engine: Words(engine, "as they come")),
    "shuffled words": Canary(lambda engine: Words(engine, "shuffled")),
    "frequent words": Canary(lambda engine: Words(engine, "most frequent")),
    "another reference": Canary(lambda engine: Reference(engine, 1)),
    "first of reference, repeated": Canary(Repeated),
}
"""The canaries of summarising in words, by name."""
