"""The centrality baseline: LexRank (Erkan and Radev 2004) over the observed tokens.

As in the paper's summaries, a sentence too similar to one already picked is passed over, since what
an article repeats is central every time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.planned import Planned
from lightbulb_envs.engines.engine import Observation
from lightbulb_envs.similarity import lexrank, sentence_similarity

REDUNDANT = 0.2
"""Cosine similarity from which a sentence counts as said already: of 0.2, 0.3, 0.4, 0.5, 0.7 and
never, the best on validation documents of level 2."""


class Centrality(Planned):
    """Picks the k most central sentences that do not repeat one another, then stops."""

    def __init__(self, k: int = 3):
        if k < 1:
            raise ValueError(f"k must be 1 or more, got {k}")
        self.k = k

    def plan(self, observation: Observation, info: dict[str, Any], row: int) -> list[int]:
        return central_sentences(observation["tokens"][row], self.k)


def central_sentences(tokens: NDArray[np.int32], k: int) -> list[int]:
    """Returns the k most central sentences of tokens (S, T) that do not repeat one another."""
    similarity = sentence_similarity(tokens)
    picked: list[int] = []
    for sentence in np.argsort(-lexrank(similarity), kind="stable").tolist():
        if len(picked) == k:
            break
        if all(similarity[sentence, other] < REDUNDANT for other in picked):
            picked.append(sentence)
    return picked
