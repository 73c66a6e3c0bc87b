"""Search: what beams find is likelier than what greedy decoding finds.

A tiny language expert learns characters of a text for some minutes and goes on with beginnings
that it has not seen, by greedy decoding and by beams; the sums of log-probabilities are compared.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.backbones.small import fit, go_on
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset
from lightbulb_backbones.pretraining.tokenizer import CHARACTERS, encode, train_tokenizer
from lightbulb_backbones.pretraining.windows import ShuffledWindows
from lightbulb_envs.registry import make_engine

_LENGTH, _BATCH, _BEGINNING, _GOES_ON, _TESTED, _BEAMS = 96, 16, 24, 24, 100, 4


def newsroom_text(split: str, count: int) -> str:
    """Returns articles of the newsroom as one text."""
    engine: Any = make_engine("Lightbulb/NewsSummariser-v0", count, split=split)
    rows = np.arange(count)
    engine.reset(rows, rows)
    return "\n".join(" ".join(engine.document(row).sentences) for row in rows)


def log_probability(model: LanguageExpertForCausalLM, text: Tensor) -> Tensor:
    """Returns the log-probability of what goes on after the beginnings of texts, (n,)."""
    with torch.no_grad():
        shares = model(text).logits[:, :-1].log_softmax(dim=2)
    each = shares.gather(2, text[:, 1:].unsqueeze(2)).squeeze(2)
    found: Tensor = each[:, _BEGINNING - 1 :].sum(dim=1)
    return found


def run(seed: int, steps: int = 800, data: Path | None = None) -> dict[str, float]:
    """Returns mean log-probabilities of what both find, and how often beams find what is likelier.

    Args:
        data: a text file; by default articles of the newsroom.
    """
    if data is None:
        learnt, unseen = newsroom_text("train", 400), newsroom_text("validation", 60)
    else:
        whole = data.read_text(encoding="utf-8")
        cut = int(len(whole) * 0.9)
        learnt, unseen = whole[:cut], whole[cut:]
    tokenizer = train_tokenizer(CHARACTERS, [learnt], 0)
    torch.manual_seed(seed)
    model = LanguageExpertForCausalLM(preset("tiny", vocab_size=len(tokenizer)))
    windows = ShuffledWindows(encode(tokenizer, learnt)[0], _LENGTH, seed)

    def loss() -> Tensor:
        model.train()
        text = torch.from_numpy(windows.take(_BATCH))
        found: Tensor = model(text, labels=text).loss
        return found

    fit(model.parameters(), loss, steps, learning_rate=2e-3)
    model.train(False)
    tokens = encode(tokenizer, unseen)[0]
    starts = np.random.default_rng(seed).integers(len(tokens) - _BEGINNING, size=_TESTED)
    beginnings = torch.from_numpy(tokens[starts[:, None] + np.arange(_BEGINNING)].astype(np.int64))
    found = {}
    for name, beams in (("greedy", 1), ("beams", _BEAMS)):
        told = go_on(model, beginnings, _GOES_ON, do_sample=False, num_beams=beams)
        found[name] = log_probability(model, told)
    greedy, by_beams = found["greedy"], found["beams"]
    return {
        "log-probability, greedy": float(greedy.mean()),
        f"log-probability, {_BEAMS} beams": float(by_beams.mean()),
        "share in which beams are likelier": float((by_beams > greedy + 1e-4).double().mean()),
        "share in which they are less likely": float((by_beams < greedy - 1e-4).double().mean()),
    }
