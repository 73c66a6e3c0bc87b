"""What only a GPU can show: kernels of flash-attn and mamba-ssm compute what ours do, and a
language expert computes there what it does on a processor."""

import copy

import pytest
import torch

from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset
from lightbulb_backbones.selective_scan import choose, scan
from lightbulb_backbones.sparse_attention import SparsePattern, sparse_attend

pytestmark = [
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="torch sees no GPU here: this is not shown"
    ),
    pytest.mark.filterwarnings("default"),  # torch's compiler warns of torch
]


@pytest.mark.parametrize(
    ("dtype", "near"), [(torch.float16, 5e-3), (torch.bfloat16, 4e-2)], ids=["fp16", "bf16"]
)
@pytest.mark.parametrize("tokens", [200, 1024])
def test_flash_attention_is_attention_under_the_mask(dtype, near, tokens):
    pytest.importorskip("flash_attn")
    torch.manual_seed(0)
    told = [torch.randn(2, 4, tokens, 64, device="cuda", dtype=dtype) for _ in range(4)]
    pattern = SparsePattern(block=16, local=2, stride=4)
    results = []
    for how, whole in (("flash", dtype), ("dense", torch.float64)):
        *heads, of_mixed = (one.to(whole).requires_grad_() for one in told)
        mixed = sparse_attend(*heads, pattern, how)
        results.append([mixed, *torch.autograd.grad(mixed, heads, of_mixed)])
    for found, expected in zip(*results, strict=True):
        assert (found.double() - expected).abs().max() < near * max(1, expected.abs().max())


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


@torch._dynamo.config.patch(fail_on_recompile_limit_hit=True)
def test_texts_of_any_length_are_read_by_few_kernels():
    torch.manual_seed(0)
    pattern = SparsePattern(block=16, local=2, stride=4)
    for tokens in range(20, 500, 24):
        heads = [torch.randn(2, 4, tokens, 32, device="cuda") for _ in range(3)]
        found, expected = (sparse_attend(*heads, pattern, how) for how in ("flex", "dense"))
        assert torch.allclose(found, expected, rtol=1e-2, atol=1e-2)


def test_a_layer_reads_no_texts_at_all():
    layer = CausalAttention(64, 4).cuda()
    states = torch.randn(0, 5, 64, device="cuda", requires_grad=True)
    sight = Sight.of(torch.zeros(0, 5, dtype=torch.long, device="cuda"), None, None)
    mixed = layer(states, sight)
    assert mixed.shape == (0, 5, 64)
    mixed.sum().backward()
    assert all((weight.grad == 0).all() for weight in layer.parameters())


def _scanned():
    torch.manual_seed(0)
    u, step = (torch.randn(2, 300, 64, device="cuda") for _ in range(2))
    entry, reading = (torch.randn(2, 300, 16, device="cuda") for _ in range(2))
    decay = -torch.rand(64, 16, device="cuda").exp()
    return [u, torch.nn.functional.softplus(step - 2), decay, entry, reading]


@pytest.mark.parametrize("begins", [False, True])
def test_mamba_ssm_scans_as_we_do(begins):
    pytest.importorskip("selective_scan_cuda")
    inputs = _scanned()
    state = torch.randn(2, 64, 16, device="cuda") if begins else None
    results = (scan(*inputs, state, how=how) for how in ("kernel", "autograd"))
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3)


def test_mamba_ssm_learns_as_we_do():
    pytest.importorskip("selective_scan_cuda")
    results = []
    for how in ("kernel", "autograd"):
        inputs = [one.requires_grad_() for one in _scanned()]
        worth = scan(*inputs, is_alone=True, how=how)[0].square().mean()
        results.append(torch.autograd.grad(worth, inputs))
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3 * float(other.abs().max()))


def test_the_kernel_is_taken_where_it_may_be():
    pytest.importorskip("selective_scan_cuda")
    device = torch.device("cuda")
    assert choose(device, may_lose_the_last=True) == "kernel"
    assert choose(device, may_lose_the_last=False) == "autograd"


@pytest.fixture(scope="module")
def experts():
    """The same language expert twice, on a processor and on the GPU."""
    torch.manual_seed(7)
    model = LanguageExpertForCausalLM(preset("tiny", vocab_size=60)).eval()
    assert model.model.retriever is not None
    model.model.index = model.model.retriever.index(torch.randint(1, 60, (20, 5)))
    return model, copy.deepcopy(model).cuda()


@pytest.fixture(scope="module")
def tokens():
    """Texts of padding at the end of two."""
    texts = torch.randint(3, 60, (6, 90), generator=torch.Generator().manual_seed(0))
    keep = torch.ones_like(texts).bool()
    keep[0, 70:] = keep[1, 85:] = False
    return texts, keep


@pytest.mark.parametrize("expert", ["rag", "dpo", "mamba", None])
def test_an_expert_is_the_same_on_a_gpu(expert, experts, tokens):
    texts, keep = tokens
    expected, found = (
        model(texts.to(model.device), keep.to(model.device), expert=expert, labels=labels)
        for model in experts
        for labels in [texts.masked_fill(~keep, -100).to(model.device)]
    )
    assert found.route.tolist() == expected.route.tolist()
    assert torch.allclose(found.logits.cpu()[keep], expected.logits[keep], rtol=1e-3, atol=1e-3)
    gradients = [
        torch.autograd.grad(told.loss, [*model.model.stem.parameters()])
        for model, told in zip(experts, (expected, found), strict=True)
    ]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(other.cpu(), one, rtol=1e-2, atol=1e-4)


def test_steps_on_a_gpu_are_the_whole(experts, tokens):
    _, model = experts
    texts = tokens[0].cuda()
    with torch.no_grad():
        whole = model.model(texts).last_hidden_state
        state, parts = None, []
        for part in texts.split([model.config.prefix, 1, 40, 90 - model.config.prefix - 41], dim=1):
            states, state = model.model.step(part, state)
            parts.append(states)
    assert torch.allclose(torch.cat(parts, dim=1), whole, rtol=1e-3, atol=1e-3)


def test_beams_on_a_gpu_are_those_of_a_processor(experts, tokens):
    written = [
        model.generate(
            tokens[0][:, :20].to(model.device), max_new_tokens=12, num_beams=3, do_sample=False
        ).tolist()
        for model in experts
    ]
    assert written[0] == written[1]
