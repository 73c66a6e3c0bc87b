"""From the texts of a config to windows to learn from, and tokens to be measured on."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_backbones.pretraining.config import TextConfig
from lightbulb_backbones.pretraining.corpus import OpenStream, Stream, open_corpus
from lightbulb_backbones.pretraining.tokenizer import train_tokenizer
from lightbulb_backbones.pretraining.windows import (
    ShuffledWindows,
    StreamedWindows,
    Windows,
    encode_all,
)

_HELD_OUT = 0.05
_TEXTS_HELD_OUT = 200
_TEXTS_OF_TOKENIZER = 100_000
"""Texts that a tokenizer is learnt from, at most; a stream has no end."""


@dataclass(frozen=True)
class Held:
    """Tokens that are not learnt from."""

    tokens: NDArray[np.int32]  # (N,)
    characters: NDArray[np.int32]  # (N,), how many each stands for
    told: str
    """What they are."""


def learn_tokenizer(config: TextConfig, vocabulary: int) -> Any:
    """Returns a tokenizer that is learnt from what the model will learn from.

    Args:
        vocabulary: tokens that are learnt of bytes, at most, where the config does not say.
    """
    size = config.vocabulary if config.vocabulary is not None else vocabulary
    learnt, _, _ = _divided(config)
    texts = learnt.once() if isinstance(learnt, OpenStream) else learnt
    return train_tokenizer(config.tokenizer, itertools.islice(texts, _TEXTS_OF_TOKENIZER), size)


def open_windows(config: TextConfig, tokenizer: Any, seed: int) -> tuple[Windows, Held]:
    """Returns what is learnt from, and what is held out.

    Raises:
        ValueError: there is too little to learn from.
    """
    learnt, texts, told = _divided(config)
    held = Held(*encode_all(tokenizer, texts), told)
    if isinstance(learnt, OpenStream):
        return StreamedWindows(learnt, tokenizer, config.length), held
    tokens, _ = encode_all(tokenizer, learnt)
    return ShuffledWindows(tokens, config.length, seed), held


def _divided(config: TextConfig) -> tuple[OpenStream | Iterator[str], list[str], str]:
    """Returns what is learnt from, what is held out, and what that is in words."""
    corpus = open_corpus(config.data, config.field)
    if config.validation:
        given = open_corpus(config.validation, config.field)
        held = given.first(_TEXTS_HELD_OUT) if isinstance(given, Stream) else list(given)
        return corpus.open() if isinstance(corpus, Stream) else iter(corpus), held, "given"
    if isinstance(corpus, Stream):
        held = corpus.first(_TEXTS_HELD_OUT)
        behind = replace(corpus, skip=_TEXTS_HELD_OUT)
        return behind.open(), held, f"the first {_TEXTS_HELD_OUT} rows"
    own, held = hold_out(corpus)
    return iter(own), held, "the last twentieth of the data"


def hold_out(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Returns texts without their last twentieth, by characters, and that; one may be cut."""
    kept = list(texts)
    left = round(sum(map(len, kept)) * _HELD_OUT)
    held: list[str] = []
    while left and kept:
        text = kept.pop()
        if len(text) > left:
            kept.append(text[:-left])
            text = text[-left:]
        held.insert(0, text)
        left -= len(text)
    return kept, held
