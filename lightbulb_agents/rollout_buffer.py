"""A rollout of whole episodes, in the form of Tianshou's buffer and batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tianshou.data import Batch, ReplayBuffer


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
        """Yields minibatches of whole articles, each of `size` steps or a little more."""
        articles = np.asarray(self.obs.article)
        first = np.flatnonzero(np.diff(articles, prepend=-1))
        groups = np.split(np.arange(len(articles)), first[1:])
        if shuffle:
            groups = [groups[number] for number in self._shuffler.permutation(len(groups))]
        chosen: list[list[NDArray[np.int64]]] = []
        steps = size if size > 0 else len(articles)
        for group in groups:
            if not chosen or sum(map(len, chosen[-1])) >= steps:
                chosen.append([])
            chosen[-1].append(group)
        if merge_last and len(chosen) > 1 and sum(map(len, chosen[-1])) < steps:
            last = chosen.pop()
            chosen[-1].extend(last)
        for minibatch in chosen:
            yield self[np.concatenate(minibatch)]


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
