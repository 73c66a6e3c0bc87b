"""The scan by products of chunks equals the recurrence, in chunks of any length."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones.selective_scan import scan
from lightbulb_backbones.state_space_duality import ssd, ssd_by_steps

SHAPE = st.tuples(
    st.integers(1, 3), st.integers(0, 20), st.integers(1, 2), st.integers(1, 3), st.integers(1, 4)
)
"""Texts, tokens, groups, heads of a group, and channels."""


def _inputs(shape, states=3, seed=0, dtype=torch.float64):
    batch, tokens, groups, of_group, width = shape
    heads = groups * of_group
    chance = torch.Generator().manual_seed(seed)

    def normal(*size):
        return torch.randn(*size, generator=chance, dtype=dtype)

    inputs = (
        normal(batch, tokens, heads, width),
        normal(batch, tokens, heads).exp() / 10,
        -normal(heads).exp(),
        normal(batch, tokens, groups, states),
        normal(batch, tokens, groups, states),
        normal(batch, heads, width, states),
    )
    return [one.requires_grad_() for one in inputs]


def _with_gradients(function, inputs, **keywords):
    output, last = function(*inputs, **keywords)
    chance = torch.Generator().manual_seed(1)
    of_output, of_last = (
        torch.randn(one.shape, generator=chance, dtype=torch.float64).to(one.dtype)
        for one in (output, last)
    )
    worth = (output * of_output).sum() + (last * of_last).sum()
    return output, last, *torch.autograd.grad(worth, inputs, allow_unused=True)


@given(SHAPE, st.integers(0, 2**31), st.integers(1, 25))
def test_values_and_gradients_are_those_of_the_recurrence(shape, seed, chunk):
    inputs = _inputs(shape, seed=seed)
    found = _with_gradients(ssd, inputs, chunk=chunk)
    expected = _with_gradients(ssd_by_steps, inputs)
    for one, other in zip(found, expected, strict=True):
        if one is not None and other is not None:
            assert torch.allclose(one, other, atol=1e-10)
        else:  # of no tokens nothing is learnt
            assert not shape[1]


@given(SHAPE, st.integers(0, 20))
def test_a_state_that_is_carried_makes_two_scans_one(shape, cut):
    u, delta, decay, entry, reading, state = _inputs(shape)
    whole, last = ssd(u, delta, decay, entry, reading, state, chunk=4)
    parts = []
    for part in (slice(None, cut), slice(cut, None)):
        output, state = ssd(
            u[:, part], delta[:, part], decay, entry[:, part], reading[:, part], state, chunk=4
        )
        parts.append(output)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-10)
    assert torch.allclose(state, last, atol=1e-10)


def test_with_one_decay_a_head_the_selective_scan_is_the_same():
    u, delta, decay, entry, reading, state = _inputs((2, 9, 1, 2, 3))
    wide = delta.repeat_interleave(3, dim=2), decay.repeat_interleave(3)[:, None].expand(-1, 3)
    expected, last = scan(
        u.flatten(2), *wide, entry.squeeze(2), reading.squeeze(2), state.flatten(1, 2)
    )
    found, end = ssd(u, delta, decay, entry, reading, state)
    assert torch.allclose(found.flatten(2), expected, atol=1e-10)
    assert torch.allclose(end.flatten(1, 2), last, atol=1e-10)


def test_fast_decay_over_long_chunks_stays_finite():
    u, _, _, entry, reading, _ = (one.detach().float() for one in _inputs((1, 64, 1, 2, 2)))
    u.requires_grad_()
    delta = torch.ones(1, 64, 2, requires_grad=True)
    output, state = ssd(u, delta, torch.tensor([-16.0, -1e4]), entry, reading, chunk=64)
    output.sum().backward()
    assert all(one.isfinite().all() for one in (output, state, u.grad, delta.grad))


def test_half_precision_is_scanned_in_float32():
    inputs = [one.detach().to(torch.bfloat16) for one in _inputs((1, 30, 1, 2, 4))]
    output, state = ssd(*inputs, chunk=8)
    assert output.dtype == state.dtype == torch.float32
    expected, _ = ssd_by_steps(*(one.double() for one in inputs))
    assert torch.allclose(output.double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("function", [ssd, ssd_by_steps])
def test_autocast_takes_no_bits_of_values_states_and_gradients(function):
    inputs = [one.detach().float().requires_grad_() for one in _inputs((2, 30, 2, 2, 4))]
    exact = [one.detach().double().requires_grad_() for one in inputs]

    def scanned(*told):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return function(*told)

    found = _with_gradients(scanned, inputs)
    expected = _with_gradients(ssd_by_steps, exact)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 1e-6 * other.norm()


@pytest.mark.parametrize("function", [ssd, ssd_by_steps])
def test_without_a_state_it_starts_from_nothing(function):
    *tokens, state = _inputs((2, 4, 1, 2, 3))
    found, expected = function(*tokens), function(*tokens, torch.zeros_like(state))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
