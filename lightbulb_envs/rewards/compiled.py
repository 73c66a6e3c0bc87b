"""Rewards in C: the parts of `compose` that the kernel knows, with the same numbers bit for bit."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.kernel import native

_FACTS = ("fact_precision", "fact_recall", "fact_f1")
_LENGTH, _ROUGE_N, _ROUGE_L, _ROUGE_LSUM = range(3, 7)

CompiledDocument = Any
"""A document ready to be scored: `Document` of the extension."""


def part_code(name: str) -> tuple[int, int, int] | None:
    """Returns a part as the kernel knows it: kind, n and reading; None if it does not."""
    if name in _FACTS:
        return _FACTS.index(name), 0, 0
    if name == "length":
        return _LENGTH, 0, 0
    kind, _, suffix = name.partition("_")
    reading = ("", "stem").index(suffix) if suffix in ("", "stem") else -1
    if not kind.startswith("rouge") or reading < 0:
        return None
    if kind in ("rougeL", "rougeLsum"):
        return (_ROUGE_L if kind == "rougeL" else _ROUGE_LSUM), 0, reading
    n = kind.removeprefix("rouge")
    return (_ROUGE_N, int(n), reading) if len(n) == 1 and n in "123456789" else None


class CompiledReward:
    """Weighted parts for the kernel.

    Args:
        module: the extension.
        weights: the weights of the parts; `part_code` knows all of them.
    """

    def __init__(self, module: Any, weights: Mapping[str, float]):
        self.module = module
        codes = [(part_code(name), weight) for name, weight in weights.items()]
        self.reward = module.Reward([(*code, weight) for code, weight in codes if code is not None])
        self._needs_stems = any(name.endswith("_stem") for name in weights)

    def documents(
        self, batch: DocumentBatch, stem: Callable[[NDArray[np.int32]], NDArray[np.int32]]
    ) -> list[CompiledDocument]:
        """Returns the documents of a batch; `stem` turns words into the numbers of their stems."""
        array = np.ascontiguousarray
        words = array(batch.words, dtype=np.int32)
        reference = array(batch.reference_words, dtype=np.int32)
        documents: list[CompiledDocument] = self.module.compile_documents(
            self.reward,
            array(batch.instance, dtype=np.int64),
            array(batch.num_sentences, dtype=np.int64),
            array(batch.tokens, dtype=np.int32),
            words,
            reference,
            array(stem(words), dtype=np.int32) if self._needs_stems else None,
            array(stem(reference), dtype=np.int32) if self._needs_stems else None,
            array(batch.claims, dtype=np.int32),
            array(batch.fact_weight, dtype=np.float64),
            array(batch.fact_is_key, dtype=np.bool_),
        )
        return documents

    def batch(self, rows: int) -> Any:
        """Returns N drafts that grow together: `Batch` of the extension."""
        return self.module.Batch(self.reward, rows)


def compiled_reward(weights: Mapping[str, float]) -> CompiledReward | None:
    """Returns weighted parts for the kernel, or None where Python is to score them.

    That is so where the extension is not used (`kernel.kernel_info` says why), and where it does
    not know one of the parts.
    """
    module = native()
    if module is None or any(part_code(name) is None for name in weights):
        return None
    return CompiledReward(module, weights)


class CompiledPotential:
    """What `compose.Potential` is, of a compiled document. A state is a value."""

    def __init__(self, document: CompiledDocument):
        self._document = document

    def start(self) -> Any:
        """Returns the state of an empty draft."""
        return self._document.start()

    def extend(self, state: Any, sentence: int) -> Any:
        """Returns the state after a sentence is added to the draft."""
        return state.extend(sentence)

    def scores(self, state: Any) -> list[float]:
        """Returns the weighted score of every part."""
        scores: list[float] = state.scores()
        return scores

    def value(self, state: Any) -> float:
        """Returns the potential: the sum of the weighted scores."""
        value: float = state.value()
        return value
