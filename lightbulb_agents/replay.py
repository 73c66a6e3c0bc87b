"""Replay of whole episodes, in the form of Tianshou's buffer: what off-policy learning reads.

A step names the article that was seen by a number, and the tokens of articles are kept once. Steps
of one article stand together, and so do the articles that were played at a time; what is oldest
is written over. A minibatch holds all steps of the articles that were drawn, so that each is
encoded once and not once a step, and every step is drawn equally often; only by priority are steps
drawn one by one.

Letters of shapes: M steps that are kept, S sentences, T tokens.
"""

from collections.abc import Mapping
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from tianshou.data import Batch, PrioritizedReplayBuffer, ReplayBuffer
from torch import Tensor

_SMALL = np.iinfo(np.uint16)
PICKS = "picks"


class ArticleStore:
    """Tokens of articles, numbered as they come; those before `first` are forgotten."""

    def __init__(self, shape: tuple[int, ...], highest: int):
        small = highest <= _SMALL.max
        self._tokens = np.zeros((1, *shape), dtype=np.uint16 if small else np.int32)
        self.first = 0
        self.end = 0

    def add(self, tokens: NDArray[np.int32]) -> int:
        """Keeps articles (k, S, T); returns the number of the first of them."""
        held, count = self.end - self.first, len(tokens)
        if held + count > len(self._tokens):
            numbers = np.arange(self.first, self.end)
            grown = np.zeros((2 * (held + count), *self._tokens.shape[1:]), self._tokens.dtype)
            grown[numbers % len(grown)] = self._tokens[numbers % len(self._tokens)]
            self._tokens = grown
        start = self.end
        self.end += count
        self._tokens[np.arange(start, self.end) % len(self._tokens)] = tokens
        return start

    def forget(self, before: int) -> None:
        """Gives up the articles before a number."""
        self.first = max(self.first, before)

    def take(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the tokens (k, S, T) of articles."""
        tokens: NDArray[np.int64] = self._tokens[numbers % len(self._tokens)].astype(np.int64)
        return tokens

    def held(self) -> NDArray[Any]:
        """Returns the tokens of all articles that are kept, in order."""
        return self._tokens[np.arange(self.first, self.end) % len(self._tokens)]

    def set_held(self, first: int, tokens: NDArray[Any]) -> None:
        """Keeps articles and nothing else, the first of which has this number."""
        self._tokens = np.zeros((max(1, len(tokens)), *tokens.shape[1:]), tokens.dtype)
        self.first = self.end = first
        self.add(tokens)

    def __deepcopy__(self, memo: Any) -> Self:
        """Returns the store itself: a target network reads the same articles."""
        return self


class _Episodes(ReplayBuffer):
    """What both kinds of replay share.

    Args:
        size: M.
        articles: which the observations number.
        generator: draws minibatches.
    """

    articles: ArticleStore
    generator: np.random.Generator

    def _begin(self, articles: ArticleStore, generator: np.random.Generator) -> None:
        self.articles = articles
        self.generator = generator
        self.written = 0
        """Steps that were ever put in; step i is at place i % M."""
        self._starts: NDArray[np.int64] = np.zeros((0, 2), dtype=np.int64)
        """The first step of every group, and its article; the oldest group may be kept in part."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """The first steps of groups that are kept from their first step on."""
        starts = self._starts[:, 0]
        return starts[np.searchsorted(starts, self.written - self._size) :]

    def store(self, steps: Mapping[str, Any], group: NDArray[np.int64]) -> None:
        """Puts in steps, in their order.

        Args:
            steps: arrays with a row a step, or mappings of such, by the names of Tianshou's batch.
            group: (n,), equal for the steps of a document, which stand together. No article of them
                or of a later group has a lower number than that of their first step.
        """
        count = len(group)
        if count > self.maxsize:
            raise ValueError(
                f"{count:,} steps were played at once, and the replay holds {self.maxsize:,}: "
                "raise --q.replay-size, or play fewer --rows"
            )
        if not len(self._meta.get_keys()):
            self._meta = cast("Any", _room(steps, self.maxsize))
        place = np.arange(self.written, self.written + count) % self.maxsize
        _write(self._meta, place, steps)
        first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
        starts = np.stack((self.written + first, steps["obs"]["article"][first]), axis=1)
        self.written += count
        self._size = min(self.written, self.maxsize)
        self._insertion_idx = self.written % self.maxsize
        self.last_index = np.array([(self.written - 1) % self.maxsize])
        oldest = self.written - self._size
        starts = np.concatenate((self._starts, starts))
        self._starts = starts[np.searchsorted(starts[:, 0], oldest, side="right") - 1 :]
        self.articles.forget(int(self._starts[0, 1]))

    def sample_indices(self, batch_size: int | None) -> NDArray[np.int64]:
        """Returns the places of so many steps, or all of them for None or 0."""
        return self._draw(batch_size) if batch_size else np.arange(self._size)

    def _draw(self, steps: int) -> NDArray[np.int64]:
        """Returns the places of all steps of some articles, `steps` of them or so."""
        groups = self.groups
        ends = np.append(groups[1:], self.written)
        wanted = max(1, round(steps * len(groups) / (self.written - groups[0])))
        chosen = self.generator.integers(len(groups), size=wanted)
        pairs = zip(groups[chosen].tolist(), ends[chosen].tolist(), strict=True)
        numbers = [np.arange(start, end) for start, end in pairs]
        place: NDArray[np.int64] = np.concatenate(numbers) % self.maxsize
        return place

    def arrays(self) -> dict[str, Tensor]:
        """Returns all that is kept as tensors by name."""
        found = {f"meta.{name}": value[: self._size] for name, value in _flat(self._meta)}
        found |= {"starts": self._starts, "tokens": self.articles.held()}
        found["numbers"] = np.array([self.written, self.articles.first])
        return {
            name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in found.items()
        }

    def set_arrays(self, arrays: Mapping[str, Tensor]) -> None:
        """Keeps what `arrays` returned, and nothing else."""
        self.written, first = arrays["numbers"].tolist()
        self._starts = arrays["starts"].numpy()
        self.articles.set_held(first, arrays["tokens"].numpy())
        self._size = min(self.written, self.maxsize)
        self._insertion_idx = self.written % self.maxsize
        self.last_index = np.array([(self.written - 1) % self.maxsize])
        named = {
            name.removeprefix("meta."): tensor.numpy()
            for name, tensor in arrays.items()
            if name.startswith("meta.")
        }
        if named:
            self._meta = cast("Any", _room(_nested(named), self.maxsize))
            _write(self._meta, np.arange(self._size), _nested(named))


class EpisodeReplay(_Episodes):
    """Replay from which every step is drawn equally often."""

    def __init__(self, size: int, articles: ArticleStore, generator: np.random.Generator):
        super().__init__(size)
        self._begin(articles, generator)


class PrioritizedEpisodeReplay(_Episodes, PrioritizedReplayBuffer):
    """Replay from which steps are drawn by their errors (Schaul et al. 2016).

    Args:
        alpha: how much errors matter.
        beta: how much of the bias is weighed away; `set_beta` raises it as learning goes on.
    """

    def __init__(
        self,
        size: int,
        articles: ArticleStore,
        generator: np.random.Generator,
        alpha: float,
        beta: float,
    ):
        PrioritizedReplayBuffer.__init__(self, size, alpha=alpha, beta=beta)
        self._begin(articles, generator)

    def store(self, steps: Mapping[str, Any], group: NDArray[np.int64]) -> None:
        """Puts in steps, each as likely to be drawn as the likeliest so far."""
        start = self.written
        super().store(steps, group)
        self.init_weight(np.arange(start, self.written) % self.maxsize)

    def _draw(self, steps: int) -> NDArray[np.int64]:
        """Returns the places of so many steps, drawn one by one."""
        share = self.generator.random(steps) * self.weight.reduce()
        return np.asarray(self.weight.get_prefix_sum_idx(share))

    def update_weight(
        self, index: NDArray[np.int64], new_weight: NDArray[np.floating[Any]] | Tensor
    ) -> None:
        """Sets the errors of steps; as doubles, so that all that follows is, too."""
        errors = torch.as_tensor(new_weight).detach().numpy().astype(np.float64)
        super().update_weight(index, errors)

    def arrays(self) -> dict[str, Tensor]:
        """Returns all that is kept as tensors by name."""
        weight = np.asarray(self.weight[np.arange(self.maxsize)])
        bounds = np.array([self._max_prio, self._min_prio])
        more = {"weight": torch.from_numpy(weight), "priorities": torch.from_numpy(bounds)}
        return super().arrays() | more

    def set_arrays(self, arrays: Mapping[str, Tensor]) -> None:
        """Keeps what `arrays` returned, and nothing else."""
        super().set_arrays(arrays)
        self.weight[np.arange(self.maxsize)] = arrays["weight"].numpy()
        self._max_prio, self._min_prio = arrays["priorities"].tolist()


def _flat(batch: Any, prefix: str = "") -> list[tuple[str, NDArray[Any]]]:
    """Returns the arrays of a batch by their paths."""
    found: list[tuple[str, NDArray[Any]]] = []
    for name, value in batch.items():
        if isinstance(value, (Batch, dict)):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _nested(flat: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Returns arrays by path as mappings in mappings."""
    found: dict[str, Any] = {}
    for path, value in flat.items():
        *folders, name = path.split(".")
        place = found
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return found


def _room(steps: Mapping[str, Any], size: int) -> Batch:
    """Returns a batch with room for `size` steps such as these."""
    return Batch(
        {
            name: _room(value, size)
            if isinstance(value, Mapping)
            else np.zeros((size, *value.shape[1:]), value.dtype)
            for name, value in steps.items()
        }
    )


def _write(room: Any, place: NDArray[np.int64], steps: Mapping[str, Any]) -> None:
    """Writes steps into their places; drafts may have more picks than any before."""
    for name, value in steps.items():
        if isinstance(value, Mapping):
            _write(room[name], place, value)
            continue
        if name == PICKS:
            more = value.shape[1] - room[name].shape[1]
            if more > 0:
                room[name] = np.pad(room[name], ((0, 0), (0, more)), constant_values=-1)
            value = np.pad(value, ((0, 0), (0, max(-more, 0))), constant_values=-1)
        room[name][place] = value
