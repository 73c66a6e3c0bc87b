"""From the texts of a config to windows to learn from, and tokens to be measured on."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_backbones.pretraining.config import TextConfig
from lightbulb_backbones.pretraining.corpus import Stream, Texts, open_corpus
from lightbulb_backbones.pretraining.tokenizer import (
    BYTES,
    CHARACTERS,
    load_tokenizer,
    train_tokenizer,
)
from lightbulb_backbones.pretraining.windows import (
    ShuffledWindows,
    StreamedWindows,
    Windows,
    encode_all,
)

_HELD_OUT = 0.05
_TEXTS_HELD_OUT = 200
_TEXTS_OF_TOKENIZER = 2000
"""Texts of a stream that a tokenizer is learnt from."""


@dataclass(frozen=True)
class Held:
    """Tokens that are not learnt from."""

    tokens: NDArray[np.int32]  # (N,)
    characters: NDArray[np.int32]  # (N,), how many each stands for
    told: str
    """What they are."""


def find_tokenizer(config: TextConfig, vocabulary: int) -> Any:
    """Returns the tokenizer of a config, learnt or read.

    Args:
        vocabulary: tokens that are learnt of bytes, at most, where the config does not say.
    """
    if config.tokenizer not in (BYTES, CHARACTERS):
        if config.vocabulary is not None:
            raise ValueError(
                f"--vocabulary is of a tokenizer that is learnt, and {config.tokenizer} is given: "
                "leave one of them out"
            )
        return load_tokenizer(Path(config.tokenizer))
    size = config.vocabulary if config.vocabulary is not None else vocabulary
    return train_tokenizer(config.tokenizer, _texts_of_tokenizer(config), size)


def open_windows(config: TextConfig, tokenizer: Any, seed: int) -> tuple[Windows, Held]:
    """Returns what is learnt from, and what is held out.

    Raises:
        ValueError: there is too little of either.
    """
    corpus = open_corpus(config.data, config.field)
    held = None
    if config.validation:
        held = Held(*_encoded(open_corpus(config.validation, config.field), tokenizer), "given")
    if isinstance(corpus, Stream):
        opened = corpus.open()
        if held is None:
            texts = itertools.islice(opened, _TEXTS_HELD_OUT)
            held = Held(*encode_all(tokenizer, texts), f"the first {_TEXTS_HELD_OUT} texts")
        windows: Windows = StreamedWindows(corpus, tokenizer, config.length, opened)
        return windows, held
    tokens, characters = _encoded(corpus, tokenizer)
    if held is None:
        cut = int(len(tokens) * (1 - _HELD_OUT))
        held = Held(tokens[cut:], characters[cut:], "the last twentieth of the data")
        tokens = tokens[:cut]
    return ShuffledWindows(tokens, config.length, seed), held


def _encoded(corpus: Texts | Stream, tokenizer: Any) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    texts: Iterator[str] = iter(corpus) if isinstance(corpus, Texts) else _first(corpus)
    tokens, characters = encode_all(tokenizer, texts)
    return tokens, characters


def _first(stream: Stream) -> Iterator[str]:
    """Returns the texts of a stream that is measured on."""
    return itertools.islice(stream.open(), _TEXTS_HELD_OUT)


def _texts_of_tokenizer(config: TextConfig) -> Iterator[str]:
    corpus = open_corpus(config.data, config.field)
    if isinstance(corpus, Stream):
        return itertools.islice(corpus.open(), _TEXTS_OF_TOKENIZER)
    return iter(corpus)
