"""What heads act on: articles, encoded once, and what is seen of an episode besides them."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lightbulb_agents.layout import Layout
from lightbulb_agents.writing import order_of_words


@dataclass(frozen=True)
class Articles:
    """E encoded articles; every tensor starts with E."""

    def __getitem__(self, rows: Tensor) -> Self:
        # Not `tensor[rows]`: on several threads its gradient adds up in no fixed order.
        return type(self)(
            **{one.name: getattr(self, one.name).index_select(0, rows) for one in fields(self)}
        )

    def replaced(self, rows: Tensor, others: Self) -> Self:
        """Returns these articles, with others in some places."""
        return type(self)(
            **{
                one.name: getattr(self, one.name).index_copy(0, rows, getattr(others, one.name))
                for one in fields(self)
            }
        )

    def followed_by(self, others: Self) -> Self:
        """Returns these articles and, after them, others."""
        return type(self)(
            **{
                one.name: torch.cat((getattr(self, one.name), getattr(others, one.name)))
                for one in fields(self)
            }
        )


@dataclass(frozen=True)
class Drafts:
    """What the agent sees of n episodes besides their articles."""

    article: Tensor  # (n,), which of the encoded articles
    picks: Tensor  # (n, K), sentences, or words, in the order of picking, -1 past the last
    vectors: Tensor  # (n, V), all named vectors side by side
    action_mask: Tensor  # (n, A), true where legal
    features: Tensor  # (n, S, F), of sentences; F may be 0
    seen: Tensor  # (n,), rows of the article that are seen; 0 unless they are revealed in order


def order_of_picks(selected: NDArray[np.int8]) -> NDArray[np.int64]:
    """Returns the picks (n, K) in order, -1 past the last, from places in drafts (n, S)."""
    rows, sentences = np.nonzero(selected)
    most = int(selected.max(initial=0))
    picks = np.full((len(selected), max(most, 1)), -1, dtype=np.int64)
    picks[rows, selected[rows, sentences] - 1] = sentences
    return picks


def read_drafts(
    observation: dict[str, NDArray[Any]], article: NDArray[np.int64], layout: Layout
) -> Drafts:
    """Returns observations of n episodes as tensors; `article` (n,) says whose article is whose."""
    count, sentences = observation["tokens"].shape[:2]
    selected = observation.get("selected", np.zeros((count, sentences), dtype=np.int8))
    features = observation.get("features", np.zeros((count, sentences, 0), dtype=np.float32))
    vectors = [observation[name].astype(np.float32, copy=False) for name in layout.vectors]
    empty = np.zeros((count, 0), dtype=np.float32)
    return Drafts(
        article=torch.from_numpy(article),
        picks=torch.from_numpy(
            order_of_words(observation["draft"]) if layout.writes else order_of_picks(selected)
        ),
        vectors=torch.from_numpy(np.concatenate([empty, *vectors], axis=1)),
        action_mask=torch.from_numpy(_mask_of_logits(observation["action_mask"], layout)).bool(),
        features=torch.from_numpy(features),
        seen=torch.from_numpy(
            rows_seen(observation["tokens"]) if layout.in_order else np.zeros(count, dtype=np.int64)
        ),
    )


def rows_seen(tokens: NDArray[np.int32]) -> NDArray[np.int64]:
    """Returns up to where the rows of tokens (n, S, T) hold any, (n,)."""
    is_real = (tokens != 0).any(axis=2)
    last: NDArray[np.int64] = tokens.shape[1] - is_real[:, ::-1].argmax(axis=1)
    return np.where(is_real.any(axis=1), last, 0)


def _mask_of_logits(mask: NDArray[np.int8], layout: Layout) -> NDArray[np.int8]:
    """Returns which logits (n, A) may be chosen: those of a slate's first place, or all bits'."""
    if mask.ndim == 3:
        return np.ascontiguousarray(mask[:, 0])
    return np.pad(mask, ((0, 0), (0, 1)), constant_values=1) if layout.is_subset else mask
