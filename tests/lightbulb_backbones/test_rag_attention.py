"""Passages enter the attention matrix as the formula says, and their retriever learns by it."""

import math
from dataclasses import replace

import pytest
import torch

from lightbulb_backbones.attention import rotate
from lightbulb_backbones.blocks import AttentionBlock
from lightbulb_backbones.carried import Carried
from lightbulb_backbones.causal_attention import Sight
from lightbulb_backbones.context import Context
from lightbulb_backbones.rag_attention import RetrievalAttention

WIDTH, HEADS = 8, 2


def _attention(seed=0):
    torch.manual_seed(seed)
    made = RetrievalAttention(WIDTH, HEADS, context_width=6).double()
    with torch.no_grad():
        made.openness.normal_()
    return made


def _states(tokens=5, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(2, tokens, WIDTH, generator=chance, dtype=torch.float64)


def _context(passages=3, length=4, seed=0):
    chance = torch.Generator().manual_seed(seed)
    states = torch.randn(2, passages * length, 6, generator=chance, dtype=torch.float64)
    keep = torch.rand(2, passages * length, generator=chance) < 0.7
    logits = torch.randn(2, passages, generator=chance, dtype=torch.float64)
    return Context(states, keep, logits.log_softmax(dim=1).repeat_interleave(length, dim=1))


def _sight(context=None, tokens=5):
    sight = Sight.of(torch.ones(2, tokens, dtype=torch.long), None, None)
    return replace(sight, context=context)


def test_it_computes_the_formula():
    attention, states, context = _attention(), _states(), _context()
    sight = _sight(context)
    found = attention(states, sight)
    width = WIDTH // HEADS
    projected = attention.query_key_value(states).view(2, 5, 3, HEADS, width)
    told = attention.context_key_value(context.states).view(2, 12, 2, HEADS, width)
    for row in range(2):
        for token in range(5):
            parts = []
            for head in range(HEADS):
                query = projected[row, token, 0, head]
                logits, values = [], []
                for other in range(token + 1):
                    turned = [
                        rotate(
                            projected[row, at, kind, head][None, None, None],
                            sight.position[:1, at : at + 1],
                        )
                        for at, kind in ((token, 0), (other, 1))
                    ]
                    logits.append((turned[0] * turned[1]).sum() / math.sqrt(width))
                    values.append(projected[row, other, 2, head])
                for place in range(12):
                    if context.keep[row, place]:
                        product = query @ told[row, place, 0, head] / math.sqrt(width)
                        share = context.log_probability[row, place]
                        logits.append(product + share + attention.openness[head])
                        values.append(told[row, place, 1, head])
                parts.append(torch.stack(logits).softmax(dim=0) @ torch.stack(values))
            expected = attention.out(torch.cat(parts))
            assert torch.allclose(found[row, token], expected, atol=1e-6)  # of float32 positions


def test_heads_that_are_closed_read_the_text_alone():
    attention = _attention()
    with torch.no_grad():
        attention.openness.fill_(-torch.inf)
    found = attention(_states(), _sight(_context()))
    assert torch.allclose(found, attention(_states(), _sight()), atol=1e-12)


def test_the_order_of_passages_does_not_matter():
    attention, context = _attention(), _context()
    order = torch.tensor([8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7])
    moved = Context(
        context.states[:, order], context.keep[:, order], context.log_probability[:, order]
    )
    one, two = (attention(_states(), _sight(told)) for told in (context, moved))
    assert torch.allclose(one, two, atol=1e-12)


def test_an_impossible_passage_is_not_read():
    attention, context = _attention(), _context()
    share = context.log_probability.clone()
    share[:, :4] = -torch.inf
    without = Context(context.states, context.keep, share)
    other = Context(context.states.clone(), context.keep, share)
    other.states[:, :4] = 7.0
    one, two = (attention(_states(), _sight(told)) for told in (without, other))
    assert torch.equal(one, two)


def test_what_is_read_teaches_the_probabilities_and_the_states():
    attention, context = _attention(), _context()
    context.states.requires_grad_()
    context.log_probability.requires_grad_()
    attention(_states(), _sight(context)).square().sum().backward()
    assert (context.states.grad[context.keep] != 0).any(dim=1).all()
    assert (context.log_probability.grad[context.keep] != 0).all()
    assert not context.states.grad[~context.keep].any()


@pytest.mark.parametrize("has_context", [False, True])
def test_parts_are_read_as_the_whole_and_no_token_changes_an_earlier_one(has_context):
    torch.manual_seed(0)
    block = AttentionBlock(RetrievalAttention(WIDTH, HEADS, context_width=6), 16).double()
    context, states = _context() if has_context else None, _states(tokens=9)
    expected = block(states, _sight(context, 9))
    carried, found = Carried({}), []
    for part in states.split([4, 1, 3, 1], dim=1):
        sight = Sight.of(torch.ones(part.shape[:2], dtype=torch.long), None, carried)
        sight = replace(sight, context=context)
        found.append(block(part, sight, carried.part("layer")))
    assert torch.allclose(torch.cat(found, dim=1), expected, atol=1e-10)
    other = states.clone()
    other[:, 6] = 1.0
    assert torch.equal(block(other, _sight(context, 9))[:, :6], expected[:, :6])
