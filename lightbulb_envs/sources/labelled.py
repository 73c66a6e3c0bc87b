"""Labelled texts: what sentiment environments read, simulated or real, and how they are opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.keywords import keyword
from lightbulb_envs.sources.rows import Labelled
from lightbulb_envs.sources.source import SourceConfig
from lightbulb_envs.sources.text_source import TextSource

_FILE = {"source": "jsonl:{reviews}"}


@dataclass(frozen=True)
class Review:
    """One labelled text."""

    id: str
    instance: int
    title: str
    """"" where there is none."""
    chunks: tuple[str, ...]
    label: str

    @property
    def text(self) -> str:
        return "\n".join(line for line in (self.title, *self.chunks) if line)


@dataclass(frozen=True)
class ReviewBatch:
    """N labelled texts as arrays; what an engine sees of them. Nobody writes to these arrays."""

    instance: NDArray[np.int64]  # (N,)
    num_chunks: NDArray[np.int64]  # (N,)
    label: NDArray[np.int64]  # (N,), a place in the source's `labels`
    tokens: NDArray[np.int32]  # (N, 1 + C, T), the title first; 0 where there is none

    def __len__(self) -> int:
        return len(self.instance)


class LabelledSource(Protocol):
    """A supply of labelled texts, numbered by instance; see `sources.source.Source`."""

    num_documents: int | None
    has_facts: bool
    digest: str
    max_sentences: int
    """Rows of the observation's tokens: the title and the most chunks."""
    max_tokens: int
    vocabulary: Any
    labels: tuple[str, ...]

    @property
    def rules(self) -> Any:
        """The `ReviewSource` by whose rules texts are told; None where nobody knows them."""

    def batch(self, instances: NDArray[np.int64]) -> ReviewBatch:
        """Returns texts as arrays."""

    def document(self, instance: int) -> Review:
        """Returns one text."""


@dataclass(frozen=True, kw_only=True)
class LabelledConfig(SourceConfig):
    """Which texts, and how they are read. All fields are keywords of every environment of them."""

    kinds: ClassVar[tuple[str, ...]] = ("reviews", "jsonl", "hub")

    level: int = keyword(2, example=0, given={"source": "reviews"})
    """Level of the simulated reviews, 0 to 5."""
    split: str | None = keyword(None, example="ood", given={"source": "reviews"})
    """train (the default), validation, test, ood or heldout. Files without splits need none; data
    sets of the hub have train, validation and test."""
    source: str | Sequence[str] | Mapping[str, str | Sequence[str]] = keyword(
        "reviews", example="jsonl:{reviews}"
    )
    """"reviews", which are simulated, or files: "jsonl:reviews.jsonl", a range of rows
    "jsonl:reviews.jsonl[:700]", or a data set of the hub: "hub:NAME:CONFIG@COMMIT[:700]" (see
    `hub.py`), a list of such, or a dict from split to such."""
    fields: Mapping[str, str] = keyword({}, example={"text": "label"}, given=_FILE)
    """What a file or data set calls its fields, where that differs: {"text": "sentence"}. With
    "split" in it, rows of a file are chosen by that field: those of split=, or of "train"."""
    on_error: str = keyword(
        "raise", example="skip", given={"source": "jsonl:{reviews_with_a_bad_row}"}
    )
    """What a bad row of real text does: "raise", or "skip" to leave it out, count it and warn."""
    max_sentences: int | None = keyword(None, example=60, given=_FILE)
    """Chunks of real text that are read, at most. Default: 40."""
    max_tokens: int | None = keyword(None, example=9, given={"tokenizer": "{tokenizer}"})
    """Tokens of a chunk in the observation. Default: 28 for reviews, 64 otherwise."""
    labels: Sequence[str] = keyword((), example=("negative", "other", "positive"), given=_FILE)
    """Labels of real text in the order of the actions. Default: those of its rows, sorted."""
    chunk_words: int | None = keyword(None, example=3, given=_FILE)
    """Words of a chunk of real text. Default: a chunk is a sentence."""

    def row_form(self) -> Labelled:
        """Returns what rows of real text must have."""
        return Labelled(self.chunk_words, tuple(self.labels))

    def presented(self, source: Any) -> Any:
        """Returns real text with its labels apart."""
        return LabelledTexts(source, self.labels) if isinstance(source, TextSource) else source

    def __post_init__(self) -> None:
        labels = self.labels
        if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
            raise TypeError(f"labels must be a list of strings, got {labels!r}")
        if labels and (len(labels) < 2 or len(set(labels)) < len(labels)):
            raise ValueError(f"labels must be two or more, each named once, got {list(labels)}")
        if self.chunk_words is not None and self.chunk_words < 1:
            raise ValueError(f"chunk_words must be 1 or more, got {self.chunk_words}")


class LabelledTexts:
    """Real text with labels: the sentences, or chunks of words, of rows. It has no titles.

    Args:
        texts: whose documents have one line as their reference, the label.
        labels: the labels in order; () for those of the rows, sorted, numbers by their value.
    """

    has_facts = False
    rules = None

    def __init__(self, texts: TextSource, labels: Sequence[str] = ()):
        self._texts = texts
        own = texts.first_references()
        self.labels = tuple(labels) or tuple(sorted(set(own), key=_by_value))
        if len(self.labels) < 2:
            raise ValueError(
                f"all rows have the label {self.labels[0]!r}, and a label is chosen from two or "
                'more: give other rows, or name the labels that there are with labels=["..."]'
            )
        place = {label: number for number, label in enumerate(self.labels)}
        self._label = np.array([place[label] for label in own], dtype=np.int64)
        self.vocabulary = texts.vocabulary
        self.num_documents: int | None = texts.num_documents
        self.digest = texts.digest
        self.max_sentences = 1 + texts.max_sentences
        self.max_tokens = texts.max_tokens

    def report(self) -> Any:
        """Returns how many rows were read, left out and cut."""
        return self._texts.report()

    def batch(self, instances: NDArray[np.int64]) -> ReviewBatch:
        """Returns texts as arrays."""
        batch = self._texts.batch(instances)
        return ReviewBatch(
            instance=batch.instance,
            num_chunks=batch.num_sentences,
            label=self._label[batch.instance],
            tokens=np.pad(batch.tokens, ((0, 0), (1, 0), (0, 0))),
        )

    def document(self, instance: int) -> Review:
        """Returns one text."""
        document = self._texts.document(instance)
        return Review(
            id=document.id,
            instance=document.instance,
            title="",
            chunks=document.sentences[: self._texts.max_sentences],
            label=document.reference[0],
        )


def _by_value(label: str) -> tuple[int, str]:
    return (int(label) if label.isdecimal() else -1, label)
