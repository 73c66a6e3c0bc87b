"""What a source of documents offers, its settings, and the table of sources by prefix."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr as shorten
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import Document, DocumentBatch
from lightbulb_envs.keywords import keyword
from lightbulb_envs.sources.rows import Form, Summarised
from lightbulb_envs.sources.signatures import Propositions, Signatures
from lightbulb_envs.splits import SPLITS, check_split

SOURCES: dict[str, str] = {
    "newsroom": "lightbulb_envs.sources.newsroom.source:open_newsroom",
    "reviews": "lightbulb_envs.sources.reviews.opening:open_reviews",
    "jsonl": "lightbulb_envs.sources.jsonl:open_jsonl",
    "hub": "lightbulb_envs.sources.hub:open_hub",
    "planted": "lightbulb_envs.sources.planted:open_planted",
}
"""Prefix of a source → the function that opens it, given a config and `Places`."""
MOST = 1 << 16
"""Sentences of an observation, and tokens of a sentence, at most: its arrays must fit in memory."""


class Vocabulary(Protocol):
    """The numbers of tokens in observations. 0 is padding."""

    size: int
    digest: str

    def decode(self, pieces: Sequence[int]) -> str:
        """Returns the text of piece numbers."""


class Source(Protocol):
    """A supply of documents, numbered by instance."""

    num_documents: int | None
    """How many documents there are, None for no end of them."""
    has_facts: bool
    digest: str
    """Which documents these are, wherever they came from; another vocabulary changes nothing."""
    max_sentences: int
    max_tokens: int
    vocabulary: Any

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        """Returns documents as arrays."""

    def document(self, instance: int) -> Document:
        """Returns one document as text."""

    def stem_text(self, word: int) -> str:
        """Returns the Porter stem of a word's number."""

    def word_text(self, word: int) -> str:
        """Returns the lower-case text of a word's number."""

    def word_number(self, text: str) -> int | None:
        """Returns the number of a lower-case word that no name is, None if no document has it."""

    def signatures(self) -> Signatures:
        """Returns the runs of words by which a text states facts; none where facts are unknown."""

    def propositions(self, instances: NDArray[np.int64]) -> Propositions:
        """Returns what the facts of documents are, for signatures."""


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """Which documents, and how they are read. All fields are keywords of every environment."""

    kinds: ClassVar[tuple[str, ...]] = ("newsroom", "jsonl", "hub", "planted")
    """Prefixes of the sources that there are; the first is simulated."""

    level: int = keyword(2, example=0, given={"source": "newsroom"})
    """Level of the simulated newsroom, 0 to 5. It also sets the default budget."""
    split: str | None = keyword(None, example="ood", given={"source": "newsroom"})
    """train (the default), validation, test, ood or heldout. Files without splits need none; data
    sets of the hub have train, validation and test."""
    source: str | Sequence[str] | Mapping[str, str | Sequence[str]] = keyword(
        "newsroom", example="jsonl:{news}"
    )
    """"newsroom", or files: "jsonl:news.jsonl", a range of rows "jsonl:news.jsonl[:700]", or a data
    set of the hub: "hub:NAME:CONFIG@COMMIT[:700]" (see `hub.py`), a list of such, or a dict from
    split to such."""
    fields: Mapping[str, str] = keyword(
        {}, example={"summary": "article"}, given={"source": "jsonl:{news}"}
    )
    """What a file or data set calls its fields, where that differs: {"article": "text", "summary":
    "abstract"}. With "split" in it, rows of a file are chosen by that field: those of split=, or
    of "train"."""
    on_error: str = keyword(
        "raise", example="skip", given={"source": "jsonl:{news_with_a_bad_row}"}
    )
    """What a bad row of real text does: "raise", or "skip" to leave it out, count it and warn."""
    tokenizer: str | None = keyword(None, example="{tokenizer}")
    """A file of the tokenizers library for the observation. Default: the newsroom's vocabulary,
    or for real text a subword vocabulary trained from the training file or split."""
    vocabulary_digest: str | None = keyword(None, example="0" * 16, is_refused=True)
    """If given, a vocabulary with another digest is refused. Checkpoints set it."""
    max_sentences: int | None = keyword(None, example=60)
    """Sentences of an observation. Default: what the level needs, or 40 for real text."""
    max_tokens: int | None = keyword(None, example=9, given={"tokenizer": "{tokenizer}"})
    """Tokens of a sentence in the observation. Default: 48 for the newsroom, 64 otherwise."""

    def row_form(self) -> Form:
        """Returns what rows of real text must have."""
        return Summarised()

    def presented(self, source: Any) -> Any:
        """Returns a source in the form in which engines with such a config read it."""
        return source


@dataclass(frozen=True)
class Places:
    """Where a source finds its documents: what follows the prefix, for this split and to train."""

    own: tuple[str, ...]
    training: tuple[str, ...]
    is_by_split: bool
    """Whether `own` was chosen by split already."""


def open_source(config: SourceConfig) -> Source:
    """Returns the source that a config describes.

    Raises:
        TypeError: a field of the config of another type.
        ValueError: what is wrong with the config or the files, and what is allowed.
    """
    _check_config(config)
    if config.split is not None:
        check_split(config.split)
    kind, places = _parse(config.source, config.split, config.kinds)
    module, _, name = SOURCES[kind].partition(":")
    opened = getattr(importlib.import_module(module), name)(config, places)
    source: Source = config.presented(opened)
    digest = source.vocabulary.digest
    if config.vocabulary_digest not in (None, digest):
        raise ValueError(
            f"the documents would be told in the vocabulary {digest}, and vocabulary_digest asks "
            f"for {config.vocabulary_digest}: a policy reads only what it was trained to read; "
            "give its tokenizer, or train one on documents of this kind"
        )
    return source


def _check_config(config: SourceConfig) -> None:
    """Raises TypeError or ValueError for what no source could read."""
    if not isinstance(config.fields, Mapping) or not all(
        isinstance(name, str) for pair in config.fields.items() for name in pair
    ):
        raise TypeError(
            'fields must be a dict from our names to those of the file, such as {"article": '
            f'"text"}}, got {config.fields!r}'
        )
    if config.tokenizer is not None and not isinstance(config.tokenizer, str):
        raise TypeError(
            "tokenizer must be None or, as a string, the path of a file of the tokenizers library, "
            f"got {config.tokenizer!r}"
        )
    for name, number in (
        ("max_sentences", config.max_sentences),
        ("max_tokens", config.max_tokens),
    ):
        if number is not None and not 1 <= number <= MOST:
            raise ValueError(
                f"{name} must be 1 or more and {MOST} or less, got {shorten(number)}: every "
                "observation has room for so many"
            )


def _parse(source: Any, split: str | None, kinds: Sequence[str]) -> tuple[str, Places]:
    """Returns the prefix of a source setting and its places."""
    if isinstance(source, Mapping):
        if not source:
            raise ValueError(
                'source names nothing: write it as in source={"train": "jsonl:train.jsonl", '
                '"test": "jsonl:test.jsonl"}'
            )
        unknown = [name for name in source if name not in SPLITS]
        if unknown:
            raise ValueError(
                f"source names the split {unknown[0]!r}: there are {', '.join(SPLITS)}"
            )
        wanted = split or "train"
        if wanted not in source:
            raise ValueError(
                f"source has nothing for split={wanted!r}, only for {', '.join(source)}"
            )
        kind, own = _parse_list(source[wanted], kinds)
        training_kind, training = _parse_list(source.get("train", source[wanted]), kinds)
        if training_kind != kind:
            raise ValueError(
                f"source mixes {training_kind!r} and {kind!r}: all splits need one kind"
            )
        return kind, Places(own, training, is_by_split=True)
    kind, own = _parse_list(source, kinds)
    return kind, Places(own, own, is_by_split=False)


def _parse_list(value: Any, known: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    pairs = [str(item).partition(":") for item in items]
    kinds = {kind for kind, _, _ in pairs}
    if len(kinds) != 1 or not kinds <= set(known):
        raise ValueError(
            f'source must be one or more of one kind ({", ".join(known)}), such as "{known[0]}" or '
            f'"jsonl:FILE", got {value!r}'
        )
    return kinds.pop(), tuple(place for _, _, place in pairs)
