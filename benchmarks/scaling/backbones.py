"""Parts of backbones: what they cost against the length of a text.

scan        forward and backward of a selective scan, of 4 texts, 256 channels, 16 numbers each
decoding    the next token of a text, by two layers of width 256, with what was carried or anew
attention   forward and backward of 4 heads of width 64
memory      what that adds to a process's memory at most
acting      an agent's decision about an article, with the article encoded before or anew
"""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import MambaConfig
from transformers.models.mamba.modeling_mamba import mamba_selective_scan

from benchmarks.memory.resident import resident_megabytes
from benchmarks.scaling.documents import documents
from benchmarks.scaling.series import TURN, Curves, point, race_sizes
from benchmarks.throughput.environments import ENV_ID
from benchmarks.throughput.race import Contestant, spread
from benchmarks.throughput.workloads import as_files
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import NetworkConfig, make_network
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_backbones import BackboneConfig
from lightbulb_backbones.blocks import AttentionBlock
from lightbulb_backbones.carried import Carried
from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.mamba import MambaBlock, MambaMixer
from lightbulb_backbones.mamba2 import Mamba2Mixer, size_of_mamba2
from lightbulb_backbones.selective_scan import scan
from lightbulb_backbones.sparse_attention import SparsePattern, sparse_attend
from lightbulb_backbones.state_space_duality import ssd
from lightbulb_envs.registry import make_engine

SCANNED = (64, 256, 1024)
DECODED = (16, 64, 256, 1024, 4096)
ATTENDED = (256, 512, 1024, 2048, 4096, 8192)
SENTENCES = (8, 16, 32, 64)
READERS = ("bag", "transformer", "mamba", "mamba2", "language:tiny")
_TEXTS, _CHANNELS, _STATES = 4, 256, 16
_HEAD = 64
_HEADS, _HEAD_WIDTH = 4, 64
_WIDTH, _LAYERS = 256, 2


def _gathered(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return sparse_attend(query, key, value, SparsePattern(), "gathered")


def _masked(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return sparse_attend(query, key, value, SparsePattern(), "dense")


def _everything(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(query, key, value, is_causal=True)


WAYS = {
    "block-sparse, gathered": _gathered,
    "block-sparse, a mask": _masked,
    "all of the past": _everything,
}
"""How attention is computed, of queries, keys and values."""


def by_length_of_scan(
    repeats: int, sizes: Sequence[int] = SCANNED, seconds: float = TURN
) -> Curves:
    """Returns what a scan costs against its tokens; a unit is a scan and its gradient."""
    torch.set_num_threads(1)
    ways = {
        "ours": _our_scan,
        "transformers, without kernels": _scan_of_transformers,
        "Mamba-2, ours": _scan_of_mamba2,
    }
    return race_sizes(
        {name: {size: way(size) for size in sizes} for name, way in ways.items()},
        repeats,
        seconds,
    )


def scan_inputs(tokens: int) -> list[Tensor]:
    """Returns u, delta, A, B and C of `selective_scan`, which learn."""
    chance = torch.Generator().manual_seed(tokens)

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=chance)

    inputs = (
        normal(_TEXTS, tokens, _CHANNELS),
        functional.softplus(normal(_TEXTS, tokens, _CHANNELS) - 3),
        -normal(_CHANNELS, _STATES).exp(),
        normal(_TEXTS, tokens, _STATES),
        normal(_TEXTS, tokens, _STATES),
    )
    return [one.requires_grad_() for one in inputs]


def scan_of_transformers(inputs: Sequence[Tensor]) -> Tensor:
    """Returns y (B, T, D) as transformers' own loop computes it."""
    u, delta, decay, entry, reading = inputs
    across = (one.transpose(1, 2) for one in (u, delta))
    entry_across, reading_across = (one.transpose(1, 2) for one in (entry, reading))
    found: Any = mamba_selective_scan(*across, decay, entry_across, reading_across)
    output: Tensor = found[0] if isinstance(found, tuple) else found
    return output.transpose(1, 2)


def _our_scan(tokens: int) -> Contestant:
    inputs = scan_inputs(tokens)
    return _learning(lambda: scan(*inputs, is_alone=True)[0], inputs)


def _scan_of_transformers(tokens: int) -> Contestant:
    inputs = scan_inputs(tokens)
    return _learning(lambda: scan_of_transformers(inputs), inputs)


def _scan_of_mamba2(tokens: int) -> Contestant:
    u, delta, decay, entry, reading = (one.detach() for one in scan_inputs(tokens))
    heads = u.view(*u.shape[:2], -1, _HEAD)
    told = (
        heads,
        delta[:, :, ::_HEAD],
        decay[::_HEAD, 0],
        entry.unsqueeze(2),
        reading.unsqueeze(2),
    )
    u, delta, decay, entry, reading = (one.contiguous().requires_grad_() for one in told)
    inputs = [u, delta, decay, entry, reading]
    return _learning(lambda: ssd(u, delta, decay, entry, reading)[0], inputs)


def _learning(function: Callable[[], Tensor], inputs: Sequence[Tensor]) -> Contestant:
    def run() -> int:
        torch.autograd.grad(function().sum(), inputs)
        return 1

    return run


def by_place(repeats: int, sizes: Sequence[int] = DECODED, seconds: float = TURN) -> Curves:
    """Returns what the next token costs against how many came before; a unit is a token."""
    torch.set_num_threads(1)
    first = MambaConfig(vocab_size=1, hidden_size=_WIDTH)
    second = size_of_mamba2(_WIDTH, _STATES)
    stacks: dict[str, list[nn.Module]] = {
        "Mamba": [MambaBlock(first, MambaMixer.of(first)) for _ in range(_LAYERS)],
        "Mamba-2": [MambaBlock(second, Mamba2Mixer(second)) for _ in range(_LAYERS)],
        "attention": [
            AttentionBlock(CausalAttention(_WIDTH, _HEADS), 3 * _WIDTH) for _ in range(_LAYERS)
        ],
    }
    contestants = {}
    for name, layers in stacks.items():
        for layer in layers:
            layer.requires_grad_(False)
            if isinstance(mixer := getattr(layer, "mixer", None), MambaMixer | Mamba2Mixer):
                mixer.initialise()
        contestants[name] = {size: _next_token(layers, size) for size in sizes}
        contestants[f"{name}, all read anew"] = {size: _anew(layers, size) for size in sizes}
    return race_sizes(contestants, repeats, seconds)


def read(layers: Sequence[nn.Module], states: Tensor, carried: Carried | None) -> Tensor:
    """Returns what layers make of states (B, T, D)."""
    tokens = torch.zeros(states.shape[:2], dtype=torch.long)
    sight = Sight.of(tokens, None, carried)
    for number, layer in enumerate(layers):
        part = carried and carried.part(str(number))
        is_attention = isinstance(layer, AttentionBlock)
        states = layer(states, sight, part) if is_attention else layer(states, None, part)
    return states


def _next_token(layers: Sequence[nn.Module], before: int) -> Contestant:
    torch.manual_seed(before)
    text, token = torch.randn(1, before, _WIDTH), torch.randn(1, 1, _WIDTH)
    told = Carried({})
    read(layers, text, told)

    def run() -> int:
        read(layers, token, Carried(dict(told.state)))
        return 1

    return run


def _anew(layers: Sequence[nn.Module], before: int) -> Contestant:
    torch.manual_seed(before)
    text = torch.randn(1, before + 1, _WIDTH)

    def run() -> int:
        read(layers, text, None)
        return 1

    return run


def attention_inputs(tokens: int) -> list[Tensor]:
    """Returns queries, keys and values (1, H, T, D), which learn."""
    torch.manual_seed(tokens)
    shape = (1, _HEADS, tokens, _HEAD_WIDTH)
    return [torch.randn(shape).requires_grad_() for _ in range(3)]


def by_length_of_attention(
    repeats: int, sizes: Sequence[int] = ATTENDED, seconds: float = TURN
) -> Curves:
    """Returns what attention costs against its tokens; a unit is attention and its gradient."""
    torch.set_num_threads(1)

    def contestant(way: Callable[..., Tensor], tokens: int) -> Contestant:
        heads = attention_inputs(tokens)
        return _learning(lambda: way(*heads), heads)

    return race_sizes(
        {name: {size: contestant(way, size) for size in sizes} for name, way in WAYS.items()},
        repeats,
        seconds,
    )


def by_length_in_memory(repeats: int, sizes: Sequence[int] = ATTENDED) -> Curves:
    """Returns the megabytes that attention and its gradient add to a process, at most."""
    apart = get_context("forkserver")
    apart.set_forkserver_preload([__name__])
    curves: Curves = {name: [] for name in WAYS}
    for name, size in itertools.product(WAYS, sizes):
        # A process for every measurement: one that has grown does not grow again.
        with ProcessPoolExecutor(1, mp_context=apart, max_tasks_per_child=1) as pool:
            told = list(pool.map(memory, [name] * repeats, [size] * repeats))
        curves[name].append(point(size, spread(told)))
    return curves


def memory(name: str, tokens: int) -> float:
    """Returns the megabytes that a way of attention adds to this process at most."""
    torch.set_num_threads(1)
    way = WAYS[name]
    small = attention_inputs(256)
    torch.autograd.grad(way(*small).sum(), small)  # what any attention loads
    heads = attention_inputs(tokens)
    before = resident_megabytes()
    torch.autograd.grad(way(*heads).sum(), heads)
    return max(resident_megabytes(kind="VmHWM") - before, 0.0)


def by_article(repeats: int, sizes: Sequence[int] = SENTENCES, seconds: float = TURN) -> Curves:
    """Returns what a decision costs against an article's sentences; a unit is a decision."""
    torch.set_num_threads(1)
    contestants: dict[str, dict[int, Contestant]] = {}
    for size in sizes:
        with as_files(documents(1, sentences=size)) as keywords:
            engine = make_engine(ENV_ID, 1, **keywords)
            row = np.arange(1)
            engine.reset(row, row)
            seen = {name: np.array(told) for name, told in engine.observe(row).items()}
            layout, words = Layout.of_engine(engine), engine.source.vocabulary.size
        for name in READERS:
            torch.manual_seed(0)
            config = NetworkConfig(backbone=BackboneConfig(name, layers=_LAYERS))
            network = make_network("ppo", words, "pointer", layout, config)
            for way in ("read before", "read anew"):
                acting = _acting(NeuralActor(network), seen, is_anew=way == "read anew")
                contestants.setdefault(f"{name}, {way}", {})[size] = acting
    return race_sizes(contestants, repeats, seconds)


def _acting(actor: NeuralActor, seen: dict[str, Any], *, is_anew: bool) -> Contestant:
    def run() -> int:
        if is_anew:
            actor.reset(0)
        actor.act(seen, {})
        return 1

    return run
