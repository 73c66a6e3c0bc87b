"""What is told of a GPU counts what is computed."""

import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu.model import operations, peak_of, shares
from benchmarks.gpu.parts import ways_that_are_there
from benchmarks.gpu.report import model_cells
from benchmarks.markdown import load
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset


@pytest.mark.parametrize("expert", ["rag", "dpo", "mamba"])
def test_operations_of_weights_are_those_that_torch_counts(expert):
    length = 64
    config = preset("tiny", vocab_size=300, prefix=1)
    model = LanguageExpertForCausalLM(config).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.randint(3, 300, (4, length)), expert=expert)
    counted = counter.get_flop_counts()["Global"]
    products = sum(counted[one] for one in counted if "mm" in str(one)) / (4 * length)
    layers = {"rag": config.rag_layers, "dpo": config.dpo_layers, "mamba": 0}[expert]
    layers += config.stem_layers + config.decoder_layers
    width = config.hidden_size
    of_attention = 4 * width * layers * (length + 1) / 2  # a block is all there is
    single = (2 * layers + 1) * width  # numbers that are no matrix: of norms, and Mamba's own
    if expert == "mamba":  # whose scan makes a product of as many as there are decay rates
        single += config.mamba_layers * width * 15
    told = operations(config, expert, length) - of_attention - 2 * single
    assert products == pytest.approx(told, rel=2e-3)


def test_operations_of_attention_are_of_what_is_seen():
    config = preset("tiny", block=4, local=1, stride=0, sink=0, stem_layers=1)
    more = preset("tiny", block=4, local=1, stride=0, sink=0, stem_layers=2)
    layer = operations(more, "mamba", 8) - operations(config, "mamba", 8)
    width, inner = config.hidden_size, config.intermediate_size
    weights = 4 * width**2 + 3 * width * inner + 2 * width
    # Of eight tokens in two blocks of four, each sees itself and those before it in its block.
    assert layer == 2 * weights + 4 * width * (1 + 2 + 3 + 4) / 4


def test_shares_are_of_all_experts():
    routes = torch.tensor([1, 0, 1, 1])
    assert shares(("rag", "dpo", "mamba"), routes) == {"rag": 0.25, "dpo": 0.75, "mamba": 0.0}


def test_an_unknown_gpu_is_told():
    assert peak_of("NVIDIA H100 80GB HBM3") == 989.4
    for other in ("Abacus", "NVIDIA H100 PCIe", "NVIDIA H200 NVL"):
        with pytest.raises(ValueError, match=f"of '{other}' is not known, only of H100"):
            peak_of(other)


def test_a_way_without_its_package_is_left_out_and_told(capsys):
    packages = {"kernel": "no_such_package", "autograd": "torch"}
    assert ways_that_are_there(packages) == ["autograd"]
    assert capsys.readouterr().out == "kernel is left out: no_such_package is not installed\n"


def test_what_is_out_of_memory_has_a_row():
    assert model_cells({"is_out_of_memory": True})[1] == "out of memory"
    told = load("gpu")["model"]["costs"]["mamba"]["forward"]
    assert len(model_cells({"is_out_of_memory": True})) == len(model_cells(told))


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees a GPU here")
def test_without_a_gpu_nothing_is_measured(tmp_path, monkeypatch):
    path = tmp_path / "gpu.json"
    monkeypatch.setattr(sys, "argv", ["gpu", "--results", str(path)])
    with pytest.raises(SystemExit, match="sees no GPU here"):
        gpu.main()
    assert not path.exists()
