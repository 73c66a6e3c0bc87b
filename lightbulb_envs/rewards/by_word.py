"""Rewards of drafts that grow word by word: the parts of `compose`, with a word in place of a
sentence.

ROUGE and length look at words as they do of sentences. What a draft claims is read from its words
(`stated_facts`), for no sentence says it. A draft is one line, so that ROUGE-Lsum takes all of it
for one sentence, and is counted anew at every word.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lightbulb_envs.rewards.compose import PARTS, Part, ScoredDocument
from lightbulb_envs.rewards.facts import FactTracker
from lightbulb_envs.rewards.rouge import rouge
from lightbulb_envs.rewards.stated_facts import Read, StatedFacts
from lightbulb_envs.sources.signatures import Said


@dataclass(frozen=True)
class WordsDocument(ScoredDocument):
    """A document whose `words` are what a draft may be written in, each a sentence of its own."""

    said: Sequence[Said] = ()
    """What every word is to signatures."""
    reader: StatedFacts | None = None
    """Who reads what a draft claims of the document; None where facts are unknown."""


class _StatedPart:
    def __init__(self, name: str, document: ScoredDocument):
        assert isinstance(document, WordsDocument)
        assert document.reader is not None
        self._tracker = FactTracker(document.fact_weight, document.fact_is_key)
        self._reader, self._said = document.reader, document.said
        self._field = ("fact_precision", "fact_recall", "fact_f1").index(name)

    def start(self) -> Read:
        return self._reader.start()

    def extend(self, state: Read, word: int) -> Read:
        return self._reader.extend(state, self._said[word])

    def score(self, state: Read) -> float:
        claimed = self._tracker.start()
        for claim in state.claims:
            if claim.is_right:
                claimed = self._tracker.extend(claimed, (claim.fact,))
            else:
                claimed = self._tracker.extend_wrong(claimed, claim.fact)
        return self._tracker.score(claimed)[self._field]


class _LinePart:
    def __init__(self, name: str, document: ScoredDocument):
        self._kind, _, suffix = name.partition("_")
        self._reference = document.reference(suffix == "stem")
        self._words = document.words(suffix == "stem")

    def start(self) -> tuple[int, ...]:
        return ()

    def extend(self, state: tuple[int, ...], word: int) -> tuple[int, ...]:
        return (*state, *self._words[word])

    def score(self, state: tuple[int, ...]) -> float:
        return rouge(self._kind, self._reference, [state]).fmeasure


WORD_PARTS: dict[str, Callable[[str, ScoredDocument], Part]] = {
    **PARTS,
    **dict.fromkeys(("fact_precision", "fact_recall", "fact_f1"), _StatedPart),
    **dict.fromkeys(("rougeLsum", "rougeLsum_stem"), _LinePart),
}
"""The parts of a reward by name, as `compose.PARTS` has them, for drafts of words."""
