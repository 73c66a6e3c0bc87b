"""A text's score counts every token behind its beginning once."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from lightbulb_backbones.pretraining.language_score import LanguageScore, score_text


class Pairs(nn.Module):
    """Tells a token from the one before it; remembers how many it was told from."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, vocabulary, generator=_generator()))

    def forward(self, tokens):
        return SimpleNamespace(logits=self.table[tokens])


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@given(st.integers(3, 60), st.integers(2, 12), st.integers(1, 11), st.integers(1, 5))
def test_every_token_behind_the_first_ones_is_counted_once(count, length, context, batch):
    context = min(context, length - 1, count - 1)
    tokens = np.random.default_rng(count).integers(0, 7, count).astype(np.int32)
    characters = np.arange(count, dtype=np.int32)
    model = Pairs(7)
    score = score_text(model, tokens, characters, length, context, batch)
    text = torch.from_numpy(tokens).long()
    each = functional.cross_entropy(model.table[text[:-1]], text[1:], reduction="none")
    assert score.tokens == count - context
    assert score.nats == pytest.approx(float(each[context - 1 :].sum().detach()), rel=1e-5)
    assert score.characters == characters[context:].sum()


def test_a_model_that_knows_nothing_pays_the_logarithm_of_its_vocabulary():
    model = Pairs(8)
    with torch.no_grad():
        model.table.zero_()
    score = score_text(model, np.zeros(20, np.int32), np.ones(20, np.int32), 5, 2)
    assert score.loss == pytest.approx(math.log(8))
    assert score.perplexity == pytest.approx(8)
    assert score.bits_per_character == pytest.approx(3)


def test_a_model_is_measured_without_noise_and_learns_on_as_before():
    model = Pairs(8)
    seen = []
    model.register_forward_hook(lambda *_: seen.append((model.training, torch.is_grad_enabled())))
    score_text(model, np.zeros(20, np.int32), np.ones(20, np.int32), 5, 2)
    assert set(seen) == {(False, False)}
    assert model.training


def test_what_cannot_be_measured_is_told():
    text = np.zeros(4, np.int32)
    with pytest.raises(ValueError, match=r"context must be in \[1, length=5\), got 5"):
        score_text(Pairs(8), text, text, 5, 5)
    with pytest.raises(ValueError, match="a text of 4 tokens has none behind the first 4"):
        score_text(Pairs(8), text, text, 5, 4)


def test_a_hopeless_loss_has_a_perplexity_all_the_same():
    assert math.isfinite(LanguageScore(1e6, 10, 10).perplexity)
