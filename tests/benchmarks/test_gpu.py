"""What is told of a GPU counts what is computed."""

import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu.model import operations, peak_of, shares
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset


@pytest.mark.parametrize("expert", ["rag", "dpo", "mamba"])
def test_operations_of_weights_are_those_that_torch_counts(expert):
    length = 16
    config = preset("tiny", vocab_size=300)
    model = LanguageExpertForCausalLM(config).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.randint(3, 300, (4, length)), expert=expert)
    counted = counter.get_flop_counts()["Global"]
    products = sum(counted[one] for one in counted if "mm" in str(one))
    told = operations(config, expert, length) * 4 * length
    assert 0.95 < products / told < 1.05


def test_operations_of_attention_are_of_what_is_seen():
    config = preset("tiny", block=4, local=1, stride=0, sink=0, stem_layers=1)
    more = preset("tiny", block=4, local=1, stride=0, sink=0, stem_layers=2)
    layer = operations(more, "mamba", 8) - operations(config, "mamba", 8)
    width, inner = config.hidden_size, config.intermediate_size
    weights = 4 * width**2 + 3 * width * inner + 2 * width
    # Of eight tokens in two blocks of four, each sees itself and those before it in its block.
    assert layer == 2 * weights + 4 * width * (1 + 2 + 3 + 4) / 4


def test_shares_are_of_all_experts():
    routes = torch.tensor([2, 0, 2, 2])
    assert shares(("rag", "dpo", "mamba"), routes) == {"rag": 0.25, "dpo": 0.0, "mamba": 0.75}


def test_an_unknown_gpu_is_told():
    assert peak_of("NVIDIA H100 80GB HBM3") == 989.4
    with pytest.raises(ValueError, match="of 'Abacus' is not known, only of H100"):
        peak_of("Abacus")


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees a GPU here")
def test_without_a_gpu_nothing_is_measured(tmp_path, monkeypatch):
    path = tmp_path / "gpu.json"
    monkeypatch.setattr(sys, "argv", ["gpu", "--results", str(path)])
    with pytest.raises(SystemExit, match="sees no GPU here"):
        gpu.main()
    assert not path.exists()
