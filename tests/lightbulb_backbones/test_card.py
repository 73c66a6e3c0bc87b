"""The card says what the model is."""

from transformers import AutoModelForCausalLM

from lightbulb_backbones.card import model_card, presets_card
from lightbulb_backbones.presets import PRESETS, preset
from lightbulb_backbones.pretrain import run_pretraining


def test_every_preset_has_a_column_and_every_number_of_its_own_a_row():
    card = presets_card()
    assert f"| millions of parameters | {' | '.join(PRESETS)} |" in card
    for own in PRESETS.values():
        for number, value in own.items():
            (row,) = [line for line in card.splitlines() if line.startswith(f"| `{number}` |")]
            assert str(value) in row


def test_a_card_leaves_out_the_experts_that_are_not_there():
    results = {"steps": 1, "tokens": 2, "bits_per_character": 3.0, "perplexity": 8.0}
    card = model_card(
        preset("tiny", experts=("mamba",)), {**results, "counted_tokens": 9}, "text.txt"
    )
    assert "`mamba`" in card
    assert "towers" not in card
    assert "On text.txt: 1 steps, 2 tokens." in card


def test_the_use_that_the_card_tells_works(tmp_path):
    from lightbulb_backbones.pretraining.config import PretrainConfig, TextConfig

    text = tmp_path / "text.txt"
    text.write_text("The bridge is open. " * 100)
    told = TextConfig(data=(str(text),), tokenizer="characters", length=24)
    config = PretrainConfig(text=told, steps=1, batch=2, run_folder=tmp_path / "run")
    run_pretraining(config)
    folder = tmp_path / "run" / "model"
    card = (folder / "README.md").read_text(encoding="utf-8")
    code = card.partition("```python\n")[2].partition("```")[0]
    names = {"folder": folder}
    exec(compile(code, "README.md", "exec"), names)
    assert isinstance(names["model"], type(AutoModelForCausalLM.from_pretrained(folder)))
