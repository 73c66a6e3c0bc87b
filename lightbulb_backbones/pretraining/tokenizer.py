"""Tokenizers of language models: trained from texts, or read from a folder.

Number 0 is padding and number 1 the end of a text, in those that are trained here. Bytes leave no
text unknown, and characters none that they were learnt from. Of a stream that is its beginning: a
character that comes later is one unknown token, as one is that stands in held-out text alone.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PADDING, END, UNKNOWN = "[pad]", "[end]", "[unknown]"
BYTES, CHARACTERS = "bytes", "characters"
_LEAST = 2 + 256
"""Tokens of byte-level pieces before any are joined."""
_EACH_CHARACTER = r"[\s\S]"


def train_tokenizer(kind: str, texts: Iterable[str], size: int) -> Any:
    """Returns a `transformers` tokenizer of the pieces that texts are made of.

    Args:
        kind: "bytes" for byte-level byte-pair encoding (Sennrich et al. 2016), or "characters".
        size: tokens of the former, at most; there are as many of the latter as characters.

    Raises:
        ValueError: there is no such kind, or no room for single bytes.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    if kind == CHARACTERS:
        known = sorted({character for text in texts for character in text})
        vocabulary = {piece: number for number, piece in enumerate((PADDING, END, UNKNOWN, *known))}
        tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_EACH_CHARACTER), "isolated")
        tokenizer.decoder = decoders.Fuse()
        return _wrapped(tokenizer)
    if kind != BYTES:
        raise ValueError(f'a tokenizer of "{BYTES}" or "{CHARACTERS}" is trained, got {kind!r}')
    if size < _LEAST:
        raise ValueError(
            f"vocabulary must be {_LEAST} or more, got {size}: there are 256 bytes, padding and an "
            "end"
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[PADDING, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _wrapped(tokenizer)


def tokenizer_from_json(told: str) -> Any:
    """Returns a tokenizer that was trained here, from what `backend_tokenizer.to_str` tells."""
    from tokenizers import Tokenizer

    return _wrapped(Tokenizer.from_str(told))


def load_tokenizer(folder: Path) -> Any:
    """Returns the tokenizer of a folder, such as that of a model or of a finished run.

    Raises:
        ValueError: there is none, it has no end of a text, or it tells no offsets.
    """
    from transformers import AutoTokenizer

    if not folder.is_dir():
        raise ValueError(
            f'tokenizer must be "{BYTES}", "{CHARACTERS}" or a folder that holds one, and '
            f"{folder} is no folder"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{folder} holds no tokenizer that transformers can read: {error}"
        ) from error
    if tokenizer.eos_token_id is None:
        raise ValueError(
            f"the tokenizer in {folder} has no eos_token, which stands between texts: set one and "
            "save it again"
        )
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError(
            f"the tokenizer in {folder}, a {type(tokenizer).__name__}, tells no offsets, by which "
            "characters are counted: give one that is written in tokenizer.json, or learn one with "
            f"--tokenizer {BYTES}"
        )
    return tokenizer


def encode(tokenizer: Any, text: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Returns a text's tokens and its end, (T,), and how many characters each stands for, (T,).

    The name of a control token in a text, such as "[end]", is text. Only where a given tokenizer's
    model has that name among its own pieces, as unigram models do, is it found there all the same.
    """
    told = tokenizer(
        text,
        add_special_tokens=False,
        return_offsets_mapping=True,
        split_special_tokens=True,
        verbose=False,
    )
    tokens = np.array([*told["input_ids"], tokenizer.eos_token_id], dtype=np.int32)
    ends = [0, *(end for _, end in told["offset_mapping"])]
    # A character that is several tokens is counted with the first of them.
    return tokens, np.append(np.diff(ends), 0).astype(np.int32)


def count_unknown(tokenizer: Any, tokens: NDArray[np.int32]) -> int:
    """Returns how many of the tokens stand for what the tokenizer does not know."""
    unknown = tokenizer.unk_token_id
    if unknown is None or unknown == tokenizer.eos_token_id:
        return 0
    return int((tokens == unknown).sum())


def _wrapped(tokenizer: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    has_unknown = tokenizer.token_to_id(UNKNOWN) is not None

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PADDING,
        eos_token=END,
        clean_up_tokenization_spaces=False,
        unk_token=UNKNOWN if has_unknown else None,
    )
