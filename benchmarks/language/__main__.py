"""What language experts learn of real text beside plain transformers of equal parameters and steps.

    python -m benchmarks.language --data FOLDER [--only RUN ...] [--runs FOLDER]

reads `shakespeare_train.txt` and `shakespeare_valid.txt`, told in characters, `wiki.valid.tokens`
and `wiki.test.raw` (parts of WikiText-2, of which the first is learnt from here), told in pieces of
bytes, from FOLDER, and trains `RUNS` on the first of each pair. Tested on all of the second, every
run leaves a file in `benchmarks/results/language`, and is not repeated if that is there; one that
was interrupted goes on.

All is as in nanoGPT's recipe for a processor (github.com/karpathy/nanoGPT): 2,000 steps of 12
windows of 64 tokens, AdamW with a step size of 1e-3 that falls to 1e-4, no dropout. The run
`nanogpt` is that recipe's own model, for which it tells a loss of 1.88 nats a character.
"""

import argparse
import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.language.runs import (
    BATCH,
    EXPERT,
    LENGTH,
    RECIPE,
    RESULTS,
    RUNS,
    STEPS,
    TEXTS,
    TRANSFORMER,
    Run,
)
from benchmarks.learning import kept, machine
from lightbulb_backbones.presets import active_parameters, parameters, preset
from lightbulb_backbones.pretrain import MakeModel, make_language_expert, run_pretraining
from lightbulb_backbones.pretraining.config import PretrainConfig, TextConfig
from lightbulb_backbones.runs.resuming import RUN as WRITTEN


def plain_transformer(vocabulary: int, layers: int, heads: int, width: int) -> GPT2LMHeadModel:
    """Returns a GPT-2 without dropout."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_positions=LENGTH,
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


def count(model: torch.nn.Module) -> int:
    """Returns how many parameters a model has."""
    return sum(parameter.numel() for parameter in model.parameters())


def make_equal_transformer(config: PretrainConfig, tokenizer: Any) -> GPT2LMHeadModel:
    """Returns the narrowest transformer that has no fewer parameters than a preset has in all.

    It has as many layers as a text passes in the expert, and as many heads. Tokens are told from
    as many before them, at least, as the expert routes by, so that both are tested on the same.
    """
    size = preset(config.preset, vocab_size=len(tokenizer))
    wanted, width = sum(parameters(size).values()), size.num_attention_heads
    layers = size.stem_layers + size.dpo_layers + size.decoder_layers
    make = partial(plain_transformer, len(tokenizer), layers, size.num_attention_heads)
    with torch.device("meta"):
        while count(make(width)) < wanted:
            width += size.num_attention_heads
    model = make(width)
    model.config.prefix = size.prefix
    return model


def make_recipe(config: PretrainConfig, tokenizer: Any) -> GPT2LMHeadModel:
    """Returns the transformer of nanoGPT's recipe for a processor."""
    return plain_transformer(len(tokenizer), layers=4, heads=4, width=128)


MODELS: dict[str, MakeModel] = {
    EXPERT: make_language_expert,
    TRANSFORMER: make_equal_transformer,
    RECIPE: make_recipe,
}


def config_of(run: Run, data: Path, folder: Path, steps: int = STEPS) -> PretrainConfig:
    """Returns what a run is, to be begun or gone on with."""
    text = TEXTS[run.text]
    return PretrainConfig(
        text=TextConfig(
            data=(str(data / text.train),),
            validation=(str(data / text.test),),
            tokenizer=text.tokenizer,
            length=LENGTH,
        ),
        preset="tiny" if run.model == RECIPE else run.size,
        steps=steps,
        batch=BATCH,
        seed=run.seed,
        prompt=text.prompt,
        run_folder=folder / run.name,
        resume=(folder / run.name / WRITTEN).is_file(),
    )


def train(config: PretrainConfig, model: str) -> dict[str, Any]:
    """Trains what a config says and returns what it measured."""
    made: list[torch.nn.Module] = []

    def make(config: PretrainConfig, tokenizer: Any) -> Any:
        made.append(MODELS[model](config, tokenizer))
        return made[0]

    run_pretraining(config, make)
    folder = config.folder()
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found["curve"] = [[int(one["steps"]), float(one["bits_per_character"])] for one in rows]
    found["active"] = found["parameters"]
    if model == EXPERT:
        own: Any = made[0]
        found["active"] = max(active_parameters(own.config).values())
    found["machine"] = machine()
    return found


def main() -> None:
    """Trains what is not there yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.language")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=list(RUNS), metavar="RUN")
    parser.add_argument("--runs", type=Path, default=Path("runs/language"))
    given = parser.parse_args()
    for name in given.only or RUNS:
        run = RUNS[name]
        config = config_of(run, given.data, given.runs)
        told = kept(RESULTS / f"{name}.json", partial(train, config, run.model))
        print(f"{name}: {told['bits_per_character']:.3f} bits, perplexity {told['perplexity']:.2f}")


if __name__ == "__main__":
    main()
