"""Summarising put to work: its keywords, and documents as tasks of picking sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import PADDING_WORD, DocumentBatch
from lightbulb_envs.engines.summary_task import SummaryConfig, SummaryTask, check_penalty
from lightbulb_envs.keywords import keyword
from lightbulb_envs.rewards.compiled import CompiledDocument, CompiledPotential, compiled_reward
from lightbulb_envs.rewards.compose import Potential, ScoredDocument
from lightbulb_envs.search import ExtractiveTask
from lightbulb_envs.sources.newsroom.levels import level_attributes

BUDGET_UNITS = ("sentences", "words")
MOST_SENTENCES = 127


@dataclass(frozen=True, kw_only=True)
class SummariseConfig(SummaryConfig):
    """Keywords of the summariser's environments, those of its documents included."""

    budget: int | None = keyword(None, example=2)
    """How many sentences (or words) the draft may have. Default: the level's."""
    budget_unit: str = keyword("sentences", example="words", given={"budget": 60})
    """What the budget counts: "sentences" or "words"."""
    illegal_penalty: float = keyword(0.01, example=0.3)
    """What an illegal action costs; it changes nothing else, and the step counts."""
    features: bool = keyword(False, example=True)
    """Whether the observation also holds `features` (S, F) of `engines.features`."""


class SummariseTask(SummaryTask):
    """A config put to work: its source, its reward, and documents as `ExtractiveTask`s."""

    in_article_order = False
    """Whether a draft's sentences are told in the article's order, or in that of picking."""

    def __init__(self, config: SummariseConfig):
        super().__init__(config)
        self.config = config
        if not isinstance(config.features, bool):
            raise TypeError(f"features must be True or False, got {config.features!r}")
        if self.source.max_sentences > MOST_SENTENCES:
            raise ValueError(
                f"max_sentences must be {MOST_SENTENCES} or less, for `selected` is int8, got "
                f"{self.source.max_sentences}"
            )
        if config.budget_unit not in BUDGET_UNITS:
            raise ValueError(
                f"budget_unit must be one of {', '.join(BUDGET_UNITS)}, got {config.budget_unit!r}"
            )
        if config.budget is None and config.budget_unit == "words":
            raise ValueError('budget_unit="words" needs a budget=, the number of words')
        self.counts_sentences = config.budget_unit == "sentences"
        self.budget = (
            config.budget if config.budget is not None else level_attributes(config.level).budget
        )
        most = self.source.max_sentences if self.counts_sentences else 1 << 20
        if not 1 <= self.budget <= most:
            raise ValueError(
                f"budget must be in [1, {most}] {config.budget_unit}, got {self.budget}"
            )
        check_penalty(config.illegal_penalty)
        self._compiled = compiled_reward(self.weights)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_compiled": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compiled = compiled_reward(self.weights)

    @property
    def is_compiled(self) -> bool:
        """Whether C scores the drafts, and not Python; the scores are the same."""
        return self._compiled is not None

    def task(self, batch: DocumentBatch, row: int) -> ExtractiveTask:
        """Returns one document of a batch to pick from."""
        words = _unpad(batch.words[row, : int(batch.num_sentences[row])])
        if self._compiled is None:
            potential: Potential | CompiledPotential = self._plain_potential(batch, row, words)
        else:
            (document,) = self.compile(batch.take(np.array([row])))
            potential = CompiledPotential(document)
        return ExtractiveTask(
            potential=potential,
            costs=[1] * len(words) if self.counts_sentences else [len(each) for each in words],
            budget=self.budget,
            in_article_order=self.in_article_order,
        )

    def _plain_potential(
        self, batch: DocumentBatch, row: int, words: Sequence[Sequence[int]]
    ) -> Potential:
        reference = _unpad(batch.reference_words[row])
        document = ScoredDocument(
            words=lambda stemmed: self._stems(words) if stemmed else words,
            reference=lambda stemmed: self._stems(reference) if stemmed else reference,
            claims=[
                [fact for fact in claims if fact >= 0] for claims in batch.claims[row].tolist()
            ],
            fact_weight=batch.fact_weight[row].tolist(),
            fact_is_key=batch.fact_is_key[row].tolist(),
        )
        return Potential(self.weights, document)

    def compile(self, batch: DocumentBatch) -> list[CompiledDocument]:
        """Returns the documents of a batch for the C kernel."""
        assert self._compiled is not None
        return self._compiled.documents(batch, self._stemmed)

    def compiled_rows(self, max_steps: int | None, *observed: NDArray[Any]) -> Any:
        """Returns N episodes in C: `Rows` of the extension, over arrays that it writes to."""
        assert self._compiled is not None
        return self._compiled.module.Rows(
            self._compiled.reward,
            self.budget,
            not self.counts_sentences,
            self.config.illegal_penalty,
            max_steps or 0,
            *observed,
        )


def _unpad(rows: NDArray[np.int32]) -> list[list[int]]:
    """Returns the sentences of one document, without padding."""
    lengths = (rows != PADDING_WORD).sum(axis=1).tolist()
    return [row[:length] for row, length in zip(rows.tolist(), lengths, strict=True)]
