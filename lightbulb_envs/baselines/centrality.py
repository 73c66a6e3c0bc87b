"""The centrality baseline: LexRank (Erkan and Radev 2004) over the observed tokens.

Sentences are TF-IDF vectors; the stationary distribution of a random walk between similar
sentences ranks them. As in the paper's summaries, a sentence too similar to one already picked is
passed over, since what an article repeats is central every time. Inverse document frequencies
come from the article's own sentences, so nothing has to be fitted.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.baselines.planned import Planned
from lightbulb_envs.engines.engine import Observation

DAMPING = 0.85
REDUNDANT = 0.2
"""Cosine similarity from which a sentence counts as said already: of 0.2, 0.3, 0.4, 0.5, 0.7 and
never, the best on validation documents of level 2."""
_ITERATIONS = 100


class Centrality(Planned):
    """Picks the k most central sentences that do not repeat one another, then stops."""

    def __init__(self, k: int = 3):
        if k < 1:
            raise ValueError(f"k must be 1 or more, got {k}")
        self.k = k

    def plan(self, observation: Observation, info: dict[str, Any], row: int) -> list[int]:
        similarity = sentence_similarity(observation["tokens"][row])
        rank = lexrank(similarity)
        picked: list[int] = []
        for sentence in np.argsort(-rank, kind="stable").tolist():
            if len(picked) == self.k:
                break
            if all(similarity[sentence, other] < REDUNDANT for other in picked):
                picked.append(sentence)
        return picked


def sentence_similarity(tokens: NDArray[np.int32]) -> NDArray[np.float64]:
    """Returns cosine similarities (S', S') of the TF-IDF vectors of a document's S' sentences."""
    count = int((tokens != 0).any(axis=1).sum())
    tokens = tokens[:count]
    terms, place = np.unique(tokens, return_inverse=True)
    frequency = np.zeros((count, len(terms)))
    rows = np.repeat(np.arange(count), tokens.shape[1])
    np.add.at(frequency, (rows, place.ravel()), 1.0)
    frequency[:, terms == 0] = 0.0
    holding = (frequency > 0).sum(axis=0)
    idf = np.log(count / np.maximum(holding, 1)) + 1e-9
    vectors = frequency * idf
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.maximum(norm, 1e-12)
    similarity: NDArray[np.float64] = vectors @ vectors.T
    return similarity


def lexrank(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the centrality of every sentence; the values sum to 1 (continuous LexRank)."""
    count = len(similarity)
    walk = similarity / np.maximum(similarity.sum(axis=1, keepdims=True), 1e-12)
    rank = np.full(count, 1.0 / count)
    for _ in range(_ITERATIONS):
        rank = (1 - DAMPING) / count + DAMPING * rank @ walk
    return rank
