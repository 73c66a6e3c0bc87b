"""An index of passages by their vectors: search for the largest inner products, kept on disk.

Vectors stand in memory and every one is looked at, which is exact and, up to some hundred thousand
passages, fast: one matrix product a search. Of more, FAISS (Douze et al. 2024) may find those that
are worth to be looked at. An index is a module whose tensors are buffers: a model that has one is
saved, loaded, moved and copied with it.
"""

from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from lightbulb_backbones.faiss_candidates import FaissCandidates
from lightbulb_envs.whole_file import explained, write_whole

_FILE = "passages.safetensors"
_VERSION = "1"


class PassageIndex(nn.Module):
    """Passages, their tokens and their vectors.

    Args:
        width: D, of the vectors.
        length: M, tokens of a passage at most; shorter ones are padded with 0.
        factory: how FAISS finds what is looked at, such as "HNSW32" or "IVF256,Flat" (its "index
            factory"); by default every vector is looked at, without it.
        size: passages of no tokens that it holds at once, to be filled from elsewhere.

    Raises:
        ImportError: a factory is given, and FAISS is not there.
        ValueError: it knows no such factory.
    """

    vectors: Float[Tensor, "P D"]
    tokens: Int[Tensor, "P M"]

    def __init__(self, width: int, length: int, factory: str | None = None, size: int = 0):
        super().__init__()
        if width < 1 or length < 1:
            raise ValueError(f"width and length must be 1 or more, got {width} and {length}")
        self.width = width
        self.length = length
        self.factory = factory
        self._candidates = None if factory is None else FaissCandidates(width, factory)
        self.register_buffer("vectors", torch.zeros(size, width))
        self.register_buffer("tokens", torch.zeros(size, length, dtype=torch.long))

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, tokens: Int[Tensor, "n m"], vectors: Float[Tensor, "n d"]) -> None:
        """Takes in passages.

        Raises:
            ValueError: they are longer than the index holds, have not a vector each, or their
                vectors have another width or are not finite.
        """
        if len(tokens) != len(vectors):
            raise ValueError(f"{len(tokens)} passages came with {len(vectors)} vectors")
        if tokens.shape[1] > self.length:
            raise ValueError(
                f"a passage has {tokens.shape[1]} tokens, and this index holds {self.length} of "
                "each: cut them into shorter passages, or make an index with a larger length"
            )
        self._check_width(vectors, "passages")
        if not vectors.isfinite().all():
            raise ValueError("the vectors of passages must be finite: some are not")
        padded = torch.nn.functional.pad(tokens, (0, self.length - tokens.shape[1]))
        self.tokens = torch.cat((self.tokens, padded.to(self.tokens)))
        self.vectors = torch.cat((self.vectors, vectors.detach().to(self.vectors)))

    def search(
        self, questions: Float[Tensor, "B D"], count: int
    ) -> tuple[Float[Tensor, "B K"], Int[Tensor, "B K"]]:
        """Returns the largest inner products with questions, and the passages' numbers.

        With FAISS those are among its candidates; a question for which it has too few is compared
        with every passage.

        Args:
            count: K; fewer are returned where the index holds fewer.

        Raises:
            ValueError: the index is empty, or its vectors have another width.
        """
        if not len(self):
            raise ValueError("the index is empty: add passages before it is searched")
        if count < 1:
            raise ValueError(f"count must be 1 or more, got {count}")
        self._check_width(questions, "questions")
        vectors = self.vectors.float()
        asked = questions.detach().to(vectors)
        count = min(count, len(self))
        if self._candidates is None:
            return self._among_all(asked, count)
        number = self._candidates.find(asked, self.vectors, count)
        products = (vectors[number.clamp(min=0)] @ asked.unsqueeze(2)).squeeze(2)
        order = products.argsort(dim=1, descending=True)
        values, found = products.gather(1, order), number.gather(1, order)
        lacking = (number < 0).any(dim=1)
        if lacking.any():
            values[lacking], found[lacking] = self._among_all(asked[lacking], count)
        return values, found

    def _among_all(self, asked: Tensor, count: int) -> tuple[Tensor, Tensor]:
        products = asked @ self.vectors.float().T
        found = products.topk(count, dim=1)
        return found.values, found.indices

    def _check_width(self, vectors: Tensor, whose: str) -> None:
        if vectors.shape[1] != self.width:
            raise ValueError(
                f"vectors of {whose} have {vectors.shape[1]} numbers, and this index is of vectors "
                f"of {self.width}: both must come from towers of one retriever"
            )

    def save(self, folder: Path) -> None:
        """Writes the index into a folder; one that is there stays whole until this one is."""
        kept = {"vectors": self.vectors.contiguous(), "tokens": self.tokens.contiguous()}
        told = {"version": _VERSION}
        if self._candidates is not None and len(self):
            kept["faiss"] = self._candidates.to_bytes(self.vectors)
        if self.factory is not None:
            told["factory"] = self.factory
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, [save(kept, metadata=told)])

    @staticmethod
    def load(folder: Path) -> "PassageIndex":
        """Reads an index that `save` wrote.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is damaged, or of another version.
        """
        path = folder / _FILE
        if not path.is_file():
            raise FileNotFoundError(f"{folder} holds no index of passages: {_FILE} is missing")
        try:
            with safe_open(path, framework="pt") as file:
                told = file.metadata() or {}
                kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ValueError(f"{path} is damaged ({error}): index the passages again") from error
        version = told.get("version")
        if version != _VERSION:
            raise ValueError(
                f"{path} is of version {version}, and this one reads {_VERSION}: index the "
                "passages again"
            )
        width, length = kept["vectors"].shape[1], kept["tokens"].shape[1]
        index = PassageIndex(width, length, told.get("factory"))
        index.tokens, index.vectors = kept["tokens"], kept["vectors"]
        if index._candidates is not None and "faiss" in kept:
            try:
                index._candidates.from_bytes(kept["faiss"], index.vectors)
            except ValueError as error:
                raise ValueError(
                    f"{path} is damaged ({error}): index the passages again"
                ) from error
        return index
