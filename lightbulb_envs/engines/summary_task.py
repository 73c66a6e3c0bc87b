"""What all tasks of summarising share: which documents, and what a summary of one is paid for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import PADDING_WORD
from lightbulb_envs.engines.shelf import num_instances_of
from lightbulb_envs.keywords import keyword
from lightbulb_envs.rewards.compose import reward_weights
from lightbulb_envs.sources.source import Source, SourceConfig, open_source
from lightbulb_envs.words import WordNumbers

STEMS = WordNumbers()
"""Numbers of stems, the same for all tasks of a process."""


@dataclass(frozen=True, kw_only=True)
class SummaryConfig(SourceConfig):
    """Keywords of all summarisers, those of their documents included."""

    reward: str | Mapping[str, float] | None = keyword(None, example={"rouge1": 1.0, "length": 0.5})
    """A preset of `rewards.compose.PRESETS`, or weights by part. Default: "facts_and_rouge" where
    facts are known, "rouge" elsewhere."""
    num_instances: int | None = keyword(None, example=5)
    """Instances to draw episodes from: the first so many. Default: all that the source has."""


class SummaryTask:
    """A config put to work: its source, the weights of its reward, and stems."""

    def __init__(self, config: SummaryConfig):
        self.source: Source = open_source(config)
        has_facts = self.source.has_facts
        default = "facts_and_rouge" if has_facts else "rouge"
        reward = default if config.reward is None else config.reward
        self.weights = reward_weights(reward, has_facts=has_facts)
        self.num_instances = num_instances_of(config.num_instances, self.source.num_documents)
        self._stem_of: dict[int, int] = {PADDING_WORD: PADDING_WORD}

    def _stems(self, sentences: Sequence[Sequence[int]]) -> list[list[int]]:
        return [[self._stem(word) for word in sentence] for sentence in sentences]

    def _stemmed(self, words: NDArray[np.int32]) -> NDArray[np.int32]:
        """Returns the numbers of the stems of words; padding stays padding."""
        unique, place = np.unique(words, return_inverse=True)
        stems = np.array([self._stem(word) for word in unique.tolist()], dtype=np.int32)
        return stems[place].reshape(words.shape)

    def _stem(self, word: int) -> int:
        """Returns the number of a word's stem."""
        if word not in self._stem_of:
            self._stem_of[word] = STEMS(self.source.stem_text(word))
        return self._stem_of[word]


def check_penalty(illegal_penalty: float) -> None:
    """Raises ValueError for a price below 0, or none."""
    if not 0 <= illegal_penalty < float("inf"):
        raise ValueError(f"illegal_penalty must be 0 or more, got {illegal_penalty}")
