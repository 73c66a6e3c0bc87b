"""The plan of an article: which sentence states which facts, and in which order.

Every sentence has a rank, a number in [0, 12) or so; sorting by rank gives the article. An
inverted pyramid ranks facts by weight. Any other article opens with background and quotes, tells
the event a few sentences in, and scatters the rest, its key facts often late.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.ordering import stable_order
from lightbulb_envs.randomness import Draws
from lightbulb_envs.sources.newsroom.cast import VOICES
from lightbulb_envs.sources.newsroom.facts import Facts, opinions_start, stories_of
from lightbulb_envs.sources.newsroom.kinds import BACKGROUNDS, FACTS_PER_STORY, MAX_PREDICATES
from lightbulb_envs.sources.newsroom.levels import Level
from lightbulb_envs.sources.newsroom.stylebook import Stylebook

MAIN = slice(0, FACTS_PER_STORY)
"""The main story's facts in a row of facts."""
TAIL_CHANCE = 0.6
"""Chance that the event's sentence ends in another fact's participle clause."""
PAIR_CHANCE = 0.5
"""Chance that two facts share a sentence."""
REPEATS_KEY = 0.7
"""Chance that a repetition is of a key fact."""
REFERENCE_TAIL_CHANCE = 0.7
"""Chance that the reference's first sentence ends in a participle clause."""
MAX_REFERENCE = 4
"""Sentences of a reference, at most."""
INTRO = (2, 4)
"""Sentences before the event, in an article that is no inverted pyramid."""
DISTRACTOR_FIRST = 0.25
"""Chance that another story's block opens such an article."""


class Role(IntEnum):
    """Why a sentence is there; the roles with an opener of their own say so in words."""

    NONE = 0
    FACT = 1
    REPEAT = 2
    OPINION = 3
    BACKGROUND = 4
    EARLY = 5
    CORRECTION = 6
    ELSEWHERE = 7
    FIRST_REPORT = 8
    LATER_REPORT = 9
    LATEST_REPORT = 10


@dataclass(frozen=True)
class Plan:
    """(N, S) arrays: the role, story and facts of every sentence, in reading order.

    A passage is what is told in one go, with names in full at first: a story, or one of several
    reports of a story.
    """

    role: NDArray[np.int64]
    story: NDArray[np.int64]
    passage: NDArray[np.int64]
    first: NDArray[np.int64]  # the fact of the main clause, -1 past the article's end
    second: NDArray[np.int64]  # the fact of a second clause, -1 without one
    is_tail: NDArray[np.bool_]  # the second clause is a participle


_KINDS = (np.int64, np.int64, np.int64, np.int64, np.int64, np.bool_, np.float64)
"""Types of what `Outline` holds of a sentence."""


class Outline:
    """Sentences in no order yet; `add` appends a column."""

    def __init__(self, blocks: int):
        self._blocks = blocks
        self._columns: list[tuple[Any, ...]] = []

    def add(
        self,
        role: Role | NDArray[np.int64],
        story: int,
        first: NDArray[np.int64] | int,
        rank: NDArray[np.float64],
        active: NDArray[np.bool_],
        second: NDArray[np.int64] | int = -1,
        is_tail: NDArray[np.bool_] | bool = False,
        passage: NDArray[np.int64] | int | None = None,
    ) -> None:
        """Adds one sentence an article; where it is not `active` it is left out.

        A story is a passage, unless `passage` says another.
        """
        passage = story if passage is None else passage
        rank = np.where(active, rank, np.inf)
        self._columns.append((role, story, passage, first, second, is_tail, rank))

    def _joined(self, values: tuple[Any, ...], kind: type) -> NDArray[Any]:
        """Returns one thing about all sentences, (N, columns)."""
        joined: NDArray[Any] = np.empty((self._blocks, len(values)), dtype=kind)
        for number, value in enumerate(values):
            joined[:, number] = value
        return joined

    def order(self, sentences: int) -> Plan:
        """Returns the sentences that are told, in the order of their ranks."""
        role, story, passage, first, second, is_tail, rank = (
            self._joined(values, kind)
            for values, kind in zip(zip(*self._columns, strict=True), _KINDS, strict=True)
        )
        order = stable_order(rank)[:, :sentences]
        # One gather of flat arrays costs less than take_along_axis, which makes its places anew.
        places = order + np.arange(self._blocks)[:, None] * rank.shape[1]
        told = np.isfinite(rank.ravel()[places])
        role, story, passage, first, second, is_tail = (
            values.ravel()[places] for values in (role, story, passage, first, second, is_tail)
        )
        plan = Plan(
            role=np.where(told, role, Role.NONE),
            story=np.where(told, story, 0),
            passage=np.where(told, passage, 0),
            first=np.where(told, first, -1),
            second=np.where(told, second, -1),
            is_tail=told & is_tail,
        )
        short = sentences - plan.role.shape[1]
        if short <= 0:
            return plan
        pad = ((0, 0), (0, short))
        return Plan(
            role=np.pad(plan.role, pad),
            story=np.pad(plan.story, pad),
            passage=np.pad(plan.passage, pad),
            first=np.pad(plan.first, pad, constant_values=-1),
            second=np.pad(plan.second, pad, constant_values=-1),
            is_tail=np.pad(plan.is_tail, pad),
        )


@dataclass(frozen=True)
class _Shared:
    """Facts of the main story that share a sentence with another: (N,) arrays."""

    tail: NDArray[np.int64]  # the fact in the event's participle clause
    has_tail: NDArray[np.bool_]
    head: NDArray[np.int64]  # the fact whose sentence goes on with `mate`
    mate: NDArray[np.int64]
    has_mate: NDArray[np.bool_]


def draw_plan(
    book: Stylebook, draws: Draws, facts: Facts, level: Level, variant: int, sentences: int
) -> Plan:
    """Draws the plans of a block of articles, padded to `sentences`."""
    draft = Outline(len(facts.kind))
    is_pyramid = draws.unit(1)[:, 0] < level.lead_bias
    shared = _draw_shared(book, draws, facts, variant, is_pyramid)
    rank = draw_ranks(draws, facts, level, is_pyramid)
    _add_facts(draft, draws, facts, shared, rank)
    _add_repetitions(draft, draws, facts, level, shared, rank)
    _add_colour(draft, draws, facts, level, is_pyramid)
    _add_other_stories(draft, draws, facts, level, is_pyramid)
    return draft.order(sentences)


def _corrected(facts: Facts) -> NDArray[np.int64]:
    """Returns the fact of the main story that was first reported wrong, -1 without one."""
    return facts.superseded_by[:, -1]


def _draw_shared(
    book: Stylebook, draws: Draws, facts: Facts, variant: int, is_pyramid: NDArray[np.bool_]
) -> _Shared:
    """Draws which facts share a sentence. A corrected fact always stands alone."""
    exists, kind, weight = facts.exists[:, MAIN], facts.kind[:, MAIN], facts.weight[:, MAIN]
    free = exists & (np.arange(FACTS_PER_STORY) != _corrected(facts)[:, None])
    free[:, 0] = False
    can_tail = free & (book.tail.count[variant][np.maximum(kind, 0)] > 0)
    taste = draws.unit(FACTS_PER_STORY) + np.where(is_pyramid[:, None], weight, 0.0)
    tail = np.argmax(np.where(can_tail, taste, -1.0), axis=1)
    has_tail = can_tail.any(axis=1) & (draws.unit(1)[:, 0] < TAIL_CHANCE)
    free[np.arange(len(free)), tail] &= ~has_tail
    taste = draws.unit(FACTS_PER_STORY)
    order = stable_order(-np.where(free, taste, -1.0))
    has_mate = (free.sum(axis=1) >= 2) & (draws.unit(1)[:, 0] < PAIR_CHANCE)
    return _Shared(tail, has_tail, order[:, 0], order[:, 1], has_mate)


def draw_ranks(
    draws: Draws, facts: Facts, level: Level, is_pyramid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Draws the ranks of the main story's facts: by weight in a pyramid, scattered elsewhere."""
    ranked = np.where(facts.exists[:, MAIN], facts.weight[:, MAIN], -1.0)
    ranked[:, 0] = np.inf  # the event, whatever it weighs
    by_weight = stable_order(stable_order(-ranked))
    scattered = 1.2 + 8.8 * draws.unit(FACTS_PER_STORY)
    is_late = facts.is_key[:, MAIN] & (draws.unit(FACTS_PER_STORY) < level.late_key_facts)
    scattered = np.where(is_late, 6.0 + 4.0 * draws.unit(FACTS_PER_STORY), scattered)
    rank = np.where(is_pyramid[:, None], 1.0 + 0.3 * by_weight, scattered)
    rank[:, 0] = 1.0
    return rank


def _add_facts(
    draft: Outline, draws: Draws, facts: Facts, shared: _Shared, rank: NDArray[np.float64]
) -> None:
    """Adds the sentences that first state the main story's facts, and an early wrong report."""
    exists, corrected = facts.exists[:, MAIN], _corrected(facts)
    has_tail, has_mate = shared.has_tail, shared.has_mate
    tail = np.where(has_tail, shared.tail, -1)
    draft.add(Role.FACT, 0, 0, rank[:, 0], exists[:, 0], tail, has_tail)
    for fact in range(1, FACTS_PER_STORY):
        joins_other = (tail == fact) | (has_mate & (shared.mate == fact))
        second = np.where(has_mate & (shared.head == fact), shared.mate, -1)
        role = np.where(corrected == fact, Role.CORRECTION, Role.FACT)
        draft.add(role, 0, fact, rank[:, fact], exists[:, fact] & ~joins_other, second)
    true_rank = rank[np.arange(len(rank)), np.maximum(corrected, 0)]
    early = 1.0 + (true_rank - 1.0) * (0.1 + 0.8 * draws.unit(1)[:, 0])
    draft.add(Role.EARLY, 0, facts.kind.shape[1] - 1, early, corrected >= 0)


def _add_repetitions(
    draft: Outline,
    draws: Draws,
    facts: Facts,
    level: Level,
    shared: _Shared,
    rank: NDArray[np.float64],
) -> None:
    """Adds sentences that repeat a fact, each after the sentence that first told it."""
    rows = np.arange(len(rank))
    told = rank.copy()
    tail, mate = shared.tail, shared.mate
    told[rows, tail] = np.where(shared.has_tail, rank[:, 0], told[rows, tail])
    told[rows, mate] = np.where(shared.has_mate, rank[rows, shared.head], told[rows, mate])
    exists, is_key = facts.exists[:, MAIN], facts.is_key[:, MAIN]
    repeats = draws.between(level.redundancy, 1)[:, 0]
    for number in range(level.redundancy[1]):
        wanted = np.where(draws.unit(1) < REPEATS_KEY, is_key, exists)
        fact = np.argmax(np.where(wanted, draws.unit(FACTS_PER_STORY), -1.0), axis=1)
        later = told[rows, fact] + 0.1 + draws.unit(1)[:, 0]
        repeat = np.maximum(3.0 + 8.0 * draws.unit(1)[:, 0], later)
        draft.add(Role.REPEAT, 0, fact, repeat, number < repeats)


def _add_colour(
    draft: Outline, draws: Draws, facts: Facts, level: Level, is_pyramid: NDArray[np.bool_]
) -> None:
    """Adds quotes and background: some before the event, unless it is a pyramid."""
    start, colour = opinions_start(level), VOICES + BACKGROUNDS
    exists = facts.exists[:, start : start + colour]
    taste = np.where(exists, draws.unit(colour), np.inf)
    place = stable_order(stable_order(taste))
    opens = (place < draws.between(INTRO, 1)) & ~is_pyramid[:, None]
    early = 0.1 + 0.8 * draws.unit(colour)
    late = np.where(is_pyramid[:, None], 3.0, 1.5) + 8.0 * draws.unit(colour)
    rank = np.where(opens, early, late)
    for number in range(colour):
        role = Role.OPINION if number < VOICES else Role.BACKGROUND
        draft.add(role, 0, start + number, rank[:, number], exists[:, number])


def _add_other_stories(
    draft: Outline, draws: Draws, facts: Facts, level: Level, is_pyramid: NDArray[np.bool_]
) -> None:
    """Adds the other stories, each in one block; the first may open the article."""
    for story in range(1, stories_of(level)):
        base = story * FACTS_PER_STORY
        exists = facts.exists[:, base : base + FACTS_PER_STORY]
        opens = ~is_pyramid & (draws.unit(1)[:, 0] < DISTRACTOR_FIRST) & (story == 1)
        block = np.where(opens, 0.0, 2.5 + 9.0 * draws.unit(1)[:, 0])
        role = np.where(opens, Role.FACT, Role.ELSEWHERE)
        draft.add(role, story, base, block, exists[:, 0])
        step = draws.unit(MAX_PREDICATES)
        for fact in range(1, FACTS_PER_STORY):
            rank = block + 1e-4 * (1.0 + step[:, fact - 1])
            draft.add(Role.FACT, story, base + fact, rank, exists[:, fact])


def draw_reference_plan(book: Stylebook, draws: Draws, facts: Facts, variant: int) -> Plan:
    """Draws the plans of references: the key facts by weight, two a sentence."""
    blocks = len(facts.kind)
    rows = np.arange(blocks)
    is_key = facts.is_key[:, MAIN]
    weight = np.where(is_key, facts.weight[:, MAIN], -1.0)
    weight[:, 0] = np.inf
    order = stable_order(-weight)
    count = is_key.sum(axis=1)

    kind = np.maximum(facts.kind[:, MAIN], 0)
    can_tail = is_key & (book.reference_tail.count[variant][kind] > 0)
    can_tail[:, 0] = False
    tail = np.argmax(np.where(can_tail, weight, -1.0), axis=1)
    has_tail = can_tail.any(axis=1) & (draws.unit(1)[:, 0] < REFERENCE_TAIL_CHANCE)
    # Without the event and its tail, the rest keep their order.
    rest = np.where(order == 0, FACTS_PER_STORY, np.arange(FACTS_PER_STORY))
    rest = np.where(has_tail[:, None] & (order == tail[:, None]), FACTS_PER_STORY, rest)
    rest = np.where(np.arange(FACTS_PER_STORY) < count[:, None], rest, FACTS_PER_STORY)
    by_rest = np.take_along_axis(order, stable_order(rest), axis=1)
    left = count - 1 - has_tail

    first = np.full((blocks, MAX_REFERENCE), -1, dtype=np.int64)
    second = np.full((blocks, MAX_REFERENCE), -1, dtype=np.int64)
    first[rows, 0] = 0
    second[rows, 0] = np.where(has_tail, tail, -1)
    for sentence in range(1, MAX_REFERENCE):
        place = 2 * (sentence - 1)
        first[:, sentence] = np.where(place < left, by_rest[:, place], -1)
        second[:, sentence] = np.where(place + 1 < left, by_rest[:, place + 1], -1)
    is_tail = np.zeros(first.shape, dtype=bool)
    is_tail[:, 0] = has_tail
    role = np.where(first >= 0, Role.FACT, Role.NONE)
    story = np.zeros_like(first)
    return Plan(role, story, story, first, second, is_tail)
