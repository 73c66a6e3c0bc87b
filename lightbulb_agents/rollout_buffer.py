"""A rollout of whole episodes, in the form of Tianshou's buffer and batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tianshou.data import Batch, ReplayBuffer
from torch import Tensor

_LEARNT = ("act", "adv", "returns", "logp_old", "v_s")
"""Tensors of a rollout that losses read, besides observations."""


class EpisodeBatch(Batch):
    """Steps of whole episodes, those of an article together.

    Minibatches hold all steps of their articles, so that each article is encoded once in each.
    """

    __slots__ = ("_shuffler",)  # in a slot, or Batch would take it for data

    def shuffled_by(self, generator: np.random.Generator) -> "EpisodeBatch":
        """Returns this batch, which will draw the order of its articles from `generator`."""
        object.__setattr__(self, "_shuffler", generator)
        return self

    def split(
        self, size: int, shuffle: bool = True, merge_last: bool = False
    ) -> Iterator["EpisodeBatch"]:
        """Yields minibatches of whole articles, each of `size` steps or a little more.

        A minibatch holds what the losses of Tianshou's actor-critics read, and nothing else.
        """
        articles = np.asarray(self.obs.article)
        first = np.flatnonzero(np.diff(articles, prepend=-1))
        count = np.diff(first, append=len(articles))
        order = self._shuffler.permutation(len(first)) if shuffle else np.arange(len(first))
        wanted = size if size > 0 else len(articles)
        played = count[order].cumsum()
        start = 0
        while start < len(order):
            before = played[start - 1] if start else 0
            end = min(int(np.searchsorted(played, before + wanted)) + 1, len(order))
            if merge_last and played[-1] - played[end - 1] < wanted:
                end = len(order)
            chosen = order[start:end]
            yield self._steps(torch.from_numpy(_ranges(first[chosen], count[chosen])))
            start = end

    def _steps(self, steps: Tensor) -> "EpisodeBatch":
        """Returns some steps, as far as a loss reads them."""
        seen = {name: value.index_select(0, steps) for name, value in self.obs.items()}
        learnt = {name: self[name].index_select(0, steps) for name in _LEARNT if name in self}
        return EpisodeBatch(obs=Batch(seen), info=Batch(), **learnt)


def _ranges(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the numbers from every `first` on, `count` of each, one after the other."""
    shift = first - count.cumsum() + count
    ranges: NDArray[np.int64] = np.repeat(shift, count) + np.arange(int(count.sum()))
    return ranges


class RolloutBuffer(ReplayBuffer):
    """Holds one rollout, set at once; Tianshou's algorithms read it as any other buffer."""

    def __init__(self) -> None:
        super().__init__(size=1)

    def store(self, batch: EpisodeBatch) -> None:
        """Replaces what is held by the steps of finished episodes, in order."""
        self.maxsize = len(batch)
        self._indices = np.arange(len(batch))
        self._meta = batch
        self._size = len(batch)
        self._insertion_idx = 0
        self.last_index = np.array([len(batch) - 1])

    def sample(self, batch_size: int | None) -> tuple[Any, NDArray[np.int64]]:
        """Returns the whole rollout, which is all that on-policy algorithms ask for."""
        if batch_size != 0:
            raise ValueError(f"a rollout is read whole (batch_size=0), got {batch_size}")
        return self._meta, self._indices
