"""Attention and scans, each with its gradient, by the length of a text, of the sizes of preset 1b.

A way whose package is not there is left out. One that runs out of memory at a length has no point
there, nor at longer ones.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.gpu.stopwatch import measure
from lightbulb_backbones import selective_scan
from lightbulb_backbones.presets import preset
from lightbulb_backbones.sparse_attention import SparsePattern, sparse_attend
from lightbulb_backbones.state_space_duality import ssd

ATTENDED = (1024, 2048, 4096, 8192, 16_384)
SCANNED = (256, 1024, 2048, 4096)
_TEXTS = 4
_SIZE = preset("1b")
_INNER = 2  # Mamba's channels are so many times its width
_HEAD = 64  # channels of a head of Mamba-2


def by_length_of_attention(
    repeats: int, sizes: Sequence[int] = ATTENDED
) -> dict[str, dict[str, Any]]:
    """Returns what block-sparse attention costs in each way, and attention to all of the past."""
    pattern = SparsePattern(_SIZE.block, _SIZE.local, _SIZE.stride, _SIZE.sink)
    ways: dict[str, Callable[..., Tensor]] = {
        f"block-sparse, {how}": partial(sparse_attend, pattern=pattern, how=how)
        for how in ways_that_are_there({"flash": "flash_attn", "flex": "triton", "dense": "torch"})
    }
    ways["all of the past"] = partial(functional.scaled_dot_product_attention, is_causal=True)
    heads = _SIZE.num_attention_heads
    shape = (_TEXTS, heads, _SIZE.hidden_size // heads)

    def inputs(tokens: int) -> list[Tensor]:
        texts, number, width = shape
        return [
            torch.randn(texts, number, tokens, width, device="cuda", dtype=torch.bfloat16)
            for _ in range(3)
        ]

    return _curves(ways, inputs, sizes, repeats)


def by_length_of_scan(repeats: int, sizes: Sequence[int] = SCANNED) -> dict[str, dict[str, Any]]:
    """Returns what a selective scan costs, in mamba-ssm's kernel and in plain torch."""
    channels = _INNER * _SIZE.hidden_size

    def scan(how: str, *told: Tensor) -> Tensor:
        return selective_scan.scan(*told, is_alone=True, how=how)[0]

    def inputs(tokens: int) -> list[Tensor]:
        def normal(*size: int) -> Tensor:
            return torch.randn(*size, device="cuda")

        return [
            normal(_TEXTS, tokens, channels),
            functional.softplus(normal(_TEXTS, tokens, channels) - 3),
            -normal(channels, _SIZE.state_size).exp(),
            normal(_TEXTS, tokens, _SIZE.state_size),
            normal(_TEXTS, tokens, _SIZE.state_size),
        ]

    def of_mamba2(*told: Tensor) -> Tensor:
        u, delta, decay, entry, reading = told
        heads = u.view(*u.shape[:2], -1, _HEAD)
        by_head = delta[:, :, ::_HEAD], decay[::_HEAD, 0]
        return ssd(heads, *by_head, entry.unsqueeze(2), reading.unsqueeze(2))[0]

    packages = {"kernel": "selective_scan_cuda", "autograd": "torch"}
    ways = {how: partial(scan, how) for how in ways_that_are_there(packages)}
    return _curves({**ways, "Mamba-2, chunks": of_mamba2}, inputs, sizes, repeats)


def ways_that_are_there(packages: Mapping[str, str]) -> list[str]:
    """Returns the ways whose packages are there; tells of the others."""
    found = []
    for way, package in packages.items():
        if importlib.util.find_spec(package):
            found.append(way)
        else:
            print(f"{way} is left out: {package} is not installed", flush=True)
    return found


def _curves(
    ways: Mapping[str, Callable[..., Tensor]],
    inputs: Callable[[int], list[Tensor]],
    sizes: Sequence[int],
    repeats: int,
) -> dict[str, dict[str, Any]]:
    """Returns, for every way, the costs of forward and backward by the tokens of a text."""
    found: dict[str, dict[str, Any]] = {}
    for name, way in ways.items():
        found[name] = {}
        for tokens in sizes:
            torch.manual_seed(tokens)
            try:
                found[name][str(tokens)] = _learning(way, inputs(tokens), repeats)
            except torch.OutOfMemoryError:
                print(f"{name}: out of memory at {tokens:,} tokens", flush=True)
                break
            finally:
                torch.cuda.empty_cache()
    return found


def _learning(way: Callable[..., Tensor], told: Sequence[Tensor], repeats: int) -> dict[str, Any]:
    learnt = [one.requires_grad_() for one in told]

    def run() -> None:
        torch.autograd.grad(way(*learnt).sum(), learnt)

    return measure(run, repeats)
