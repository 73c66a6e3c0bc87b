"""Retrieval of facts that stand nowhere else: a new world of facts in every step, told in an index.

A passage says which value an entity has; a text asks for one. Weights cannot know the answer, for
every step draws all values anew: without the index, or with one of other facts, nothing can be
better than chance. Towers and reader learn from the answers' loss alone, or from pairs of a
question and its passage, too.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.backbones.small import fit
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset

ENTITIES, VALUES, KEPT = 32, 16, 4
_PADDING, _TELL, _ASK, _FIRST = 0, 1, 2, 3
_BATCH, _WORLDS = 128, 20


def draw_world(generator: torch.Generator) -> Tensor:
    """Returns the value of every entity, (ENTITIES,)."""
    return torch.randint(VALUES, (ENTITIES,), generator=generator)


def passages_of(world: Tensor) -> Tensor:
    """Returns what an index says of a world, (ENTITIES, 3)."""
    entities = torch.arange(ENTITIES)
    told = torch.full((ENTITIES,), _TELL)
    return torch.stack((told, entities + _FIRST, world + _FIRST + ENTITIES), dim=1)


def ask(model: LanguageExpertForCausalLM, entities: Tensor) -> Tensor:
    """Returns logits of values (n, VALUES) for questions after entities (n,)."""
    text = torch.stack((torch.full_like(entities, _ASK), entities + _FIRST), dim=1)
    logits: Tensor = model(text).logits[:, -1, _FIRST + ENTITIES :]
    return logits


def measure(model: LanguageExpertForCausalLM, index: str, generator: torch.Generator) -> float:
    """Returns the perplexity of values: with their world's index, without, or with another's."""
    model.train(False)
    lost = []
    retriever = model.model.retriever
    assert retriever is not None
    with torch.no_grad():
        for _ in range(_WORLDS):
            world, other = draw_world(generator), draw_world(generator)
            told = {"on": passages_of(world), "of another world": passages_of(other)}.get(index)
            model.model.index = None if told is None else retriever.index(told)
            lost.append(functional.cross_entropy(ask(model, torch.arange(ENTITIES)), world))
    return math.exp(float(torch.stack(lost).mean()))


def found_among(model: LanguageExpertForCausalLM, generator: torch.Generator) -> float:
    """Returns how often the passage that answers is among those retrieved."""
    retriever = model.model.retriever
    assert retriever is not None
    entities = torch.arange(ENTITIES)
    with torch.no_grad():
        index = retriever.index(passages_of(draw_world(generator)))
        text = torch.stack((torch.full_like(entities, _ASK), entities + _FIRST), dim=1)
        asked = retriever.questions(text)[0]
    _, found = index.search(asked, KEPT)
    return float((found == entities[:, None]).any(dim=1).double().mean())


def run(seed: int, steps: int = 1500) -> dict[str, float]:
    """Returns perplexities of answers, of which chance is `VALUES`, and how often one was found."""
    found: dict[str, float] = {}
    for name, share in (("answers alone", 0.0), ("answers and pairs", 1.0)):
        found |= {f"{name}: {what}": value for what, value in _learn(seed, steps, share).items()}
    return found


def _learn(seed: int, steps: int, share: float) -> dict[str, float]:
    """Returns what one model reaches.

    Args:
        share: weight of the towers' own loss of pairs, with the batch's others as negatives.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    config = preset(
        "tiny", vocab_size=_FIRST + ENTITIES + VALUES, experts=("rag",), passages=KEPT, prefix=2
    )
    model = LanguageExpertForCausalLM(config)
    retriever = model.model.retriever
    assert retriever is not None
    found = {"found among 4, before": found_among(model, generator)}

    def loss() -> Tensor:
        model.train()
        world = draw_world(generator)
        passages = passages_of(world)
        model.model.index = retriever.index(passages)
        entities = torch.randint(ENTITIES, (_BATCH,), generator=generator)
        answered: Tensor = functional.cross_entropy(ask(model, entities), world[entities])
        if not share:
            return answered
        everyone = torch.arange(ENTITIES)
        text = torch.stack((torch.full_like(everyone, _ASK), everyone + _FIRST), dim=1)
        of_pairs: Tensor = retriever.loss(text, passages)
        return answered + share * of_pairs

    fit(model.parameters(), loss, steps, learning_rate=1e-3)
    told = torch.Generator().manual_seed(seed + 1_000_000)
    found["found among 4, after"] = found_among(model, told)
    for index in ("on", "off", "of another world"):
        found[f"perplexity, index {index}"] = measure(model, index, told)
    return found
