"""Reviews of two aspects at once: two polarity programmes, whose chunks are mixed.

Each aspect has chunks of its own, as many as the other, in an order that is uniform over all ways
to mix them, and a label of its own; the two labels are drawn apart. A turn is a turn of its own
aspect. There are two titles, one that asks for each aspect. Every chunk is an opinion on one of the
two: there are no facts, no quotations and no signatures, whatever the level.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.randomness import Draws, to_range
from lightbulb_envs.sources.labelled import Review
from lightbulb_envs.sources.reviews.levels import OOD_EXTRA, ReviewLevel, review_level
from lightbulb_envs.sources.reviews.programme import LABELS, NOTHING, Programme
from lightbulb_envs.sources.reviews.source import (
    SUITE,
    Opinions,
    ReviewSource,
)
from lightbulb_envs.sources.reviews.wording import ASPECTS
from lightbulb_envs.splits import SUITE_VERSION, document_key

QUESTIONS = 2
CHUNKS = (3, 5)
"""Chunks of an aspect, ends included; in `ood` up to one more."""
_MIXING = 3
"""Stream of the draws that mix chunks; the first three are those of reviews."""


@dataclass(frozen=True)
class AspectBatch:
    """N reviews of two aspects as arrays. Nobody writes to these arrays."""

    instance: NDArray[np.int64]  # (N,)
    num_chunks: NDArray[np.int64]  # (N,), of both aspects
    labels: NDArray[np.int64]  # (N, 2), by question
    titles: NDArray[np.int32]  # (N, 2, T), by question
    tokens: NDArray[np.int32]  # (N, C, T), chunks; 0 where there is none

    @property
    def label(self) -> NDArray[np.int64]:
        """The labels (N,) that are asked for first."""
        return self.labels[:, 0]


@dataclass(frozen=True)
class Mixed:
    """What a block of such reviews says, and in which order."""

    said: tuple[Opinions, Opinions]
    question: NDArray[np.int64]  # (N, C), the question that a chunk is about; -1 past the end


@functools.cache
def aspect_level(level: int) -> ReviewLevel:
    """Returns how the aspects of a level are told; titles ask for an aspect where others count."""
    none = {"silence": 0, "others": 1.0, "quotes": 0.0, "cue": 0.5}
    return replace(review_level(level), chunks=CHUNKS, **none)  # type: ignore[arg-type] # fields


class AspectSource:
    """An endless supply of reviews of two aspects; review i of a split and level is the same.

    Args:
        level: 0 to 5; see `levels.py` for how opinions are told.
        split: one of `splits.SPLITS`; `heldout` needs its secret salt.
    """

    num_documents: int | None = None
    has_facts = False
    rules = None
    """No `ReviewSource` says by what rules these are told: see `aspect_reading`."""
    labels: tuple[str, ...] = LABELS

    def __init__(self, level: int, split: str):
        self._key = document_key(f"{SUITE}-aspects", split, level)
        self._reviews = ReviewSource(level, split)
        self._reviews.set_level(aspect_level(level), self._key)
        self.split = split
        self.level_number = level
        self.programme: Programme = self._reviews.programme
        self.vocabulary = self._reviews.vocabulary
        self.longest = CHUNKS[1] + OOD_EXTRA
        self.max_sentences = 1 + QUESTIONS * self.longest
        self.max_tokens = self._reviews.max_tokens
        self.digest = f"{SUITE}-aspects-{SUITE_VERSION}"

    def mixed(self, instances: NDArray[np.int64]) -> Mixed:
        """Returns what a block of reviews says."""
        first, other = (
            self._reviews.opinions(QUESTIONS * instances + question)
            for question in range(QUESTIONS)
        )
        draws = Draws(self._key, QUESTIONS * instances, _MIXING)
        shift = draws.between((1, ASPECTS - 1))
        shared = {
            name: getattr(first, name)
            for name in ("subject", "place", "surname", "first_name", "length")
        }
        words = Draws(self._key, QUESTIONS * instances + 1, _MIXING).take(self.longest)
        second = replace(
            other,
            **shared,
            aspect=(first.aspect + shift) % ASPECTS,
            operation=self.programme.draw(words, other.label, first.length),
        )
        return Mixed((first, second), self._mix(draws.take(QUESTIONS * self.longest), first.length))

    def _mix(self, words: NDArray[np.uint32], length: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns which aspect each chunk is about, uniform over the ways to mix them."""
        left = np.stack((length, length), axis=1)
        chosen = np.full(words.shape, NOTHING, dtype=np.int64)
        for chunk in range(words.shape[1]):
            total = left.sum(axis=1)
            is_second = to_range(words[:, chunk], np.maximum(total, 1)) >= left[:, 0]
            chosen[:, chunk] = np.where(total > 0, is_second, NOTHING)
            left[total > 0, is_second[total > 0].astype(np.int64)] -= 1
        return chosen

    def batch(self, instances: NDArray[np.int64]) -> AspectBatch:
        """Returns the reviews of a block of instances as arrays."""
        instances = np.asarray(instances, dtype=np.int64)
        mixed = self.mixed(instances)
        told = np.stack(
            [
                self._reviews.told(QUESTIONS * instances + question, said)
                for question, said in enumerate(mixed.said)
            ],
            axis=1,
        )  # (N, 2, 1 + L, T)
        question = np.maximum(mixed.question, 0)
        is_there = mixed.question != NOTHING
        number = np.stack(
            [((question == one) & is_there).cumsum(axis=1) for one in range(QUESTIONS)], axis=2
        )
        line = np.take_along_axis(number, question[:, :, None], axis=2)[:, :, 0]
        rows = np.arange(len(instances))[:, None]
        tokens = told[rows, question, line] * is_there[:, :, None]
        return AspectBatch(
            instance=instances,
            num_chunks=QUESTIONS * mixed.said[0].length,
            labels=np.stack([said.label for said in mixed.said], axis=1),
            titles=told[:, :, 0],
            tokens=tokens.astype(np.int32),
        )

    def document(self, instance: int) -> Review:
        """Returns one review as text, with both titles and labels; ValueError if negative."""
        if instance < 0:
            raise ValueError(f"documents are numbered from 0, got {instance}")
        batch = self.batch(np.array([instance]))
        titles = [self.vocabulary.sentence(line) for line in batch.titles[0].tolist()]
        chunks = batch.tokens[0, : int(batch.num_chunks[0])].tolist()
        return Review(
            id=f"{SUITE}-aspects-{SUITE_VERSION}-{self.split}-{self.level_number}-{instance}",
            instance=instance,
            title=" / ".join(titles),
            chunks=tuple(self.vocabulary.sentence(line) for line in chunks),
            label=" / ".join(self.labels[one] for one in batch.labels[0].tolist()),
        )
