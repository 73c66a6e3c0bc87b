"""Passages that FAISS finds worth to be looked at, among more than one would look at in turn."""

from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor


class FaissCandidates:
    """What FAISS finds for questions, by inner products.

    Args:
        width: of the vectors.
        factory: a description of an index as FAISS's `index_factory` takes it.

    Raises:
        ImportError: FAISS is not there.
        ValueError: it knows no such factory.
    """

    def __init__(self, width: int, factory: str):
        try:
            import faiss
        except ImportError as error:
            raise ImportError(
                f"an index by {factory!r} needs FAISS: pip install 'lightbulb[faiss]'"
            ) from error
        self._faiss: Any = faiss
        self._width, self._factory = width, factory
        self._index: Any = None
        self._of: tuple[Tensor, int] | None = None
        """The vectors that it is of, and how often they had been changed then."""
        self._make()  # so that a factory that will not do is told now

    def __deepcopy__(self, memo: dict[int, Any]) -> "FaissCandidates":
        return FaissCandidates(self._width, self._factory)  # FAISS's own objects cannot be copied

    def find(
        self, questions: Float[Tensor, "B D"], vectors: Float[Tensor, "P D"], count: int
    ) -> Int[Tensor, "B K"]:
        """Returns the numbers of passages, -1 where fewer than `count` are found.

        Args:
            vectors: of all passages; they are indexed where there is no index of them yet.
        """
        _, found = self._built(vectors).search(questions.cpu().numpy(), count)
        return torch.from_numpy(found).to(questions.device)

    def to_bytes(self, vectors: Float[Tensor, "P D"]) -> UInt8[Tensor, " n"]:
        """Returns the index of vectors, to be kept."""
        return torch.from_numpy(self._faiss.serialize_index(self._built(vectors)))

    def from_bytes(self, kept: UInt8[Tensor, " n"], vectors: Float[Tensor, "P D"]) -> None:
        """Takes the index of vectors that `to_bytes` returned.

        Raises:
            ValueError: it is none, or of other vectors.
        """
        try:
            index = self._faiss.deserialize_index(kept.numpy())
        except RuntimeError as error:
            raise ValueError(f"what FAISS has kept is no index: {_last_line(error)}") from error
        if (index.ntotal, index.d) != tuple(vectors.shape):
            raise ValueError(
                f"FAISS has kept {index.ntotal} vectors of {index.d} numbers, and there are "
                f"{len(vectors)} of {vectors.shape[1]}"
            )
        self._index, self._of = index, (vectors, vectors._version)

    def _make(self) -> Any:
        try:
            return self._faiss.index_factory(
                self._width, self._factory, self._faiss.METRIC_INNER_PRODUCT
            )
        except RuntimeError as error:
            raise ValueError(
                f"FAISS makes no index of vectors of {self._width} numbers by {self._factory!r}: "
                f"{_last_line(error)}"
            ) from error

    def _built(self, vectors: Tensor) -> Any:
        of, version = self._of or (None, 0)
        if of is not vectors or version != vectors._version:
            index = self._make()
            told = vectors.float().cpu().contiguous().numpy()
            try:
                index.train(told)
            except RuntimeError as error:
                raise ValueError(
                    f"FAISS cannot learn {self._factory!r} from {len(told):,} passages: "
                    f"{_last_line(error)}; index more, or take a factory of fewer parts"
                ) from error
            index.add(told)
            self._index, self._of = index, (vectors, vectors._version)
        return self._index


def _last_line(error: RuntimeError) -> str:
    return str(error).strip().splitlines()[-1]
