"""Attention by hand, under masks and biases, and of positions that turn."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones.attention import attend, probabilities, rotate


def _heads(tokens=5, count=3):
    chance = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, 3, tokens, 4, generator=chance, dtype=torch.float64) for _ in range(count)
    ]


def test_attention_by_hand():
    query = torch.tensor([[[[2.0, 0.0, 0.0, 0.0]]]])
    key = torch.tensor([[[[1.0, 0.0, 0.0, 0.0], [0.0, 9.0, 9.0, 9.0]]]])
    value = torch.tensor([[[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]]])
    # Logits 1 and 0.
    first = 2.718281828 / (1 + 2.718281828)
    expected = torch.tensor([first, 1 - first, 0.0, 0.0])
    assert torch.allclose(attend(query, key, value)[0, 0, 0], expected)
    assert torch.allclose(probabilities(query, key)[0, 0, 0], expected[:2])
    more = torch.tensor([[[[-1.0, 0.0]]]])
    assert torch.allclose(attend(query, key, value, bias=more)[0, 0, 0, :2], torch.full((2,), 0.5))


@given(st.integers(0, 2**31), st.booleans())
def test_what_is_mixed_is_what_is_seen_and_nothing_where_nothing_is(seed, has_bias):
    chance = torch.Generator().manual_seed(seed)
    query, key, value = _heads()
    allowed = torch.rand(2, 1, 5, 5, generator=chance) < 0.4
    bias = torch.randn(1, 3, 5, 5, generator=chance, dtype=torch.float64) if has_bias else None
    seen = probabilities(query, key, allowed, bias)
    assert torch.equal(seen > 0, allowed.expand_as(seen))
    assert torch.allclose(seen.sum(dim=3), allowed.any(dim=3).double().expand(2, 3, 5))
    assert torch.allclose(attend(query, key, value, allowed, bias), seen @ value)


@given(st.integers(-50, 50))
def test_only_the_distance_of_positions_matters(shift):
    query, key = _heads(count=2)
    place = torch.arange(5)[None]
    logits = rotate(query, place) @ rotate(key, place).transpose(2, 3)
    moved = rotate(query, place + shift) @ rotate(key, place + shift).transpose(2, 3)
    assert torch.allclose(logits, moved, atol=1e-4)
    assert not torch.allclose(logits, query @ key.transpose(2, 3), atol=0.1)


def test_turning_by_hand():
    # The first number turns together with the third, which stands half a width after it.
    one = torch.tensor([[[[1.0, 0.0, 0.0, 0.0]]]])
    turned = rotate(one, torch.tensor([[1]]), base=1.0)[0, 0, 0]
    angle = torch.tensor(1.0)
    expected = torch.stack((angle.cos(), angle * 0, angle.sin(), angle * 0))
    assert torch.allclose(turned, expected)
