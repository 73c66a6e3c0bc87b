"""Sparse attention is dense attention under its mask, however it is computed."""

import sys
import types

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones import sparse_attention
from lightbulb_backbones.attention import attend
from lightbulb_backbones.sparse_attention import SparsePattern, choose, sparse_attend

PATTERNS = st.builds(
    SparsePattern,
    block=st.integers(1, 7),
    local=st.integers(1, 4),
    stride=st.integers(0, 4),
    sink=st.integers(0, 3),
)
PATTERN = SparsePattern(block=4, local=2, stride=3, sink=1)


def _heads(tokens, seed=0, count=3):
    chance = torch.Generator().manual_seed(seed)
    shape = (2, 3, tokens, 4)
    return [
        torch.randn(shape, generator=chance, dtype=torch.float64, requires_grad=True)
        for _ in range(count)
    ]


def _with_gradients(how, heads, pattern):
    mixed = sparse_attend(*heads, pattern, how)
    (worth,) = _heads(heads[0].shape[2], seed=9, count=1)
    return mixed, *torch.autograd.grad((mixed * worth.detach()).sum(), heads)


def _same(found, expected):
    return all(
        torch.allclose(one, two, atol=1e-10) for one, two in zip(found, expected, strict=True)
    )


@pytest.fixture
def flash(monkeypatch):
    """A stand-in with the signature of flash-attn's function, and its meaning in plain words."""

    def flash_attn_varlen_func(q, k, v, cu_seqlens_q, cu_seqlens_k, most_q, most_k, causal):
        assert causal
        assert most_q == cu_seqlens_q.diff().max()
        assert most_k == cu_seqlens_k.diff().max()
        parts = []
        bounds = zip(cu_seqlens_q.unfold(0, 2, 1), cu_seqlens_k.unfold(0, 2, 1), strict=True)
        for (start, stop), (first, last) in bounds:
            one, keys, values = q[start:stop], k[first:last], v[first:last]
            # The last query sees the last key.
            ends = torch.arange(len(keys) - len(one), len(keys)).unsqueeze(1)
            allowed = torch.arange(len(keys)) <= ends
            heads = (part.transpose(0, 1)[None] for part in (one, keys, values))
            parts.append(attend(*heads, allowed[None, None])[0].transpose(0, 1))
        return torch.cat(parts)

    module = types.ModuleType("flash_attn")
    module.flash_attn_varlen_func = flash_attn_varlen_func
    monkeypatch.setitem(sys.modules, "flash_attn", module)


@given(PATTERNS, st.integers(1, 40))
def test_gathering_is_attention_under_the_mask_in_value_and_gradient(pattern, tokens):
    heads = _heads(tokens)
    expected = _with_gradients("dense", heads, pattern)
    assert _same(_with_gradients("gathered", heads, pattern), expected)


@pytest.mark.parametrize("tokens", [1, 4, 30])
def test_the_call_of_flash_attn_is_attention_under_the_mask(tokens, flash):
    heads = _heads(tokens)
    expected = _with_gradients("dense", heads, PATTERN)
    assert _same(_with_gradients("flash", heads, PATTERN), expected)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("tokens", [1, 30])
def test_flex_attention_is_attention_under_the_mask(tokens):
    heads = [one.detach() for one in _heads(tokens)]  # on a processor it has no gradient
    found = sparse_attend(*heads, PATTERN, "flex")
    assert torch.allclose(found, sparse_attend(*heads, PATTERN, "dense"), atol=1e-6)


def test_what_a_query_sees_by_hand():
    seen = PATTERN.allowed(torch.tensor([22]), torch.arange(24))[0]
    # Block 5, and 4 before it; block 2, the third, and so on; block 0; up to its own place.
    assert seen.nonzero().flatten().tolist() == [*range(4), *range(8, 12), *range(16, 23)]
    assert PATTERN.blocks(5) == [0, 2, 4, 5]


def test_a_pattern_that_sees_all_is_causal_attention():
    heads = _heads(20)
    causal = torch.ones(20, 20).tril().bool()[None, None]
    every = SparsePattern(block=4, local=5)
    assert torch.allclose(sparse_attend(*heads, every, "gathered"), attend(*heads, causal))


@given(PATTERNS, st.integers(1, 30))
def test_every_token_sees_itself_and_nothing_after(pattern, tokens):
    place = torch.arange(tokens)
    allowed = pattern.allowed(place, place)
    assert allowed.diagonal().all()
    assert not allowed.triu(1).any()


@pytest.mark.parametrize("how", ["gathered", "flash"])
def test_what_was_kept_of_inference_may_be_learnt_with(how, flash):
    heads = _heads(23)
    with torch.inference_mode():
        told = sparse_attend(*heads, PATTERN, how)
    assert torch.allclose(told, _with_gradients(how, heads, PATTERN)[0])


def test_a_processor_gathers_long_texts():
    device = torch.device("cpu")
    assert choose(device, torch.float32, 1023, 64) == "dense"
    assert choose(device, torch.float32, 1024, 64) == "gathered"


@pytest.mark.parametrize(
    ("packages", "dtype", "width", "expected"),
    [
        ({"triton", "flash_attn"}, torch.bfloat16, 16, "flex"),
        ({"triton", "flash_attn"}, torch.float16, 8, "flash"),
        ({"triton", "flash_attn"}, torch.float32, 8, "dense"),
        ({"flash_attn"}, torch.bfloat16, 64, "flash"),
        ({"flash_attn"}, torch.float32, 64, "dense"),
        (set(), torch.bfloat16, 64, "dense"),
    ],
)
def test_a_gpu_takes_what_it_has(monkeypatch, packages, dtype, width, expected):
    monkeypatch.setattr(
        sparse_attention.importlib.util, "find_spec", lambda name: name in packages or None
    )
    assert choose(torch.device("cuda"), dtype, 100, width) == expected


@pytest.mark.parametrize("wrong", ["block", "local", "stride", "sink"])
def test_impossible_patterns_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{wrong} must be . or more, got -1"):
        SparsePattern(**{wrong: -1})


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="dense, gathered, flex, flash; got 'dens'"):
        sparse_attend(*_heads(3), PATTERN, "dens")
