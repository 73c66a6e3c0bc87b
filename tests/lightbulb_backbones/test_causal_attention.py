"""Texts that come in parts of any lengths are read as the whole, under every pattern."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones.blocks import AttentionBlock
from lightbulb_backbones.carried import Carried, take_rows
from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.sparse_attention import SparsePattern

PATTERNS = [None, SparsePattern(block=2, local=2, stride=3, sink=1)]
PART = st.lists(st.integers(0, 5), min_size=3, max_size=3)


def _blocks(pattern):
    torch.manual_seed(0)
    attention = [CausalAttention(8, 2, pattern) for _ in range(2)]
    return torch.nn.ModuleList(AttentionBlock(one, 16) for one in attention).double()


def _read(blocks, states, keep=None, state=None):
    """Returns the states of a part, and what the next one needs; None for no state in and out."""
    carried = None if state is None else Carried(dict(state))
    tokens = torch.ones(states.shape[:2], dtype=torch.long)
    sight = Sight.of(tokens, keep, carried)
    for number, block in enumerate(blocks):
        states = block(states, sight, carried and carried.part(number))
    return states, {} if carried is None else carried.state


def _states(rows=3, tokens=20, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(rows, tokens, 8, generator=chance, dtype=torch.float64)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(parts=st.lists(PART, min_size=1, max_size=4))
def test_parts_of_any_lengths_are_read_as_the_whole(pattern, parts):
    blocks, whole = _blocks(pattern), _states()
    at, state, found = [0, 0, 0], {}, [[], [], []]
    with torch.no_grad():
        expected, _ = _read(blocks, whole)
        for part in parts:
            states = torch.full((3, max(*part, 1), 8), 99.0, dtype=torch.float64)
            for row, length in enumerate(part):
                states[row, :length] = whole[row, at[row] : at[row] + length]
            keep = torch.arange(states.shape[1]) < torch.tensor(part).unsqueeze(1)
            states, state = _read(blocks, states, keep, state)
            for row, length in enumerate(part):
                found[row].append(states[row, :length])
                at[row] += length
    for row, told in enumerate(found):
        assert torch.allclose(torch.cat(told), expected[row, : at[row]], atol=1e-10)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_later_token_changes_no_earlier_state(pattern):
    blocks, states = _blocks(pattern), _states()
    other = states.clone()
    other[:, 9] = 1.0
    one, two = _read(blocks, states)[0], _read(blocks, other)[0]
    assert torch.equal(one[:, :9], two[:, :9])
    assert not torch.isclose(one[:, 9], two[:, 9]).all(dim=1).any()


def test_rows_of_a_state_go_on_as_their_own_texts_would():
    blocks, whole, more = _blocks(None), _states(), _states(tokens=4, seed=1)
    rows = torch.tensor([2, 0, 0])
    _, state = _read(blocks, whole, state={})
    found, _ = _read(blocks, more, state=take_rows(state, rows))
    expected, _ = _read(blocks, torch.cat((whole[rows], more), dim=1))
    assert torch.allclose(found, expected[:, 20:], atol=1e-10)


def test_a_state_that_was_handed_out_stays_what_it_was():
    blocks = _blocks(None)
    _, state = _read(blocks, _states(), state={})
    kept = {name: tensor.clone() for name, tensor in state.items()}
    _read(blocks, _states(seed=1), state=state)
    assert state.keys() == kept.keys()
    assert all(torch.equal(state[name], kept[name]) for name in kept)


@pytest.mark.parametrize(("width", "heads"), [(10, 3), (6, 2)])
def test_widths_that_heads_cannot_share_are_refused(width, heads):
    with pytest.raises(ValueError, match=f"twice the heads={heads}, got {width}"):
        CausalAttention(width, heads)
