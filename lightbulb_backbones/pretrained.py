"""Models with weights as backbones: those of the transformers library, and those of ours.

Observations keep 0 for padding. A model whose own token 0 is something else is told every token
one less than it is observed: `shift` is 1 then. Its tokenizer says what token 0 is; of a bag and of
our transformer it is padding whatever that says, for they learn tokens as they are observed.
"""

import json
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.modeling_outputs import BaseModelOutput

from lightbulb_backbones.bag import BagConfig, BagOfEmbeddings
from lightbulb_backbones.carried import State
from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.language_model import LanguageExpertModel
from lightbulb_backbones.mamba import Mamba
from lightbulb_backbones.mamba2 import Mamba2
from lightbulb_backbones.mamba_ssm_config import RENAMED, mamba_ssm_config
from lightbulb_backbones.table import PRETRAINED, BackboneConfig
from lightbulb_backbones.transformer import TransformerConfig, TransformerEncoder

_TOKENIZER = "tokenizer.json"
_PADDINGS = ("[pad]", "[PAD]", "<pad>")
"""Names of padding, which is not shifted where it is token 0."""
_POOLER = "pooler."
_POSITIONS = "position_embeddings"
_AT_COMMIT = re.compile(r"^(?P<name>[\w.-]+(?:/[\w.-]+)?)@(?P<commit>[0-9a-f]{40})$")
_PADDED_BY_0: dict[str, Any] = {
    BagConfig.model_type: BagOfEmbeddings,
    TransformerConfig.model_type: TransformerEncoder,
}
"""Kinds of models whose token 0 is padding, and their classes."""
_OURS: dict[str, Any] = {
    **_PADDED_BY_0,
    "mamba": Mamba,  # the same weights and numbers, and a gradient that is linear in the length
    "mamba2": Mamba2,
    LanguageExpertConfig.model_type: LanguageExpertModel,
}
"""Kinds of models → what reads them here, where that is not what transformers has."""


def model_folder(name: str) -> Path:
    """Returns the folder of a model by its name, "hf:FOLDER" or "hf:NAME@COMMIT".

    Raises:
        ValueError: there is none.
    """
    place = name.removeprefix(PRETRAINED)
    folder = Path(place)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ValueError(
                f"{folder} holds no model: config.json is missing; name a folder that "
                "save_pretrained or python -m lightbulb_backbones.pretrain wrote, such as "
                "runs/.../model"
            )
        return folder
    match = _AT_COMMIT.match(place)
    if match is None:
        raise ValueError(
            f"{place} is no folder: name one that holds a model, or one of the hub as NAME@COMMIT "
            "with all 40 digits of the commit"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(match["name"], revision=match["commit"]))
    except Exception as error:  # the library raises all kinds
        raise ValueError(f"{place} cannot be downloaded: {error}") from error


def tokenizer_file(name: str) -> Path:
    """Returns the file of the tokenizers library that tells text in a model's tokens.

    Raises:
        ValueError: the model comes without one.
    """
    folder = model_folder(name)
    if not (folder / _TOKENIZER).is_file():
        raise ValueError(
            f"{folder} holds no {_TOKENIZER}, by which text is told in the model's tokens: save "
            "its tokenizer there"
        )
    return folder / _TOKENIZER


def shift_of(file: Path) -> int:
    """Returns 0 where a tokenizer's token 0 is padding, and 1 where it is not."""
    from tokenizers import Tokenizer

    return 0 if Tokenizer.from_file(str(file)).id_to_token(0) in _PADDINGS else 1


class PretrainedBackbone(nn.Module):
    """A model, and how its tokens are observed.

    Args:
        model: whose outputs have `last_hidden_state`.
        shift: what an observed token is more than the model's own.
    """

    def __init__(self, model: Any, shift: int = 0):
        super().__init__()
        self.model = model
        self.config = model.config
        self.shift = shift
        self._longest = _longest(model)

    @staticmethod
    def make(vocabulary_size: int, config: BackboneConfig) -> "PretrainedBackbone":
        """Returns the backbone of a config.

        Raises:
            ValueError: there is no such model, or it does not know so many tokens.
        """
        if config.architecture is not None:
            told = json.loads(config.architecture)
            architecture = AutoConfig.for_model(told.pop("model_type"), **told)
            made = _OURS.get(architecture.model_type)
            model = made(architecture) if made else AutoModel.from_config(architecture)
            shift = config.shift
        else:
            model, shift = _load(model_folder(config.name)), shift_of(tokenizer_file(config.name))
            if model.config.model_type in _PADDED_BY_0:
                shift = 0
        model = _reader(model)
        known = model.config.vocab_size + shift
        if vocabulary_size > known:
            raise ValueError(
                f"{config.name} knows {known:,} tokens, and documents are told in "
                f"{vocabulary_size:,}: tell them in its own, with tokenizer={_TOKENIZER} of its "
                "folder"
            )
        return PretrainedBackbone(model, shift)

    def described(self, config: BackboneConfig) -> BackboneConfig:
        """Returns a config that makes this without its folder, to be filled with its weights."""
        told = json.dumps(self.model.config.to_dict(), sort_keys=True)
        return replace(config, architecture=told, shift=self.shift)

    def forward(
        self,
        input_ids: Int[Tensor, "B T"],
        attention_mask: Bool[Tensor, "B T"] | None = None,
        prefix: Int[Tensor, " B"] | None = None,
    ) -> BaseModelOutput:
        """Returns the tokens' states as `last_hidden_state` (B, T, D).

        Args:
            prefix: by how many tokens a language expert routes each text, where not by its own.

        Raises:
            ValueError: the texts are longer than the model reads.
        """
        tokens, keep = self._told(input_ids, attention_mask)
        routed = {} if prefix is None else {"prefix": prefix}
        states = self.model(input_ids=tokens, attention_mask=keep, **routed).last_hidden_state
        return BaseModelOutput(last_hidden_state=states)

    def step(
        self,
        input_ids: Int[Tensor, "B T"],
        state: State | None = None,
        attention_mask: Bool[Tensor, "B T"] | None = None,
    ) -> tuple[Tensor, State]:
        """Returns the states of the next tokens of texts, as of `table`, for models that have it.

        Raises:
            NotImplementedError: the model has none.
        """
        if not hasattr(self.model, "step"):
            raise NotImplementedError(
                f"{type(self.model).__name__} has no step form: read whole texts"
            )
        tokens, keep = self._told(input_ids, attention_mask)
        told: tuple[Tensor, State] = self.model.step(tokens, state, keep)
        return told

    def _told(self, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Returns the model's own tokens, and which of them it sees."""
        if self._longest is not None and input_ids.shape[1] > self._longest:
            raise ValueError(
                f"the model reads {self._longest} tokens at a time, and a text has "
                f"{input_ids.shape[1]}: lower max_tokens"
            )
        keep = input_ids != 0 if attention_mask is None else attention_mask.bool()
        return (input_ids - self.shift).clamp(min=0), keep


def _load(folder: Path) -> Any:
    """Returns the model of a folder.

    Raises:
        ValueError: it cannot be read, or lacks weights that states depend on, or its weights have
            other sizes than its config says.
    """
    try:
        foreign = mamba_ssm_config(folder)
        told = foreign or AutoConfig.from_pretrained(folder, local_files_only=True)
        made = _OURS.get(told.model_type, AutoModel)
        model, found = made.from_pretrained(
            folder,
            config=told,
            key_mapping=RENAMED if foreign else None,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told below, by their names
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:300]
        raise ValueError(f"{folder} holds no model that can be read here: {said}") from error
    if found["mismatched_keys"]:
        name, there, told = min(found["mismatched_keys"])
        raise ValueError(
            f"{folder} has another size of {name}, {tuple(there)}, than its config.json says, "
            f"{tuple(told)}: save model and config together"
        )
    lacking = _lacking(model, found["missing_keys"])
    if lacking:
        raise ValueError(
            f"{folder} lacks weights of the model, {len(lacking):,} in all and {lacking[0]} first: "
            "save the whole model there"
        )
    return model


def _reader(model: Any) -> Any:
    """Returns what of a model turns tokens into states."""
    return model.get_encoder() if getattr(model.config, "is_encoder_decoder", False) else model


def _lacking(model: Any, missing: Collection[str]) -> list[str]:
    """Returns the names of the missing weights that states depend on.

    A pooler reads states, and a weight with several names is there by any of them.
    """
    if not missing:
        return []
    weights = model.state_dict(keep_vars=True)
    there = {id(weight) for name, weight in weights.items() if name not in missing}
    own = _reader(model).state_dict(keep_vars=True)
    needed = {id(weight) for name, weight in own.items() if not name.startswith(_POOLER)} - there
    computed = _computed(model)
    lacking = (name for name, weight in weights.items() if id(weight) in needed)
    return [name for name in lacking if name not in computed]


def _computed(model: Any) -> set[str]:
    """Returns the names of the parameters that a model makes and never learns, as sinusoids are."""
    with torch.device("meta"):
        fresh = type(model)(model.config)
    return {name for name, weight in fresh.named_parameters() if not weight.requires_grad}


def _longest(model: Any) -> int | None:
    """Returns how many tokens a model reads at a time, None where it reads any number."""
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is None:
        return None
    for name, module in model.named_modules():
        if name.endswith(_POSITIONS) and getattr(module, "padding_idx", None) is not None:
            # Of models like RoBERTa: padding has a position, and the first token the next.
            return int(positions - module.padding_idx - 1)
    return int(positions)
