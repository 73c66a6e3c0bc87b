"""What a network encodes of an article that is written about word by word, as one array.

Articles are kept, compared and numbered as one array of numbers each (E, R, T), which is `tokens`
(S, T) where sentences are picked. Where words are written, the rows of `article` and of `words`
follow, and one that says how many there are of each: a network acts in articles of any size.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lightbulb_agents.layout import Layout

_LEAST_WIDTH = 3
"""Of a row that says how many sentences, words, and pieces of a word there are."""


def read_article(observation: dict[str, NDArray[Any]], layout: Layout) -> NDArray[np.int32]:
    """Returns what is encoded of n episodes' articles, (n, R, T)."""
    tokens: NDArray[np.int32] = observation["tokens"]
    if not layout.writes:
        return tokens
    count, sentences, width = tokens.shape
    words, pieces = observation["words"].shape[1:]
    wide = max(width, _LEAST_WIDTH)
    rows = -(-words * pieces // wide)
    found = np.zeros((count, 2 * sentences + rows + 1, wide), dtype=np.int32)
    found[:, :sentences, :width] = tokens
    found[:, sentences : 2 * sentences, :width] = observation["article"]
    flat = found[:, 2 * sentences : -1].reshape(count, -1)
    flat[:, : words * pieces] = observation["words"].reshape(count, -1)
    found[:, 2 * sentences : -1] = flat.reshape(count, rows, wide)
    found[:, -1, :_LEAST_WIDTH] = sentences, words, pieces
    return found


def article_shape(observation_space: Any, layout: Layout) -> tuple[tuple[int, ...], int]:
    """Returns the shape (R, T) of what is encoded of an article, and its highest number."""
    seen = {
        name: np.zeros((1, *space.shape), space.dtype) for name, space in observation_space.items()
    }
    found = read_article(seen, layout)
    highest = int(observation_space["tokens"].high.max(initial=0))
    return found.shape[1:], max(highest, int(found.max(initial=0)))  # which tells how many words


def split_article(article: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns tokens (E, S, T), the article in actions (E, S, T) and words (E, W, P).

    Those are of `read_article` where words are written.
    """
    sentences, words, pieces = article[0, -1, :_LEAST_WIDTH].tolist()
    flat = article[:, 2 * sentences : -1].flatten(1)[:, : words * pieces]
    return (
        article[:, :sentences],
        article[:, sentences : 2 * sentences],
        flat.reshape(len(article), words, pieces),
    )


def order_of_words(draft: NDArray[np.int32]) -> NDArray[np.int64]:
    """Returns the words written (n, K) in order, -1 past the last, from drafts (n, budget)."""
    most = int((draft > 0).sum(axis=1).max(initial=0))
    return draft[:, : max(most, 1)].astype(np.int64) - 1
