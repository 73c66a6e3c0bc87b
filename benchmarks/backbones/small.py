"""Small causal networks of one kind of layer, of about the same size, and how they are trained."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import MambaConfig

from lightbulb_backbones.blocks import AttentionBlock
from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.mamba import MambaBlock, MambaMixer

WIDTH, HEADS, LAYERS = 64, 4, 2
_INNER = 88
"""With it, a layer of attention has about the weights of one of Mamba."""
ATTENTION, MAMBA, TIME_INVARIANT = "attention", "mamba", "mamba, time-invariant"
KINDS = (ATTENTION, MAMBA, TIME_INVARIANT)


class Constant(nn.Module):
    """What Mamba's step sizes, entries and readings are where they do not depend on the token."""

    def __init__(self, count: int):
        super().__init__()
        self.value = nn.Parameter(torch.randn(count) * 0.5)

    def forward(self, states: Tensor) -> Tensor:
        """Returns the same for every token."""
        return self.value.expand(*states.shape[:-1], -1)


class SmallNetwork(nn.Module):
    """Embeddings, layers of one kind, and logits at every token.

    Args:
        kind: one of `KINDS`; a time-invariant Mamba selects nothing.
    """

    def __init__(self, kind: str, vocabulary: int):
        super().__init__()
        self.kind = kind
        self.embed = nn.Embedding(vocabulary, WIDTH)
        self.layers = nn.ModuleList(self._layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocabulary)
        self.apply(_initialise_attention if kind == ATTENTION else _initialise_mamba)

    def _layer(self) -> nn.Module:
        if self.kind == ATTENTION:
            return AttentionBlock(CausalAttention(WIDTH, HEADS), _INNER)
        config = MambaConfig(vocab_size=1, hidden_size=WIDTH)
        mixer = MambaMixer.of(config)
        if self.kind == TIME_INVARIANT:
            mixer.x_proj = Constant(mixer.rank + 2 * mixer.state_size)  # type: ignore[assignment]
        return MambaBlock(config, mixer)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, T, V) of tokens (B, T)."""
        states = self.embed(tokens)
        sight = Sight.of(tokens, None, None)
        for layer in self.layers:
            states = layer(states, sight) if self.kind == ATTENTION else layer(states)
        logits: Tensor = self.head(self.norm(states))
        return logits


def _initialise_attention(module: nn.Module) -> None:
    """Sets weights as GPT-2's are, from which attention learns to look things up soonest."""
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _initialise_mamba(module: nn.Module) -> None:
    """Sets what is special in Mamba; with small embeddings it took several times as many steps."""
    if isinstance(module, MambaMixer):
        module.initialise()


def fit(
    parameters: Iterable[nn.Parameter],
    loss: Callable[[], Tensor],
    steps: int,
    learning_rate: float = 3e-3,
    warmup: int = 50,
) -> list[float]:
    """Takes steps of AdamW, warmed up and along half a cosine; returns the losses."""
    weights = list(parameters)
    optimizer = torch.optim.AdamW(weights, lr=learning_rate, weight_decay=0.01)
    losses = []
    for step in range(steps):
        done = max(0.0, (step - warmup) / max(steps - warmup, 1))
        rate = min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * rate
        optimizer.zero_grad()
        found = loss()
        found.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        losses.append(float(found.detach()))
    return losses


def go_on(model: Any, text: Tensor, tokens: int, **keywords: Any) -> Tensor:
    """Returns texts with so many tokens more, as `generate` finds them; 0 is padding."""
    model.train(False)
    found: Tensor = model.generate(
        text,
        attention_mask=(text != 0).long(),
        min_new_tokens=tokens,
        max_new_tokens=tokens,
        pad_token_id=0,
        **keywords,
    )
    return found
