"""Rewards of texts that are written whole: the parts of `compose`, of strings.

ROUGE of the text and the reference is that of `rewards.rouge.score`, line by line as sentences for
ROUGE-Lsum; what a text claims is read by `stated_facts`.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from lightbulb_envs.rewards.facts import FactTracker
from lightbulb_envs.rewards.length import length_score
from lightbulb_envs.rewards.rouge import score
from lightbulb_envs.rewards.stated_facts import StatedFacts, build_matcher
from lightbulb_envs.words import split_words

_REMEMBERED = 512
"""Documents whose references and facts are kept ready."""
KINDS = ("rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum")
_FACTS = ("fact_precision", "fact_recall", "fact_f1")


class TextScorer:
    """What texts about the documents of a source are worth.

    Args:
        source: whose documents texts are about.
        weights: of the reward's parts, by name.
        budget: how many words of a text are read.
    """

    def __init__(self, source: Any, weights: Mapping[str, float], budget: int):
        self._source, self._weights, self._budget = source, dict(weights), budget
        self._uses_facts = any(name in _FACTS for name in weights)
        self._known = functools.lru_cache(maxsize=_REMEMBERED)(self._look_up)

    def _look_up(self, instance: int) -> tuple[str, FactTracker | None, StatedFacts | None]:
        """Returns a document's reference, its facts, and who reads what is claimed of them."""
        reference = self._source.document(instance).reference_text
        if not self._uses_facts:
            return reference, None, None
        own = np.array([instance])
        batch, found = self._source.batch(own), self._source.propositions(own)
        tracker = FactTracker(batch.fact_weight[0].tolist(), batch.fact_is_key[0].tolist())
        told = (one[0].tolist() for one in (found.fact, found.kind, found.value))
        matcher = build_matcher(self._source.signatures())
        return reference, tracker, StatedFacts(matcher, zip(*told, strict=True))

    def lines(self, text: str) -> list[list[str]]:
        """Returns the words of a text that are read, line by line."""
        left, lines = self._budget, []
        for line in text.splitlines():
            words = split_words(line)[:left]
            left -= len(words)
            if words:
                lines.append(words)
        return lines

    def scores(self, instance: int, text: str) -> list[float]:
        """Returns the weighted score of every part of a text about a document."""
        reference, tracker, reader = self._known(instance)
        lines = self.lines(text)
        read = "\n".join(map(" ".join, lines))
        words = [word for line in lines for word in line]
        rouge = self._rouge(read, reference)
        found = []
        for name, weight in self._weights.items():
            if name in _FACTS:
                assert tracker is not None
                assert reader is not None
                own = self._claimed(words, tracker, reader)[_FACTS.index(name)]
            elif name == "length":
                own = length_score(len(split_words(reference)), len(words))
            else:
                own = rouge[name]
            found.append(weight * own)
        return found

    def _rouge(self, read: str, reference: str) -> dict[str, float]:
        """Returns the F1 of the parts that are ROUGE, by name."""
        found: dict[str, float] = {}
        for suffix in ("", "_stem"):
            kinds = [kind for kind in KINDS if kind + suffix in self._weights]
            if kinds:
                told = score(read, reference, kinds, use_stemmer=bool(suffix))
                found |= {kind + suffix: one.fmeasure for kind, one in told.items()}
        return found

    def _claimed(self, words: list[str], tracker: FactTracker, reader: StatedFacts) -> Any:
        """Returns the fact score of words."""
        signatures = self._source.signatures()
        state = tracker.start()
        for claim in reader.read(signatures.say(word) for word in words):
            if claim.is_right:
                state = tracker.extend(state, (claim.fact,))
            else:
                state = tracker.extend_wrong(state, claim.fact)
        return tracker.score(state)
