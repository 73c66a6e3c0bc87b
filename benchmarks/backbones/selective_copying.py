"""Selective copying (Gu and Dao 2023, section 4.1.1): remember the tokens that matter, in order,
and leave out noise that stands between them at random.

Mamba can; with step sizes, entries and readings that depend on no token it cannot tell what to
keep. At four times the longest text it was trained on, attention has never seen such distances.
Texts are of many lengths: with those of one alone, Mamba too keeps less beyond it.
"""

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.backbones.small import KINDS, SmallNetwork, fit

SHORTEST, LENGTH, LONGER, REMEMBERED, CLASSES = 8, 48, 4, 6, 7
_NOISE, _ANSWER, _FIRST = 0, 1, 2
_BATCH, _TESTED = 64, 512


def draw(count: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Returns texts (count, length + REMEMBERED) and what is to be answered (count, REMEMBERED)."""
    wanted = torch.randint(CLASSES, (count, REMEMBERED), generator=generator)
    places = torch.rand(count, length, generator=generator).topk(REMEMBERED, dim=1).indices
    text = torch.full((count, length), _NOISE)
    text.scatter_(1, places.sort(dim=1).values, wanted + _FIRST)
    asked = torch.full((count, REMEMBERED), _ANSWER)
    return torch.cat((text, asked), dim=1), wanted


def measure(network: SmallNetwork, length: int, generator: torch.Generator) -> float:
    """Returns the share of tokens that are remembered at a length."""
    text, wanted = draw(_TESTED, length, generator)
    with torch.no_grad():
        told = network(text)[:, -REMEMBERED:].argmax(dim=2) - _FIRST
    return float((told == wanted).double().mean())


def run(seed: int, steps: int = 2000) -> dict[str, float]:
    """Returns every kind of network's accuracy, at the longest trained length and beyond it."""
    found = {}
    for kind in KINDS:
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        network = SmallNetwork(kind, CLASSES + _FIRST)

        def loss(network: SmallNetwork = network, drawn: torch.Generator = generator) -> Tensor:
            length = int(torch.randint(SHORTEST, LENGTH + 1, (), generator=drawn))
            text, wanted = draw(_BATCH, length, drawn)
            logits = network(text)[:, -REMEMBERED:]
            return functional.cross_entropy(logits.flatten(0, 1), wanted.flatten() + _FIRST)

        fit(network.parameters(), loss, steps)
        found[f"{kind}: weights"] = float(sum(one.numel() for one in network.parameters()))
        for length in (LENGTH, LONGER * LENGTH):
            told = torch.Generator().manual_seed(seed + 1_000_000)  # other texts than were learnt
            found[f"{kind}: accuracy at {length}"] = measure(network, length, told)
    return found
