"""Simulated reviews as a source: a title and chunks, told from a label by way of a programme."""

import functools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.ragged import pad
from lightbulb_envs.randomness import Draws, to_range
from lightbulb_envs.sources.grammar import EMPTY
from lightbulb_envs.sources.labelled import Review, ReviewBatch
from lightbulb_envs.sources.names import FIRST_NAMES, PLACES, SURNAMES
from lightbulb_envs.sources.reviews.forms import (
    DEGREE,
    IRONIC,
    NEGATED,
    PLAIN,
    QUOTED,
    SHIFTS,
)
from lightbulb_envs.sources.reviews.levels import ReviewLevel, review_level
from lightbulb_envs.sources.reviews.lexicon import SUBJECTS
from lightbulb_envs.sources.reviews.programme import LABELS, NOTHING, Operation, Programme
from lightbulb_envs.sources.reviews.wording import ASPECTS, SLOTS, wording
from lightbulb_envs.splits import SUITE_VERSION, document_key, split_residue

SUITE = "reviews"
MAX_TOKENS = 28
"""Pieces of the longest chunk."""
MOST = 8
"""The bound of the programme's state."""
LEAN = Fraction(3, 2)
"""How much what was said foretells what comes."""
WEIGHTS = {-3: 1, -2: 3, -1: 2, 1: 2, 2: 3, 3: 1}
"""How often an opinion is worth so much, of 12."""
TURNED = (-3, -2, 2, 3)
"""What the opinion after a turn may be worth."""
_WORLD, _PROGRAMME, _TELLING = range(3)
_SEGMENTS = 2
"""Of a chunk: a turn, and what it says."""


@dataclass(frozen=True)
class Opinions:
    """What a block of reviews says, before it is told."""

    label: NDArray[np.int64]  # (N,)
    length: NDArray[np.int64]  # (N,), chunks
    signature: NDArray[np.int64]  # (N,), 0 where titles are not signed
    subject: NDArray[np.int64]  # (N,)
    aspect: NDArray[np.int64]  # (N,), the one that is asked for
    place: NDArray[np.int64]  # (N,), names
    surname: NDArray[np.int64]  # (N,)
    first_name: NDArray[np.int64]  # (N,)
    operation: NDArray[np.int64]  # (N, C), of the programme


@functools.cache
def programme_of(level: ReviewLevel) -> Programme:
    """Returns the polarity programme of a level's reviews."""
    weights = {Operation(shift): weight for shift, weight in WEIGHTS.items()}
    if level.silence:
        weights[Operation(0)] = level.silence
    if level.turns:
        weights |= {Operation(shift, is_turn=True): level.turns for shift in TURNED}
    return Programme(weights, MOST, level.most_chunks, LEAN)


class ReviewSource:
    """An endless supply of reviews; review i of a split and level is always the same.

    Args:
        level: 0 to 5, see `levels.py`.
        split: one of `splits.SPLITS`; `heldout` needs its secret salt.
    """

    num_documents: int | None = None
    has_facts = False
    labels: tuple[str, ...] = LABELS

    def __init__(self, level: int, split: str):
        self.split = split
        self.level_number = level
        self._residue = split_residue(split)
        self._variant = int(split == "ood")
        self.vocabulary = wording().vocabulary
        self.max_tokens = MAX_TOKENS
        self.digest = f"{SUITE}-{SUITE_VERSION}"
        self.set_level(review_level(level), document_key(SUITE, split, level))

    def set_level(self, level: ReviewLevel, key: tuple[int, int]) -> None:
        """Sets how reviews are told, and the key of all draws."""
        self.level = level
        self._key = key
        self.programme = programme_of(level)
        self.max_chunks = level.most_chunks
        self.max_sentences = 1 + self.max_chunks

    @property
    def rules(self) -> "ReviewSource":
        """The source itself: the rules by which its reviews are told are known."""
        return self

    def opinions(self, instances: NDArray[np.int64]) -> Opinions:
        """Returns what a block of reviews says."""
        draws = Draws(self._key, instances, _WORLD)
        low, high = self.level.chunks
        label = draws.below(len(LABELS))
        length = draws.between((low, high + self._variant))
        subject, aspect = draws.below(len(SUBJECTS)), draws.below(ASPECTS)
        place = PLACES.choose(draws.take(), draws.take(), self._residue)
        surname = SURNAMES.choose(draws.take(), draws.take(), self._residue)
        first_name = draws.below(len(FIRST_NAMES))
        agrees = draws.unit()
        words = Draws(self._key, instances, _PROGRAMME).take(self.max_chunks)
        return Opinions(
            label=label,
            length=length,
            signature=self._sign(label, agrees),
            subject=subject,
            aspect=aspect,
            place=place,
            surname=surname,
            first_name=first_name,
            operation=self.programme.draw(words, label, length),
        )

    def _sign(self, label: NDArray[np.int64], agrees: NDArray[np.float64]) -> NDArray[np.int64]:
        """Returns the signatures, 1 or 2; 0 at levels whose titles are not signed."""
        if self.level.cue == 0.5:
            return np.zeros_like(label)
        does_agree = (agrees < self.level.cue) != bool(self._variant)
        return 1 + np.where(does_agree, label, 1 - label)

    def batch(self, instances: NDArray[np.int64]) -> ReviewBatch:
        """Returns the reviews of a block of instances as arrays."""
        instances = np.asarray(instances, dtype=np.int64)
        said = self.opinions(instances)
        return ReviewBatch(
            instance=instances,
            num_chunks=said.length,
            label=said.label,
            tokens=self.told(instances, said),
        )

    def told(self, instances: NDArray[np.int64], said: Opinions) -> NDArray[np.int32]:
        """Returns the titles and chunks of what is said, (N, 1 + C, T)."""
        pieces, row = self._tell(instances, said)
        count = len(instances) * self.max_sentences
        return pad(pieces, row, count, MAX_TOKENS, 0).reshape(len(instances), -1, MAX_TOKENS)

    def document(self, instance: int) -> Review:
        """Returns one review as text; ValueError for a negative instance."""
        if instance < 0:
            raise ValueError(f"documents are numbered from 0, got {instance}")
        batch = self.batch(np.array([instance]))
        title, *chunks = self.sentences(batch, 0)
        return Review(
            id=f"{SUITE}-{SUITE_VERSION}-{self.split}-{self.level_number}-{instance}",
            instance=instance,
            title=title,
            chunks=tuple(chunks),
            label=LABELS[int(batch.label[0])],
        )

    def sentences(self, batch: ReviewBatch, place: int) -> tuple[str, ...]:
        """Returns the title and the chunks at a place of a batch."""
        lines = batch.tokens[place, : 1 + int(batch.num_chunks[place])].tolist()
        return tuple(self.vocabulary.sentence(line) for line in lines)

    def _tell(
        self, instances: NDArray[np.int64], said: Opinions
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Returns the pieces of titles and chunks, flat, and the line of each piece."""
        book, variant = wording(), self._variant
        draws = Draws(self._key, instances, _TELLING)
        shape = said.operation.shape
        shift, is_turn = self._meaning(said.operation)
        form, shift, aspect = self._forms(draws, said, shift)
        subject = np.broadcast_to(said.subject[:, None], shape)
        word, opener, noun = draws.take(shape[1]), draws.take(shape[1]), draws.take(shape[1])
        opinion = np.searchsorted(SHIFTS, shift) + len(SHIFTS) * np.maximum(form, 0)
        body = np.where(
            form == NOTHING,
            book.facts.pick(variant, subject, word),
            book.opinions.pick(variant, opinion, word),
        )
        turn = np.where(is_turn, book.turns.start + to_range(opener, book.turns.count), EMPTY)
        turn[:, 0] = EMPTY  # there is nothing to turn from
        lines = (len(instances), self.max_sentences)
        templates = np.full((*lines, _SEGMENTS), EMPTY, dtype=np.int64)
        templates[:, 0, 1] = book.titles.start + self._asks
        templates[:, 1:, 0] = turn
        templates[:, 1:, 1] = np.where(said.operation == NOTHING, EMPTY, body)
        slots = np.zeros((*lines, _SEGMENTS, len(SLOTS)), dtype=np.int32)
        about = book.aspects.pick(variant, subject * ASPECTS + aspect, noun)
        slots[:, 1:, :, SLOTS["it0"]] = about[:, :, None]
        slots[:, 0, :, SLOTS["it0"]] = book.asked[said.subject, said.aspect][:, None]
        for name, phrase in (
            ("noun0", book.nouns[said.subject]),
            ("name0", book.places[said.place]),
            ("first0", book.first_names[said.first_name]),
            ("last0", book.surnames[said.surname]),
            ("cue0", book.signatures[said.signature]),
        ):
            slots[:, 0, :, SLOTS[name]] = phrase[:, None]
        count = lines[0] * lines[1]
        return book.grammar.tell(
            templates.reshape(count, _SEGMENTS),
            slots.reshape(count, _SEGMENTS, -1),
            draws.take(lines[1]).ravel(),
            ood=bool(variant),
        )

    @property
    def _asks(self) -> bool:
        """Whether titles ask for an aspect."""
        return self.level.others > 0

    def _meaning(self, operation: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Returns the shifts of operations and which are turns; of `NOTHING`, 0 and false."""
        known = (*self.programme.operations, Operation(0))  # NOTHING is the last one
        shifts = np.array([one.shift for one in known])
        turns = np.array([one.is_turn for one in known])
        return shifts[operation], turns[operation]

    def _forms(
        self, draws: Draws, said: Opinions, shift: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Returns the form of every chunk, the opinion that it tells, and the aspect.

        The form is `NOTHING` where a chunk tells a fact. What is of another aspect, or is somebody
        else's, tells an opinion that counts for nothing.
        """
        level, width = self.level, shift.shape[1]
        chance, way = draws.unit(width), draws.unit(width)
        idle = np.array(SHIFTS)[draws.below(len(SHIFTS), width)]
        other, any_aspect = draws.between((1, ASPECTS - 1), width), draws.below(ASPECTS, width)
        is_silent = shift == 0
        is_quote = is_silent & (chance < level.quotes)
        is_other = is_silent & ~is_quote & (chance < level.quotes + level.others)
        told = np.where(is_silent, idle, shift)
        own = np.full(shift.shape, PLAIN)
        own[way < level.degrees + level.negations + level.irony] = IRONIC
        own[way < level.degrees + level.negations] = NEGATED
        own[way < level.degrees] = DEGREE
        form = np.where(is_quote, QUOTED, own)
        form[is_silent & ~is_quote & ~is_other] = NOTHING
        asked = said.aspect[:, None]
        aspect = np.where(self._asks, asked, any_aspect)
        return form, told, np.where(is_other, (asked + other) % ASPECTS, aspect)
