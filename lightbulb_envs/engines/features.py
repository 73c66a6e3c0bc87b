"""Cheap features of sentences, for agents that cannot read: `features=True`.

All lie in [0, 1]; sentences that are not there have zeros.
"""

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.similarity import lexrank, sentence_similarity

FEATURES = ("position", "length", "centrality", "novelty")
"""From the first sentence (0) to the last (1); tokens as a share of the most there may be; LexRank
as a share of the highest; one minus the largest cosine similarity to a sentence of the draft."""
_NOVELTY = FEATURES.index("novelty")


class Features:
    """The features of one document; novelty follows the draft."""

    def __init__(self, tokens: NDArray[np.int32]):
        """Args: tokens: (S, T) of the document."""
        self.values = np.zeros((len(tokens), len(FEATURES)), dtype=np.float32)  # (S, F)
        self._similarity = sentence_similarity(tokens)
        count = len(self._similarity)
        rank = lexrank(self._similarity)
        self.values[:count, 0] = np.arange(count) / max(count - 1, 1)
        self.values[:count, 1] = (tokens[:count] != 0).mean(axis=1)
        self.values[:count, 2] = rank / rank.max(initial=1e-12)
        self.follow(())

    def follow(self, draft: tuple[int, ...]) -> None:
        """Measures novelty against a draft."""
        count = len(self._similarity)
        known = self._similarity[:, list(draft)].max(axis=1, initial=0.0)
        self.values[:count, _NOVELTY] = 1.0 - np.clip(known, 0.0, 1.0)
