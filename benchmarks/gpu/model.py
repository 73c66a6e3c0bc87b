"""A whole preset: tokens a second, memory, and how much of what the GPU can compute it uses.

Texts are random tokens, weights are fresh, layers compute in bfloat16 under autocast and weights
are float32, as `pretrain --precision bf16` has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu.stopwatch import measure
from benchmarks.throughput.race import digits
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.presets import active_parameters, parameters, preset
from lightbulb_backbones.sparse_attention import SparsePattern

PEAKS = {"H100 80GB HBM3": 989.4, "H200": 989.4, "A100-SXM4": 312.0}
"""Part of a GPU's name → 10^12 bfloat16 operations a second of dense products, by its maker."""
_SLOWER = ("PCIe", "NVL", "MIG")
"""Forms of these that compute less."""
ROUTED = "routed"


def by_reader(size: str, batch: int, length: int, repeats: int) -> dict[str, Any]:
    """Returns what a preset costs where its router decides, and where one expert reads all texts.

    Raises:
        ValueError: what the GPU can compute is not known.
    """
    peak = peak_of(torch.cuda.get_device_name())
    torch.manual_seed(0)
    with torch.device("cuda"):
        model: Any = LanguageExpertForCausalLM(preset(size))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    tokens = torch.randint(3, model.config.vocab_size, (batch, length), device="cuda")
    found = {}
    for reader in (ROUTED, *model.config.experts):
        expert = None if reader == ROUTED else reader
        found[reader] = _costs(model, optimizer, tokens, expert, repeats, peak)
        print(reader, found[reader], flush=True)
    return {
        "preset": size,
        "parameters": sum(parameters(model.config).values()),
        "batch": batch,
        "length": length,
        "peak_teraflops": peak,
        "costs": found,
    }


def peak_of(gpu: str) -> float:
    """Returns what a GPU computes at most, in 10^12 operations a second.

    Raises:
        ValueError: it is none of `PEAKS`.
    """
    for part, peak in PEAKS.items():
        if part in gpu and not any(form in gpu for form in _SLOWER):
            return peak
    raise ValueError(f"the peak of {gpu!r} is not known, only of {', '.join(PEAKS)}: add it")


def _costs(
    model: LanguageExpertForCausalLM,
    optimizer: torch.optim.Optimizer,
    tokens: Tensor,
    expert: str | None,
    repeats: int,
    peak: float,
) -> dict[str, Any]:
    routes: list[Tensor] = []

    def loss() -> Any:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            told = model(tokens, labels=tokens, expert=expert)
        routes.append(told.route)
        return told.loss

    def forward() -> None:
        with torch.no_grad():
            loss()

    def learn() -> None:
        loss().backward()
        optimizer.zero_grad(set_to_none=True)

    def step() -> None:
        loss().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    found: dict[str, Any] = {}
    for name, run in (("forward", forward), ("backward", learn), ("step", step)):
        learns = run is not forward
        model.train(learns)
        routes.clear()
        try:
            told = measure(run, repeats)
        except torch.OutOfMemoryError:
            found[name] = {"is_out_of_memory": True}
            continue
        finally:
            optimizer.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
        seconds = told["milliseconds"]["median"] / 1e3
        read_by = shares(model.config.experts, torch.cat(routes))
        of_forward = _operations(model.config, read_by, tokens.shape[1])
        needed = of_forward * (3 if learns else 1)
        rate = tokens.numel() / seconds
        found[name] = {
            **told,
            "read_by": read_by,
            "peak_gigabytes": digits(torch.cuda.max_memory_allocated() / 1e9),
            "tokens_a_second": digits(rate),
            "teraflops": digits(rate * needed / 1e12),
            "utilisation": digits(rate * needed / 1e12 / peak),
        }
    return found


def shares(experts: Sequence[str], routes: Tensor) -> dict[str, float]:
    """Returns which share of the texts each expert read."""
    counts = routes.bincount(minlength=len(experts)).tolist()
    return {one: digits(count / len(routes)) for one, count in zip(experts, counts, strict=True)}


def _operations(config: Any, read_by: Mapping[str, float], length: int) -> float:
    """Returns what the forward pass needs a token, over the shares of texts that experts read."""
    return sum(share * operations(config, one, length) for one, share in read_by.items())


def operations(config: LanguageExpertConfig, expert: str, length: int) -> float:
    """Returns how many operations the forward pass needs a token, of a model without an index
    (Chowdhery et al. 2022, "PaLM", appendix B; a backward pass needs twice as many).

    Two for every parameter that it meets, and for every token that it sees in an attention layer
    four times the width. What a causal mask or a pattern hides is not counted, nor what is computed
    again, nor scans; tokens that a full switch expert takes no more are counted.
    """
    pattern = SparsePattern(config.block, config.local, config.stride, config.sink)
    places = torch.arange(length)
    sparse = float(pattern.allowed(places, places).sum()) / length
    dense = (length + 1) / 2
    layers = {"rag": config.rag_layers, "dpo": config.dpo_layers}.get(expert, 0)
    seen = config.stem_layers * sparse + (layers + config.decoder_layers) * dense
    met = active_parameters(config)[expert] - parameters(config)["router"]  # once a text
    if expert == "rag":  # what passages are read by rests
        of_passages = 2 * config.hidden_size * config.retriever_size + config.num_attention_heads
        met -= config.rag_layers * of_passages
    return 2 * met + 4 * config.hidden_size * seen
