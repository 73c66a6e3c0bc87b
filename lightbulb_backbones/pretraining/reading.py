"""From the texts of a config to windows to learn from, and tokens to be measured on."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lightbulb_backbones.padding import PADDING
from lightbulb_backbones.pretraining.config import TextConfig
from lightbulb_backbones.pretraining.corpus import OpenStream, Stream, Texts, open_corpus
from lightbulb_backbones.pretraining.tokenizer import (
    CHARACTERS,
    count_unknown,
    encode,
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
_TEXTS_OF_TOKENIZER = 100_000
"""Texts that a tokenizer is learnt from, at most: of bytes, and of a stream, which has no end."""
_WITHOUT_SPLIT = "[train]"
"""The split of a data set whose place names none."""


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
    texts: Iterable[str]
    if isinstance(learnt, OpenStream):
        texts = itertools.islice(learnt.once(), _TEXTS_OF_TOKENIZER)
    elif config.tokenizer == CHARACTERS:
        texts = learnt
    else:
        texts = itertools.islice(learnt, _TEXTS_OF_TOKENIZER)
    return train_tokenizer(config.tokenizer, texts, size)


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


def told_of_unknown(tokenizer: Any, windows: Windows, held: Held) -> str:
    """Returns how many tokens are unknown, in words, or "" where none are.

    Of a stream only what is held out is counted.
    """
    kinds = {"held-out": held.tokens}
    if isinstance(windows, ShuffledWindows):
        kinds["learnt"] = windows.tokens
    found = [
        f"{count:,} of {len(tokens):,} {kind} tokens"
        for kind, tokens in kinds.items()
        if (count := count_unknown(tokenizer, tokens))
    ]
    if not found:
        return ""
    return (
        f"Unknown to the tokenizer: {' and '.join(found)}; each counts as one token whatever it "
        "stands for, which flatters bits per character"
    )


def open_passages(config: TextConfig, tokenizer: Any) -> Tensor:
    """Returns the tokens of the passages that may be looked up, (P, M), padded with 0.

    Raises:
        ValueError: there are none, they are a stream, or stand in what is learnt from or held out;
            or the tokenizer's token 0 is no padding.
    """
    if tokenizer.pad_token_id != PADDING:
        raise ValueError(
            f"passages are padded with token {PADDING}, and in this tokenizer that is "
            f"{tokenizer.convert_ids_to_tokens(PADDING)!r}: give one whose padding it is"
        )
    corpus = open_corpus(config.passages, config.field)
    if isinstance(corpus, Stream):
        raise ValueError(
            f"{corpus.place} is streamed, and passages are held in memory: name files or folders"
        )
    for places in (config.data, config.validation):
        both = _in_both(corpus, open_corpus(places, config.field)) if places else set()
        if both:
            raise ValueError(
                f"{min(both)} would be looked up while it is read itself: leave it out of "
                "--passages, or out of --data and --validation"
            )
    length = config.passage_length
    rows: list[Tensor] = []
    for text in corpus:
        tokens, _ = encode(tokenizer, text)
        own = torch.from_numpy(tokens[:-1].astype(np.int64))  # without its end
        rows += own.split(length) if len(own) else []
    if not rows:
        raise ValueError(f"{', '.join(config.passages)} hold no passage: name texts")
    return nn.utils.rnn.pad_sequence([*rows, torch.zeros(length, dtype=torch.long)], True)[:-1]


def _in_both(one: Texts | Stream, other: Texts | Stream) -> set[str]:
    """Returns the files, or the data set, that are in both."""
    return _places(one) & _places(other)


def _places(corpus: Texts | Stream) -> set[str]:
    if isinstance(corpus, Stream):
        return {corpus.place.removesuffix(_WITHOUT_SPLIT)}
    return {str(file.resolve()) for file in corpus.files}


def _divided(config: TextConfig) -> tuple[OpenStream | Iterator[str], list[str], str]:
    """Returns what is learnt from, what is held out, and what that is in words.

    Raises:
        ValueError: a text that is given to be held out would be learnt from.
    """
    corpus = open_corpus(config.data, config.field)
    if config.validation:
        given = open_corpus(config.validation, config.field)
        both = _in_both(corpus, given)
        if both:
            raise ValueError(
                f"{min(both)} would be learnt from and measured on: leave it out of --data "
                "(move it out of a folder that is named there), or out of --validation"
            )
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
