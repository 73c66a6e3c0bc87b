"""Loading a language model from a local folder: safetensors and JSON, nobody's code, no network."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from lightbulb_agents.language_model import LanguageConfig, LanguageModel

_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.*", "*.model")
_FAULTS = (OSError, ValueError, TypeError, KeyError, ImportError, RuntimeError, SafetensorError)
"""What `transformers` raises for folders that it cannot read."""
_SAFE = {"local_files_only": True, "trust_remote_code": False}


def load_language_model(folder: Path, config: LanguageConfig | None = None) -> LanguageModel:
    """Returns the model of a folder that `save_pretrained` wrote, its tokenizer beside it.

    Encoder-decoders are models that write text, decoder-only ones continue it; config.json says
    which it is. Its code is that of `transformers`, whatever the folder holds.

    Raises:
        FileNotFoundError: no such folder, or one without a config, weights or a tokenizer.
        ValueError: what is in it cannot be loaded, or leaves weights of the model unset.
    """
    _check_files(folder)
    try:
        settings = AutoConfig.from_pretrained(folder, **_SAFE)
        tokenizer = AutoTokenizer.from_pretrained(folder, **_SAFE)
        kind: Any = AutoModelForSeq2SeqLM if settings.is_encoder_decoder else AutoModelForCausalLM
        model, told = kind.from_pretrained(
            folder, use_safetensors=True, dtype="auto", output_loading_info=True, **_SAFE
        )
    except _FAULTS as error:
        said = " ".join(str(error).split())
        raise ValueError(f"{folder} cannot be loaded as a language model ({said[:300]})") from error
    _check_weights(folder, told)
    return LanguageModel(model, tokenizer, config)


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is no folder: after hf: comes a local folder that `save_pretrained` of "
            "transformers wrote; nothing is downloaded"
        )
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no config.json, which says what the model is")
    if not any(folder.glob("*.safetensors")):
        raise FileNotFoundError(
            f"{folder} holds no weights in *.safetensors: other formats can run code when they are "
            "read, and are never loaded; save the model with save_pretrained"
        )
    if not any(path for pattern in _TOKENIZERS for path in folder.glob(pattern)):
        raise FileNotFoundError(
            f"{folder} holds no tokenizer: save the model's own with its save_pretrained"
        )


def _check_weights(folder: Path, told: dict[str, Any]) -> None:
    """Raises ValueError if weights are missing, which would be drawn at random in silence."""
    missing = sorted(told["missing_keys"])
    if missing:
        raise ValueError(
            f"{folder} lacks {len(missing)} weights of a model that writes text, such as "
            f"{missing[0]}: is it a model of another kind?"
        )
