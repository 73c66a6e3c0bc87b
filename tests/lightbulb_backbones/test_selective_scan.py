"""The scan written out by hand equals the recurrence and its gradient, in chunks of any length."""

import functools
import importlib.util
import sys
import types

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones import selective_scan
from lightbulb_backbones.selective_scan import choose, scan, scan_by_steps, scan_step

SHAPE = st.tuples(st.integers(1, 3), st.integers(0, 20), st.integers(1, 5), st.integers(1, 4))


def _inputs(shape, seed=0, dtype=torch.float64):
    batch, tokens, width, states = shape
    chance = torch.Generator().manual_seed(seed)

    def normal(*size):
        return torch.randn(*size, generator=chance, dtype=dtype)

    inputs = (
        normal(batch, tokens, width),
        normal(batch, tokens, width).exp() / 10,
        -normal(width, states).exp(),
        normal(batch, tokens, states),
        normal(batch, tokens, states),
        normal(batch, width, states),
    )
    return [one.requires_grad_() for one in inputs]


def _with_gradients(function, inputs, seed=1):
    output, last = function(*inputs)
    chance = torch.Generator().manual_seed(seed)
    of_output, of_last = (
        torch.randn(one.shape, generator=chance, dtype=torch.float64).to(one.dtype)
        for one in (output, last)
    )
    worth = (output * of_output).sum() + (last * of_last).sum()
    return output, last, *torch.autograd.grad(worth, inputs, allow_unused=True)


@given(SHAPE, st.integers(0, 2**31), st.integers(1, 200))
def test_values_and_gradients_are_those_of_the_recurrence(shape, seed, numbers):
    inputs = _inputs(shape, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selective_scan, "_CHUNK_NUMBERS", numbers)
        found = _with_gradients(scan, inputs)
    expected = _with_gradients(scan_by_steps, inputs)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, torch.zeros_like(one) if other is None else other, atol=1e-10)


def test_gradients_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(scan, _inputs((2, 5, 3, 2)))


@given(SHAPE, st.integers(0, 20))
def test_a_state_that_is_carried_makes_two_scans_one(shape, cut):
    u, delta, decay, entry, reading, state = _inputs(shape)
    whole, last = scan(u, delta, decay, entry, reading, state)
    parts = []
    for part in (slice(None, cut), slice(cut, None)):
        output, state = scan(
            u[:, part], delta[:, part], decay, entry[:, part], reading[:, part], state
        )
        parts.append(output)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-12)
    assert torch.allclose(state, last, atol=1e-12)


def test_a_step_by_hand():
    # Half of the state 3 is kept, and 2 times 5 enters; read threefold.
    two = torch.tensor([[2.0]])
    halving = torch.log(torch.tensor([[0.5]]))
    output, state = scan_step(
        torch.tensor([[5.0]]),
        torch.tensor([[1.0]]),
        halving,
        two,
        torch.tensor([[3.0]]),
        torch.tensor([[[3.0]]]),
    )
    assert state.item() == pytest.approx(11.5)
    assert output.item() == pytest.approx(34.5)


def test_without_a_state_it_starts_from_nothing():
    *tokens, state = _inputs((2, 4, 3, 2))
    found, expected = scan(*tokens), scan(*tokens, torch.zeros_like(state))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_half_precision_is_scanned_in_float32():
    inputs = [one.detach().to(torch.bfloat16) for one in _inputs((1, 30, 4, 4))]
    output, state = scan(*inputs)
    assert output.dtype == state.dtype == torch.float32
    expected, _ = scan_by_steps(*(one.double() for one in inputs))
    assert torch.allclose(output.double(), expected, rtol=1e-5, atol=1e-5)


def _under_autocast(function):
    """Returns a function that is called under autocast."""

    def called(*inputs):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return function(*inputs)

    return called


@pytest.mark.parametrize(
    "learnt",
    [
        functools.partial(_with_gradients, _under_autocast(scan_by_steps)),
        functools.partial(_with_gradients, _under_autocast(scan)),
        _under_autocast(functools.partial(_with_gradients, scan)),  # `backward` is called there too
    ],
    ids=["steps", "autograd", "backward"],
)
def test_autocast_takes_no_bits_of_values_states_and_gradients(learnt):
    inputs = [one.detach().float().requires_grad_() for one in _inputs((2, 30, 4, 4))]
    exact = [one.detach().double().requires_grad_() for one in inputs]
    found, expected = learnt(inputs), _with_gradients(scan_by_steps, exact)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 1e-6 * other.norm()


def test_nothing_is_kept_where_no_gradient_is_asked_for(monkeypatch):
    monkeypatch.setattr(selective_scan, "_CHUNK_NUMBERS", 2 * 3 * 2)  # a token a chunk
    inputs = _inputs((2, 50, 3, 2))
    made = []
    real = torch.Tensor.new_empty

    def remember(tensor, *size, **settings):
        found = real(tensor, *size, **settings)
        made.append(found.numel())
        return found

    monkeypatch.setattr(torch.Tensor, "new_empty", remember)
    with torch.no_grad():
        alone = scan(*inputs)
    assert max(made) == 2 * 50 * 3  # the output
    made.clear()
    kept = scan(*inputs)
    assert max(made) == 50 * 2 * 3 * 2
    assert all(torch.equal(one, other) for one, other in zip(alone, kept, strict=True))


@pytest.fixture
def mamba_ssm(monkeypatch):
    """A stand-in with the signature of mamba-ssm's function, and its meaning in plain words."""

    def selective_scan_fn(
        u,
        delta,
        A,  # noqa: N803 # its names
        B,  # noqa: N803
        C,  # noqa: N803
        D=None,  # noqa: N803
        z=None,
        delta_bias=None,
        delta_softplus=False,
        return_last_state=False,
    ):
        assert D is z is delta_bias is None
        assert not delta_softplus
        assert return_last_state
        assert all(one.is_contiguous() for one in (u, delta, B, C))
        batch, width, tokens = u.shape
        state = u.new_zeros(batch, width, A.shape[1])
        outputs = []
        for t in range(tokens):
            kept = torch.exp(delta[:, :, t, None] * A) * state
            state = kept + (delta[:, :, t] * u[:, :, t])[:, :, None] * B[:, None, :, t]
            outputs.append((state * C[:, None, :, t]).sum(dim=2))
        return torch.stack(outputs, dim=2), state.detach()

    module = types.ModuleType("mamba_ssm.ops.selective_scan_interface")
    module.selective_scan_fn = selective_scan_fn
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("numbers", [1, 1 << 19])
def test_the_call_of_mamba_ssm_is_the_recurrence(mamba_ssm, begins, numbers, monkeypatch):
    monkeypatch.setattr(selective_scan, "_CHUNK_NUMBERS", numbers)
    inputs = [one.detach() for one in _inputs((2, 7, 3, 2))][: 6 if begins else 5]
    expected = scan_by_steps(*inputs)
    for one, other in zip(scan(*inputs, how="kernel"), expected, strict=True):
        assert torch.allclose(one, other, atol=1e-12)


def test_autocast_takes_no_bits_of_the_call_of_mamba_ssm(mamba_ssm):
    inputs = [one.detach().float() for one in _inputs((2, 7, 3, 2))]
    expected = scan(*inputs, how="kernel")
    found = _under_autocast(functools.partial(scan, how="kernel"))(*inputs)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_what_is_learnt_through_the_call_of_mamba_ssm(mamba_ssm):
    tokens = _inputs((2, 7, 3, 2))[:5]
    grads = []
    for how in ("kernel", "autograd"):
        output, _ = scan(*tokens, how=how)
        grads.append(torch.autograd.grad(output.square().sum(), tokens))
    assert all(torch.allclose(one, other, atol=1e-10) for one, other in zip(*grads, strict=True))


@pytest.fixture
def installed(monkeypatch):
    """Names of what is said to be installed."""
    there = set()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in there or None)
    selective_scan._has_kernel.cache_clear()
    yield there
    selective_scan._has_kernel.cache_clear()


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        ((), "autograd"),
        (("mamba_ssm",), "autograd"),  # whose kernels may be missing
        (("mamba_ssm", "selective_scan_cuda"), "kernel"),
    ],
)
def test_the_kernel_is_taken_where_it_is_and_nothing_is_lost_by_it(has, expected, installed):
    installed.update(has)
    here, gpu = torch.device("cpu"), torch.device("cuda")
    assert choose(gpu, may_lose_the_last=True) == expected
    assert choose(gpu, may_lose_the_last=False) == "autograd"
    assert choose(here, may_lose_the_last=True) == "autograd"


def test_a_processor_looks_for_no_kernel(monkeypatch):
    def looking(name):
        raise AssertionError(name)  # it costs as much as a small layer

    monkeypatch.setattr(importlib.util, "find_spec", looking)
    scan(*_inputs((1, 3, 2, 2)), is_alone=True)


@pytest.mark.parametrize(
    ("learns", "begins", "is_alone", "may"),
    [
        (False, True, False, True),
        (True, False, True, True),
        (True, True, True, False),
        (True, False, False, False),
    ],
)
def test_a_last_state_that_is_learnt_through_keeps_its_gradient(
    learns, begins, is_alone, may, monkeypatch
):
    told = []

    def choosing(device, *, may_lose_the_last):
        told.append(may_lose_the_last)
        return "autograd"

    monkeypatch.setattr(selective_scan, "choose", choosing)
    inputs = _inputs((1, 3, 2, 2))[: 6 if begins else 5]
    with torch.set_grad_enabled(learns):
        scan(*inputs, is_alone=is_alone)
    assert told == [may]


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="steps, autograd, kernel; got 'fast'"):
        scan(*_inputs((1, 1, 1, 1)), how="fast")


@pytest.mark.parametrize("how", selective_scan.WAYS)
def test_of_no_texts_no_token_is_gone_through(how, monkeypatch):
    for way in ("scan_by_steps", "_scan_by_kernel", "_Scan"):
        monkeypatch.setattr(selective_scan, way, None)
    inputs = [torch.randn(*size) for size in ((0, 9, 4), (0, 9, 4), (4, 3), (0, 9, 3), (0, 9, 3))]
    inputs.append(torch.randn(0, 4, 3))
    told, last = scan(*(one.requires_grad_() for one in inputs), how=how)
    assert told.shape == (0, 9, 4)
    assert last.shape == (0, 4, 3)
    for worth in torch.autograd.grad(told.sum() + last.sum(), inputs):
        assert (worth == 0).all()
