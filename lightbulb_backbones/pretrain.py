"""Pretraining from the command line: `python -m lightbulb_backbones.pretrain --data PATH`.

It leaves a run folder whose `model/` is a Hugging Face model with its tokenizer, for
`AutoModelForCausalLM.from_pretrained`, and for agents as `--backbone hf:FOLDER`. Under `torchrun`
the weights are spread over the processes.
"""

from lightbulb_backbones.runs.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
import tyro

from lightbulb_backbones.card import model_card
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.presets import preset
from lightbulb_backbones.pretraining.config import PretrainConfig, config_to_json
from lightbulb_backbones.pretraining.curve import Curve, train
from lightbulb_backbones.pretraining.language_score import LanguageScore
from lightbulb_backbones.pretraining.ranks import Ranks, find_device, leave
from lightbulb_backbones.pretraining.reading import (
    learn_tokenizer,
    open_passages,
    open_windows,
    told_of_unknown,
)
from lightbulb_backbones.pretraining.tokenizer import (
    BYTES,
    CHARACTERS,
    load_tokenizer,
    tokenizer_from_json,
)
from lightbulb_backbones.pretraining.training import NotFiniteError, Pretraining, where
from lightbulb_backbones.runs.checkpoint import has_checkpoint, write_json
from lightbulb_backbones.runs.command import ending_clearly
from lightbulb_backbones.runs.resuming import RUN, check_folder
from lightbulb_envs.whole_file import explained, write_whole

MODEL, TOKENIZER, RESULTS = "model", "tokenizer", "results.json"
MakeModel = Callable[[PretrainConfig, Any], Any]
"""Returns a causal language model with fresh weights, for a config and a tokenizer."""


def make_language_expert(config: PretrainConfig, tokenizer: Any) -> LanguageExpertForCausalLM:
    """Returns the language expert of a preset, for the tokens of a tokenizer."""
    own = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    return LanguageExpertForCausalLM(preset(config.preset, **{**own, **config.settings_of_model()}))


def run_pretraining(
    config: PretrainConfig, make_model: MakeModel = make_language_expert
) -> LanguageScore:
    """Trains, measures on all held-out text and writes the model; returns what was measured.

    Raises:
        FileExistsError: the run folder holds a run already, and `resume` is off.
        ValueError: `resume` is on, and the run was started with other flags; or the data will not
            do.
        NotFiniteError: a loss is no number any more; the last good checkpoint is as it was.
    """
    run = config.folder()
    torch.set_num_threads(config.threads)
    ranks = Ranks(find_device(config.device))
    try:
        return _run(config, run, ranks, make_model)
    finally:
        ranks.close()


def _run(config: PretrainConfig, run: Path, ranks: Ranks, make_model: MakeModel) -> LanguageScore:
    check_folder(run, config_to_json(config), _versions(), is_resumed=config.resume)
    ranks.gather(None)  # nobody writes before everybody has looked
    resumed = config.resume and has_checkpoint(run)
    tokenizer = _tokenizer(config, run, ranks)
    windows, held = open_windows(config.text, tokenizer, config.seed)
    torch.manual_seed(config.seed)  # the same weights in every process
    model = make_model(config, tokenizer)
    prefix = getattr(model.config, "prefix", 1)
    if prefix >= config.text.length:
        raise ValueError(
            f"length must be more than the {prefix} tokens by which a text is routed, got "
            f"{config.text.length}: nothing behind them would be learnt"
        )
    if len(held.tokens) <= prefix:
        raise ValueError(
            f"the validation text has {len(held.tokens):,} tokens and must have more than the "
            f"{prefix} by which a text is routed: nothing behind them could be measured; name a "
            "longer one with --validation"
        )
    if config.text.passages:
        _index_passages(config, model, tokenizer)
    if config.checkpointing:
        model.activation_checkpointing_enable()
    model.to(ranks.device)
    ranks.shard(model, getattr(model.base_model, "separable_layers", list)())
    noise = np.random.default_rng((config.seed, ranks.own))
    torch.manual_seed(int(noise.integers(2**63)))  # other noise in each
    training = Pretraining(config, model, windows, ranks)
    if resumed:
        training.restore(run)
    elif ranks.is_first:
        _write_run(run, config, tokenizer)
    if ranks.is_first:
        count = sum(parameter.numel() for parameter in model.parameters())
        print(
            f"Training {count:,} parameters on {', '.join(config.text.data)}, {config.steps:,} "
            f"steps of {config.batch * config.text.length:,} tokens, into {run}"
        )
        print(f"Validation: {held.told}, {len(held.tokens):,} tokens")
        unknown = told_of_unknown(tokenizer, windows, held)
        if unknown:
            print(unknown, file=sys.stderr)
        if config.text.passages:
            print(f"Passages:   {len(model.base_model.index):,} to be looked up")
        if resumed:
            print(f"Going on after {training.steps:,} steps")
        elif config.resume:
            print("It holds no checkpoint yet: starting at step 0")
    curve = Curve(training, held, tokenizer, run, prefix, resumed=resumed)
    try:
        train(training, curve, run)
        score = curve.measure()
    except NotFiniteError as error:
        raise NotFiniteError(f"{error}; {where(run)}") from error
    finally:
        curve.close()
    weights, _ = training.whole()
    if ranks.is_first:
        _finish(run, config, model, tokenizer, weights, score, training)
    return score


def _index_passages(config: PretrainConfig, model: Any, tokenizer: Any) -> None:
    """Gives a model that is as it begins what it may look up."""
    retriever = getattr(model.base_model, "retriever", None)
    if retriever is None:
        raise ValueError(
            "--passages are looked up by the expert 'rag', which this model has not: leave them "
            "out, or name it among --settings experts="
        )
    model.base_model.index = retriever.index(open_passages(config.text, tokenizer))
    model.base_model.describe_index()


def _tokenizer(config: PretrainConfig, run: Path, ranks: Ranks) -> Any:
    """Returns the tokenizer, which the first process learns for all."""
    text = config.text
    if config.resume and (run / TOKENIZER).is_dir():
        return load_tokenizer(run / TOKENIZER)
    if text.tokenizer not in (BYTES, CHARACTERS):
        if text.vocabulary is not None:
            raise ValueError(
                f"--vocabulary is of a tokenizer that is learnt, and {text.tokenizer} is given: "
                "leave one of them out"
            )
        return load_tokenizer(Path(text.tokenizer))
    told = None
    if ranks.is_first:
        learnt = learn_tokenizer(text, preset(config.preset).vocab_size)
        told = learnt.backend_tokenizer.to_str()
    return tokenizer_from_json(ranks.gather(told)[0])


def _write_run(run: Path, config: PretrainConfig, tokenizer: Any) -> None:
    """Writes what the run is, once nothing can be wrong with it any more."""
    with explained(run):
        run.mkdir(parents=True, exist_ok=True)
        tokenizer.save_pretrained(run / TOKENIZER)
    written = {
        "config": config_to_json(config),
        "command": ["python", "-m", "lightbulb_backbones.pretrain", *sys.argv[1:]],
        "versions": _versions(),
    }
    write_json(run / RUN, written)


def _finish(
    run: Path,
    config: PretrainConfig,
    model: Any,
    tokenizer: Any,
    weights: dict[str, torch.Tensor],
    score: LanguageScore,
    training: Pretraining,
) -> None:
    """Writes the model and what it reached."""
    folder = run / MODEL
    results = {
        "steps": training.steps,
        "tokens": training.steps * config.batch * config.text.length,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": round(training.seconds, 1),
        "threads": config.threads,
        "validation_loss": score.loss,
        "perplexity": score.perplexity,
        "bits_per_character": score.bits_per_character,
        "counted_tokens": score.tokens,
    }
    with explained(folder):
        model.save_pretrained(folder, state_dict=weights)
        tokenizer.save_pretrained(folder)
    if isinstance(model.config, LanguageExpertConfig):
        card = model_card(model.config, results, ", ".join(config.text.data))
        write_whole(folder / "README.md", [card.encode("utf-8")])
    write_json(run / RESULTS, results)
    print(
        f"\nValidation: {score.bits_per_character:.3f} bits per character, perplexity "
        f"{score.perplexity:.2f} of {score.tokens:,} tokens"
    )
    print(f"Model:  {folder}")
    print(
        f"Next:   {sys.executable} -m lightbulb_agents.train --backbone hf:{folder} --help, to let "
        "an agent read with it"
    )


def _versions() -> dict[str, str]:
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "numpy": np.__version__,
    }


def main() -> None:
    """Pretrains from the command line: exit code 1 for bad input, 130 when it is stopped."""
    with ending_clearly("The same command with --resume goes on from the last checkpoint"):
        run_pretraining(tyro.cli(PretrainConfig, prog="python -m lightbulb_backbones.pretrain"))
    leave()


if __name__ == "__main__":
    main()
