"""How similar the sentences of a document are, and how central each is (LexRank).

Sentences are TF-IDF vectors over their tokens; the stationary distribution of a random walk between
similar sentences ranks them (Erkan and Radev 2004, "LexRank"). Inverse document frequencies come
from the document's own sentences, so nothing has to be fitted.
"""

import numpy as np
from numpy.typing import NDArray

DAMPING = 0.85
_ITERATIONS = 100


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
