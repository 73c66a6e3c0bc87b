"""Language experts and plain transformers are compared on the same terms."""

import json
import sys
from dataclasses import replace

import pytest

from benchmarks.language import __main__ as language
from lightbulb_backbones.presets import parameters, preset
from lightbulb_backbones.pretraining.config import PretrainConfig, TextConfig


@pytest.mark.parametrize(("size", "vocabulary"), [("tiny", 68), ("tiny", 512), ("small", 8192)])
def test_the_plain_transformer_has_at_least_the_parameters_of_the_expert(size, vocabulary):
    config = PretrainConfig(text=TextConfig(data=("any",)), preset=size)
    model = language.make_equal_transformer(config, range(vocabulary))
    wanted = sum(parameters(preset(size, vocab_size=vocabulary)).values())
    assert wanted <= language.count(model) <= 1.08 * wanted
    assert model.config.prefix == preset(size).prefix


@pytest.fixture
def data(tmp_path):
    """Returns a folder of short texts by the names that the benchmark reads."""
    for text in language.TEXTS.values():
        (tmp_path / text.train).write_text("To be, or not to be. " * 60)
        (tmp_path / text.test).write_text("Not to be, or to be! " * 12)
    return tmp_path


@pytest.mark.parametrize("model", list(language.MODELS))
def test_every_model_is_trained_and_tested_on_all_of_the_other_text(data, model):
    size = "nano" if model == language.RECIPE else "tiny"
    run = language.Run("shakespeare", size, model, 0)
    config = replace(language.config_of(run, data, data / "runs", steps=2), measure_every=1)
    told = language.train(config, model)
    context = 1 if model == language.RECIPE else preset("tiny").prefix
    assert told["counted_tokens"] == 12 * 21 + 1 - context  # and an end
    assert told["active"] <= told["parameters"]
    assert [steps for steps, _ in told["curve"]] == [1, 2]


def test_the_command_trains_nothing_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(language, "RESULTS", tmp_path)
    name = "wikitext2-tiny-expert-0"
    (tmp_path / f"{name}.json").write_text(
        json.dumps({"bits_per_character": 1.5, "perplexity": 30.25})
    )
    monkeypatch.setattr(sys, "argv", ["language", "--data", "nowhere", "--only", name])
    language.main()
    assert capsys.readouterr().out == f"{name}: 1.500 bits, perplexity 30.25\n"
