"""Presets have the parameters that their arithmetic says, and the largest a billion."""

import pytest
import torch

from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import PRESETS, active_parameters, parameters, preset


def _counted(config):
    with torch.device("meta"):
        model = LanguageExpertForCausalLM(config)
    counts = dict.fromkeys(parameters(config), 0)
    parts = {"embed": "embeddings", "retriever": "towers"}
    for name, weight in model.model.named_parameters():
        first, second = name.split(".")[:2]
        part = second if first == "experts" else parts.get(first, first)
        counts[part] += weight.numel()
    total = sum(weight.numel() for weight in model.parameters())  # tied weights once
    return counts, total


@pytest.mark.parametrize("name", PRESETS)
def test_every_part_has_what_the_arithmetic_says(name):
    config = preset(name)
    counts, total = _counted(config)
    assert counts == parameters(config)
    assert total == sum(counts.values())


@pytest.mark.parametrize("experts", [("mamba",), ("dpo", "rag"), ("dpo",)])
def test_experts_that_are_not_there_have_none(experts):
    config = preset("tiny", experts=experts, switch_layers=2, retriever_layers=3)
    counts, total = _counted(config)
    assert counts == parameters(config)
    assert total == sum(counts.values())


@pytest.mark.parametrize("name", ["tiny", "1b"])
def test_the_second_mamba_has_what_the_arithmetic_says(name):
    config = preset(name, ssm="mamba2", state_size=64)
    counts, total = _counted(config)
    assert counts == parameters(config)
    assert total == sum(counts.values())


def test_the_largest_has_a_billion_of_which_a_token_meets_less_than_half():
    config = preset("1b")
    total = sum(parameters(config).values())
    assert 0.9e9 <= total <= 1.1e9
    assert all(count < total / 2 for count in active_parameters(config).values())
    # The experts are of one active size, give or take a tenth.
    sizes = [parameters(config)[name] for name in config.experts]
    assert max(sizes) < 1.2 * min(sizes)


def test_sizes_ascend():
    sizes = [sum(parameters(preset(name)).values()) for name in PRESETS]
    assert sizes == sorted(sizes)
    assert sizes[0] < 1e6


def test_an_unknown_preset_is_refused_and_settings_win():
    with pytest.raises(ValueError, match="tiny, small, base, 1b, got 'huge'"):
        preset("huge")
    assert preset("tiny", vocab_size=99).vocab_size == 99


def test_a_setting_of_another_kind_is_told():
    assert preset("tiny", router_noise=0).router_noise == 0.0
    with pytest.raises(ValueError, match="no setting 'hiden_size': it has balance, block"):
        preset("tiny", hiden_size=8)
    with pytest.raises(ValueError, match="hidden_size must be of type int, got '8'"):
        preset("tiny", hidden_size="8")
    with pytest.raises(ValueError, match="hidden_size must be of type int, got 8.5"):
        preset("tiny", hidden_size=8.5)
