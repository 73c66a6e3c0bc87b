"""Block-sparse causal attention: near tokens, a few far ones, and the beginning (Child et al. 2019,
section 4.3; Xiao et al. 2023 for the beginning, where attention rests when nothing else matters).

Tokens stand in blocks. A query sees, of its own past, the keys of its own block and of the
`local - 1` before it, of every `stride`th block, and of the first `sink` blocks:

    block(t) - block(s) < local,   or block(s) + 1 is a multiple of stride,   or block(s) < sink

Four ways to compute it, equal in value and gradient; `choose` names the one that is taken:

    dense     a mask given to torch's attention: every product is made, and most are thrown away
    gathered  what a block of queries sees is put side by side, block after block
    flex      torch's FlexAttention
    flash     what all blocks of queries see is put side by side, for one call of flash-attn

Letters: B batch, H heads, T queries, S keys, D width of a head.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lightbulb_backbones.attention import attend

_LONG = 1024
"""Tokens from which on a processor gathers."""
_FLEX_WIDTH = 16
"""The least width of heads that FlexAttention has kernels for."""
_NEVER = 1 << 40
"""More blocks than any text has."""


@dataclass(frozen=True)
class SparsePattern:
    """Which keys a query sees."""

    block: int = 64
    """Tokens of a block."""
    local: int = 4
    """Blocks up to its own that a query sees."""
    stride: int = 8
    """Every so manieth block is seen from everywhere after it; 0 for none."""
    sink: int = 1
    """First blocks that are seen from everywhere."""

    def __post_init__(self) -> None:
        for name, least in (("block", 1), ("local", 1), ("stride", 0), ("sink", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be {least} or more, got {getattr(self, name)}")

    def allowed(
        self, query: Int[Tensor, "*B T"], key: Int[Tensor, "*B S"]
    ) -> Bool[Tensor, "*B T S"]:
        """Returns which keys queries may see, from the positions of both."""
        allowed: Tensor = self.sees(query.unsqueeze(-1), key.unsqueeze(-2))
        return allowed

    @property
    def sees(self) -> Callable[[Any, Any], Any]:
        """Says whether positions see positions, of numbers or of tensors that broadcast.

        A function without annotations, for FlexAttention traces it.
        """
        block, local, sink, every = self.block, self.local, self.sink, self.stride or _NEVER
        return lambda query, key: (
            (
                (query // block - key // block < local)
                | ((key // block + 1) % every == 0)
                | (key // block < sink)
            )
            & (key <= query)
        )

    def blocks(self, query: int) -> list[int]:
        """Returns the numbers of the blocks that a block of queries sees, its own the last."""
        first = query * self.block
        return [one for one in range(query + 1) if self.sees(first, one * self.block)]


def choose(device: torch.device, dtype: torch.dtype, tokens: int, width: int) -> str:
    """Returns how attention over so many tokens, by heads of a width, is computed on a device.

    On a GPU FlexAttention is taken, which needs Triton: it copies no keys, and is faster than
    flash-attn is with the copies that it needs (`benchmarks.gpu`).
    """
    if device.type == "cpu":
        return "gathered" if tokens >= _LONG else "dense"
    if width >= _FLEX_WIDTH and importlib.util.find_spec("triton"):
        return "flex"
    if dtype in (torch.float16, torch.bfloat16) and importlib.util.find_spec("flash_attn"):
        return "flash"
    return "dense"


def sparse_attend(
    query: Float[Tensor, "B H T D"],
    key: Float[Tensor, "B H T D"],
    value: Float[Tensor, "B H T D"],
    pattern: SparsePattern,
    how: str | None = None,
) -> Float[Tensor, "B H T D"]:
    """Returns the values that the tokens of whole texts see, mixed.

    Padding at the ends of texts needs no mask: no token sees what comes after it.

    Args:
        how: one of `WAYS`; by default `choose` says.
    """
    name = how
    if name is None:
        name = choose(query.device, query.dtype, *query.shape[2:])
    if name not in WAYS:
        raise ValueError(f"sparse attention is computed by {', '.join(WAYS)}; got {name!r}")
    return WAYS[name](query, key, value, pattern)


def _dense(query: Tensor, key: Tensor, value: Tensor, pattern: SparsePattern) -> Tensor:
    position = torch.arange(query.shape[2], device=query.device)
    return attend(query, key, value, pattern.allowed(position, position)[None, None])


def _gathered(query: Tensor, key: Tensor, value: Tensor, pattern: SparsePattern) -> Tensor:
    # Parts are joined, not indexed: every index's gradient would be as long as the whole text.
    queries, keys, values = (one.split(pattern.block, dim=2) for one in (query, key, value))
    parts = []
    for number, asking in enumerate(queries):
        seen = pattern.blocks(number)
        position = number * pattern.block + torch.arange(asking.shape[2], device=query.device)
        places = _places(pattern, number, query.shape[2]).to(query.device)
        seen_keys, seen_values = (
            torch.cat([blocks[one] for one in seen], dim=2) for blocks in (keys, values)
        )
        allowed = places <= position.unsqueeze(1)
        parts.append(attend(asking, seen_keys, seen_values, allowed[None, None]))
    return torch.cat(parts, dim=2)


@lru_cache(maxsize=4096)
def _places(pattern: SparsePattern, number: int, tokens: int) -> Tensor:
    """Returns the positions that a block of queries sees, in order."""
    block = pattern.block
    with torch.inference_mode(mode=False):  # what is kept may be learnt with later
        parts = [torch.arange(one * block, (one + 1) * block) for one in pattern.blocks(number)]
        places = torch.cat(parts)
        return places[places < tokens]


def _flex(query: Tensor, key: Tensor, value: Tensor, pattern: SparsePattern) -> Tensor:
    from torch.nn.attention.flex_attention import flex_attention

    tokens = query.shape[2]
    run: Any = flex_attention if query.device.type == "cpu" else _compiled_flex()
    mask = _block_mask(pattern, tokens, str(query.device))
    mixed: Tensor = run(query, key, value, block_mask=mask)
    return mixed


@lru_cache(maxsize=1)
def _compiled_flex() -> Callable[..., Any]:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, fullgraph=True)  # or it says why it cannot be


@lru_cache(maxsize=64)
def _block_mask(pattern: SparsePattern, tokens: int, device: str) -> Any:
    from torch.nn.attention.flex_attention import create_block_mask

    sees = pattern.sees
    with torch.inference_mode(mode=False):  # as of `_places`
        return create_block_mask(
            lambda _batch, _head, query, key: sees(query, key),
            None,
            None,
            tokens,
            tokens,
            device=device,
        )


def _flash(query: Tensor, key: Tensor, value: Tensor, pattern: SparsePattern) -> Tensor:
    from flash_attn import flash_attn_varlen_func  # type: ignore[import-not-found,unused-ignore]

    batch, heads, tokens, width = query.shape
    plan = _flash_plan(pattern, batch, tokens, query.device)
    # Tokens before heads is how flash-attn has them, so what is put side by side is copied once.
    keys, values = (
        one.transpose(1, 2).index_select(1, plan.places).flatten(0, 1) for one in (key, value)
    )
    mixed: Tensor = flash_attn_varlen_func(
        query.transpose(1, 2).reshape(-1, heads, width),
        keys,
        values,
        plan.queries,
        plan.keys,
        plan.most_queries,
        plan.most_keys,
        causal=True,
    )
    return mixed.view(batch, tokens, heads, width).transpose(1, 2)


@dataclass(frozen=True)
class _FlashPlan:
    """Blocks of queries as sequences of their own, whose last keys are those of the same block."""

    places: Tensor
    """Of the keys that the blocks of a text see, block after block."""
    queries: Tensor
    """Where every block of every text begins among the queries, and where the last ends."""
    keys: Tensor
    """The same among what is seen."""
    most_queries: int
    most_keys: int


@lru_cache(maxsize=16)
def _flash_plan(
    pattern: SparsePattern, batch: int, tokens: int, device: torch.device
) -> _FlashPlan:
    block = pattern.block
    number = -(-tokens // block)
    seen = [_places(pattern, one, tokens) for one in range(number)]
    with torch.inference_mode(mode=False):  # as of `_places`
        lengths = torch.tensor([len(one) for one in seen])
        asking = torch.tensor([min(block, tokens - one * block) for one in range(number)])
        return _FlashPlan(
            torch.cat(seen).to(device),
            _starts(asking.repeat(batch), device),
            _starts(lengths.repeat(batch), device),
            int(asking.max()),
            int(lengths.max()),
        )


def _starts(lengths: Tensor, device: torch.device) -> Tensor:
    """Returns where sequences that stand one after the other begin, and where the last ends."""
    starts = torch.zeros(len(lengths) + 1, dtype=torch.int32)
    starts[1:] = lengths.cumsum(0)
    return starts.to(device)


WAYS: dict[str, Callable[[Tensor, Tensor, Tensor, SparsePattern], Tensor]] = {
    "dense": _dense,
    "gathered": _gathered,
    "flex": _flex,
    "flash": _flash,
}
