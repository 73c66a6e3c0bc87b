"""Writing summaries word by word put to work: its keywords, and documents to write about."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import PADDING_WORD, DocumentBatch
from lightbulb_envs.engines.summary_task import STEMS, SummaryConfig, SummaryTask, check_penalty
from lightbulb_envs.engines.tokens_actions import WordActions, WordTable
from lightbulb_envs.keywords import keyword
from lightbulb_envs.rewards.by_word import WORD_PARTS, WordsDocument
from lightbulb_envs.rewards.compiled import compiled_reward
from lightbulb_envs.rewards.compose import Potential
from lightbulb_envs.rewards.stated_facts import Matcher, StatedFacts, build_matcher
from lightbulb_envs.search import ExtractiveTask
from lightbulb_envs.words import stem

BUDGET = {True: 40, False: 60}
"""Words that a draft may have where facts are known, and on real text: what nearly all references
need."""
WORDS_A_SENTENCE = {True: 8, False: 16}
"""Distinct words for which there is room, for every sentence of the observation, where facts are
known, and on real text."""
MOST_BUDGET = 1 << 12
MOST_WORDS = 1 << 14


@dataclass(frozen=True, kw_only=True)
class TokensConfig(SummaryConfig):
    """Keywords of writing word by word, those of its documents included."""

    budget: int | None = keyword(None, example=5)
    """How many words the draft may have. Default: 40, or 60 for real text."""
    max_words: int | None = keyword(None, example=12)
    """How many distinct words of the article have an action, the first ones; others cannot be
    written. Default: 32 and, for every sentence of the observation, 8, which is more than articles
    of the newsroom have, or 16 for real text."""
    illegal_penalty: float = keyword(0.01, example=0.3)
    """What an illegal action costs; it changes nothing else, and the step counts."""


class TokensTask(SummaryTask):
    """A config put to work: its source, its reward, and documents to write about."""

    def __init__(self, config: TokensConfig):
        super().__init__(config)
        self.config = config
        has_facts = self.source.has_facts
        self.budget = BUDGET[has_facts] if config.budget is None else config.budget
        if not 1 <= self.budget <= MOST_BUDGET:
            raise ValueError(f"budget must be in [1, {MOST_BUDGET}] words, got {self.budget}")
        usual = 32 + WORDS_A_SENTENCE[has_facts] * self.source.max_sentences
        most = usual if config.max_words is None else config.max_words
        if not 1 <= most <= MOST_WORDS:
            raise ValueError(f"max_words must be in [1, {MOST_WORDS}], got {most}")
        check_penalty(config.illegal_penalty)
        uses_stems = any(name.endswith("_stem") for name in self.weights)
        self.table = WordTable(self.source, most, self._stem_of_text if uses_stems else None)
        self.num_words = self.table.num_words
        self._open()

    def _open(self) -> None:
        """Makes what the kernel needs, and cannot be pickled."""
        self._compiled = compiled_reward(self.weights)
        uses_facts = any(name.startswith("fact_") for name in self.weights)
        self.matcher: Matcher | None = (
            build_matcher(self.source.signatures()) if uses_facts else None
        )
        self._native_matcher = None
        if self._compiled is not None and self.matcher is not None:
            symbols = self.source.signatures().num_symbols
            self._native_matcher = self._compiled.module.Matcher(self.matcher.arrays, symbols)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_compiled": None, "_native_matcher": None, "matcher": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    @property
    def is_compiled(self) -> bool:
        """Whether C scores the drafts, and not Python; the scores are the same."""
        return self._compiled is not None

    def plain(self, batch: DocumentBatch) -> Iterator[tuple[ExtractiveTask, WordActions]]:
        """Yields each document of a batch to pick words from, and what the words are."""
        actions = self.table.actions(batch)
        found = self.source.propositions(batch.instance) if self.matcher is not None else None
        for row in range(len(batch)):
            own = actions.take(row)
            reader = None
            if found is not None and self.matcher is not None:
                told = (one[row].tolist() for one in (found.fact, found.kind, found.value))
                reader = StatedFacts(self.matcher, zip(*told, strict=True))
            document = self._document(batch, row, own, reader)
            potential = Potential(self.weights, document, WORD_PARTS)
            yield ExtractiveTask(potential, [1] * self.num_words, self.budget), own

    def _document(
        self, batch: DocumentBatch, row: int, actions: WordActions, reader: StatedFacts | None
    ) -> WordsDocument:
        words = [[word] for word in actions.words[0].tolist()]
        stems = [] if actions.stems is None else [[stem] for stem in actions.stems[0].tolist()]
        reference = [
            [word for word in line if word != PADDING_WORD]
            for line in batch.reference_words[row].tolist()
        ]
        return WordsDocument(
            words=lambda stemmed: stems if stemmed else words,
            reference=lambda stemmed: self._stems(reference) if stemmed else reference,
            claims=[],
            fact_weight=batch.fact_weight[row].tolist(),
            fact_is_key=batch.fact_is_key[row].tolist(),
            said=[self.table.said(word) for (word,) in words],
            reader=reader,
        )

    def compile(self, batch: DocumentBatch) -> list[Any]:
        """Returns the documents of a batch for the C kernel, as `WordDocument`s."""
        assert self._compiled is not None
        none = np.zeros(len(batch), dtype=np.int64)
        unpicked = DocumentBatch(
            batch.instance,
            none,
            batch.tokens,
            batch.words[:, :0],
            batch.reference_words,
            batch.claims[:, :0],
            batch.fact_weight,
            batch.fact_is_key,
        )
        documents = self._compiled.documents(unpicked, self._stemmed)
        found = self.source.propositions(batch.instance)
        arrays = (*vars(self.table.actions(batch)).values(), found.fact, found.kind, found.value)
        told = tuple(None if one is None else np.ascontiguousarray(one) for one in arrays)
        compiled: list[Any] = self._compiled.module.compile_words(
            documents, self._native_matcher, told
        )
        return compiled

    def compiled_rows(self, max_steps: int | None, *observed: NDArray[Any]) -> Any:
        """Returns N episodes in C: `WordRows` of the extension, over arrays that it writes to."""
        assert self._compiled is not None
        return self._compiled.module.WordRows(
            self._compiled.reward, self.config.illegal_penalty, max_steps or 0, *observed
        )

    def _stem_of_text(self, word: int, text: str) -> int:
        """Returns the number of a word's stem, whether the source has the word or not."""
        return self._stem(word) if word > PADDING_WORD else STEMS(stem(text))
