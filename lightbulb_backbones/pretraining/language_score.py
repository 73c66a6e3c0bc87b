"""How well a model predicts a text: what every token costs, told from the tokens before it.

A window overlaps the one before it by `context` tokens, which are read and not counted, so every
token but the first `context` is counted once, and none with less to tell it from.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional


@dataclass(frozen=True)
class LanguageScore:
    """What a model's predictions of a text cost."""

    nats: float
    """Sum of what every counted token costs, -log p."""
    tokens: int
    characters: int
    """What the counted tokens stand for."""

    @property
    def loss(self) -> float:
        """Nats a token."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """Of tokens, exp(loss); it depends on the tokenizer."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_character(self) -> float:
        """Of the text, whatever its tokens are."""
        return self.nats / max(self.characters, 1) / math.log(2)


@torch.no_grad()
def score_text(
    model: Any,
    tokens: NDArray[np.int32],
    characters: NDArray[np.int32],
    length: int,
    context: int,
    batch: int = 32,
) -> LanguageScore:
    """Returns how well a causal language model predicts a text.

    Args:
        tokens: of the text, (N,).
        characters: how many each stands for, (N,).
        length: T, of a window.
        context: tokens that the first counted one of a window is told from, at least.
        batch: windows at once.

    Raises:
        ValueError: the text has no token behind its first `context`, or windows do not either.
    """
    if not 1 <= context < length:
        raise ValueError(f"context must be in [1, length={length}), got {context}")
    if len(tokens) <= context:
        raise ValueError(
            f"a text of {len(tokens):,} tokens has none behind the first {context}, and nothing "
            "could be counted: measure on a longer one"
        )
    length = min(length, len(tokens))
    last = len(tokens) - length
    starts = [*range(0, last, length - context), last]
    device = next(model.parameters()).device
    nats, is_training = 0.0, model.training
    model.eval()
    for place in range(0, len(starts), batch):
        group = starts[place : place + batch]
        windows = torch.from_numpy(
            np.stack([tokens[start : start + length] for start in group]).astype(np.int64)
        ).to(device)
        logits = model(windows).logits[:, :-1].float()
        wanted = windows[:, 1:]
        each = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")
        each = each.view(wanted.shape)
        for row, start in enumerate(group):
            counted = start + context
            number = place + row
            if number:  # the last window may overlap more
                counted = max(counted, starts[number - 1] + length)
            nats += float(each[row, counted - start - 1 :].double().sum())
    model.train(is_training)
    return LanguageScore(nats, len(tokens) - context, int(characters[context:].sum()))
