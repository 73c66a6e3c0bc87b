"""Associative recall (Arora et al. 2023, "Zoology", section 3): pairs of a key and a value, then
the keys again in another order: which value was each one's own? Attention looks keys up.
"""

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.backbones.small import ATTENTION, MAMBA, SmallNetwork, fit

PAIRS, KEYS, VALUES = 4, 8, 8
_BATCH, _TESTED = 128, 2048


def draw(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Returns texts (count, 4 PAIRS), pairs and then the same in another order; and values.

    The values (count, PAIRS) are those that the keys of the second half ask for.
    """
    keys = torch.rand(count, KEYS, generator=generator).topk(PAIRS, dim=1).indices
    values = torch.randint(VALUES, (count, PAIRS), generator=generator)
    order = torch.rand(count, PAIRS, generator=generator).argsort(dim=1)
    asked, wanted = keys.gather(1, order), values.gather(1, order)
    pairs = [
        torch.stack((k, v + KEYS), dim=2).flatten(1) for k, v in ((keys, values), (asked, wanted))
    ]
    return torch.cat(pairs, dim=1), wanted


def run(seed: int, steps: int = 1500) -> dict[str, float]:
    """Returns the share of values that are recalled; one in `VALUES` is chance."""
    found = {}
    for kind in (ATTENTION, MAMBA):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        network = SmallNetwork(kind, KEYS + VALUES)

        def loss(network: SmallNetwork = network, drawn: torch.Generator = generator) -> Tensor:
            text, wanted = draw(_BATCH, drawn)
            logits = network(text)[:, 2 * PAIRS :: 2]
            return functional.cross_entropy(logits.flatten(0, 1), wanted.flatten() + KEYS)

        fit(network.parameters(), loss, steps)
        text, wanted = draw(_TESTED, torch.Generator().manual_seed(seed + 1_000_000))
        with torch.no_grad():
            told = network(text)[:, 2 * PAIRS :: 2].argmax(dim=2) - KEYS
        found[f"{kind}: accuracy"] = float((told == wanted).double().mean())
    return found
