"""Routing: three families of texts, a routed model, and each of its experts alone on them.

The families want different things: to look up what was told (recall), to remember what matters
among noise (selective copying), and to follow a grammar of pairs. A token meets as many weights in
the routed model as where one expert reads everything.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.backbones import recall, selective_copying
from benchmarks.backbones.small import fit
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.language_config import EXPERTS
from lightbulb_backbones.presets import preset

FAMILIES = ("recall", "copying", "grammar")
_LENGTH, _PREFIX, _PER_FAMILY, _TESTED = 40, 4, 16, 256
_COPYING = _LENGTH - _PREFIX - selective_copying.REMEMBERED
_BALANCE, _EXPLORED = 0.1, 0.5
"""With half of the texts sent without noise, the families' own choices are balanced too."""
_GRAMMAR = 12
_MARKS = 4
"""Tokens that say which family a text is of, and padding."""
_OF_RECALL = _MARKS
_OF_COPYING = _OF_RECALL + recall.KEYS + recall.VALUES
_OF_GRAMMAR = _OF_COPYING + selective_copying.CLASSES + 2
_VOCABULARY = _OF_GRAMMAR + _GRAMMAR


class Families:
    """Draws texts (n, T), and which of their tokens are to be told from those before."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        grammar = rng.dirichlet(np.full(_GRAMMAR, 0.2), size=_GRAMMAR)
        self._grammar = torch.from_numpy(grammar)

    def draw(self, family: str, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Returns texts of a family, and what is counted of them, (count, T) each."""
        mark = torch.full((count, _PREFIX), 1 + FAMILIES.index(family))
        length = _LENGTH - _PREFIX
        counted = torch.zeros(count, length, dtype=torch.bool)
        if family == "recall":
            text, _ = recall.draw(count, generator)
            text = text + _OF_RECALL
            counted[:, 2 * recall.PAIRS + 1 : 4 * recall.PAIRS : 2] = True
            text = functional.pad(text, (0, length - text.shape[1]))
        elif family == "copying":
            asked, wanted = selective_copying.draw(count, _COPYING, generator)
            told = asked[:, :_COPYING] + _OF_COPYING
            text = torch.cat((told, wanted + _OF_COPYING + 2), dim=1)
            counted[:, _COPYING:] = True
        else:
            tokens = [torch.randint(_GRAMMAR, (count,), generator=generator)]
            for _ in range(length - 1):
                rows = self._grammar[tokens[-1]]
                tokens.append(torch.multinomial(rows, 1, generator=generator).squeeze(1))
            text = torch.stack(tokens, dim=1) + _OF_GRAMMAR
            counted[:, 1:] = True
        return torch.cat((mark, text), dim=1), functional.pad(counted, (_PREFIX, 0))


def _loss(model: LanguageExpertForCausalLM, text: Tensor, counted: Tensor) -> Tensor:
    """Returns the loss of counted tokens, in training with that of the routers."""
    loss: Tensor = model(text, labels=text.masked_fill(~counted, -100)).loss
    return loss


def _learn(seed: int, steps: int, balance: float, experts: tuple[str, ...]) -> dict[str, float]:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    families = Families(seed)
    config = preset(
        "tiny",
        vocab_size=_VOCABULARY,
        experts=experts,
        prefix=_PREFIX,
        balance=balance,
        router_explored=_EXPLORED,
    )
    model = LanguageExpertForCausalLM(config)

    def loss() -> Tensor:
        model.train()
        drawn = [families.draw(family, _PER_FAMILY, generator) for family in FAMILIES]
        text, counted = (torch.cat(parts) for parts in zip(*drawn, strict=True))
        return _loss(model, text, counted)

    fit(model.parameters(), loss, steps, learning_rate=1e-3)
    model.train(False)
    told = torch.Generator().manual_seed(seed + 1_000_000)
    found, losses = {}, []
    used = torch.zeros(len(FAMILIES), len(experts))
    with torch.no_grad():
        for row, family in enumerate(FAMILIES):
            text, counted = families.draw(family, _TESTED, told)
            losses.append(float(_loss(model, text, counted)))
            found[f"loss, {family}"] = losses[-1]
            used[row] = functional.one_hot(model(text).route, len(experts)).double().mean(dim=0)
    found["loss"] = float(np.mean(losses))
    if len(experts) > 1:
        for row, family in enumerate(FAMILIES):
            for column, expert in enumerate(experts):
                found[f"{family} read by {expert}"] = float(used[row, column])
        found["experts that read a tenth or more"] = float((used.mean(dim=0) >= 0.1).sum())
    return found


def run(seed: int, steps: int = 1000) -> dict[str, float]:
    """Returns losses by family, and shares of texts that every expert read."""
    found: dict[str, float] = {}
    kinds: dict[str, tuple[float, tuple[str, ...]]] = {
        "routed": (_BALANCE, EXPERTS),
        "routed, without balance": (0.0, EXPERTS),
        **{f"{expert} alone": (0.0, (expert,)) for expert in EXPERTS},
    }
    for kind, (balance, experts) in kinds.items():
        told = _learn(seed, steps, balance, experts)
        found |= {f"{kind}: {name}": value for name, value in told.items()}
    return found
