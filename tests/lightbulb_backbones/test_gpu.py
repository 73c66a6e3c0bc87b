"""What only a GPU can show: kernels of flash-attn and mamba-ssm compute what ours do."""

import pytest
import torch

from lightbulb_backbones.selective_scan import scan
from lightbulb_backbones.sparse_attention import SparsePattern, sparse_attend

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="torch sees no GPU here: this is not shown"
)


@pytest.mark.parametrize(
    ("dtype", "near"), [(torch.float16, 5e-3), (torch.bfloat16, 4e-2)], ids=["fp16", "bf16"]
)
def test_flash_attention_is_attention_under_the_mask(dtype, near):
    pytest.importorskip("flash_attn")
    torch.manual_seed(0)
    heads = [torch.randn(2, 4, 200, 32, device="cuda", dtype=dtype) for _ in range(3)]
    pattern = SparsePattern(block=16, local=2, stride=4)
    expected = sparse_attend(*(one.double() for one in heads), pattern, "dense")
    found = sparse_attend(*heads, pattern, "flash").double()
    assert (found - expected).abs().max() < near


@pytest.mark.parametrize("how", ["flex", "gathered"])
def test_other_ways_of_sparse_attention_agree_in_gradient_too(how):
    torch.manual_seed(0)
    heads = [torch.randn(2, 4, 200, 32, device="cuda", requires_grad=True) for _ in range(3)]
    pattern = SparsePattern(block=16, local=2, stride=4)
    found, expected = (
        torch.autograd.grad(sparse_attend(*heads, pattern, one).square().sum(), heads)
        for one in (how, "dense")
    )
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-2, atol=2e-2)


@pytest.mark.parametrize("begins", [False, True])
def test_mamba_ssm_scans_as_we_do(begins):
    pytest.importorskip("selective_scan_cuda")
    torch.manual_seed(0)
    u, step = (torch.randn(2, 300, 64, device="cuda") for _ in range(2))
    entry, reading = (torch.randn(2, 300, 16, device="cuda") for _ in range(2))
    decay = -torch.rand(64, 16, device="cuda").exp()
    state = torch.randn(2, 64, 16, device="cuda") if begins else None
    inputs = (u, torch.nn.functional.softplus(step - 2), decay, entry, reading, state)
    for one, other in zip(scan(*inputs, how="kernel"), scan(*inputs, how="autograd"), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3)
