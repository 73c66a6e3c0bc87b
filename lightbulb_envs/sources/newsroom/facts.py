"""The facts of a block of documents: which hold, how large they are, and how much they matter.

Facts of a document lie in one row: for every story the event and its predicates, then the
opinions, the background and the superseded reports of the main story (story 0).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.ordering import stable_order
from lightbulb_envs.randomness import Draws, to_range
from lightbulb_envs.sources.newsroom.cast import VOICES, Cast
from lightbulb_envs.sources.newsroom.desk import TIERS
from lightbulb_envs.sources.newsroom.kinds import BACKGROUNDS, FACTS_PER_STORY, MAX_PREDICATES
from lightbulb_envs.sources.newsroom.levels import OOD_EXTRA, Level
from lightbulb_envs.sources.newsroom.stylebook import Stylebook

TIER_CHANCES = (0.4, 0.75)
"""Cumulative chances of a minor and a middling fact; the rest are major."""
TIER_FACTORS = np.array([0.5, 1.0, 1.5])
DISTRACTOR_FACTOR = 0.4
"""A fact of another story weighs this much of what it would weigh in its own."""
KEY_WEIGHT = 0.65
"""Facts of the main story that weigh this much or more are in the reference, within KEY_FACTS."""
KEY_FACTS = (3, 6)


@dataclass(frozen=True)
class Facts:
    """(N, F) arrays. `kind` is -1 where a row has no fact."""

    kind: NDArray[np.int64]
    story: NDArray[np.int64]
    magnitude: NDArray[np.int64]  # an index into numbers.VALUES, -1 without a number
    object_phrase: NDArray[np.int64]  # the phrase told for {n} or {value}
    voice: NDArray[np.int64]  # whose opinion it is, -1 for other facts
    weight: NDArray[np.float64]
    polarity: NDArray[np.int64]
    is_key: NDArray[np.bool_]  # told by the reference
    superseded_by: NDArray[np.int64]  # the fact that corrects it, -1 if it stands

    @property
    def exists(self) -> NDArray[np.bool_]:
        return self.kind >= 0


def stories_of(level: Level) -> int:
    """Returns how many stories an article of the level tells."""
    return 1 + level.distractors


def opinions_start(level: Level) -> int:
    """Returns where a row's opinions start; background and superseded facts follow."""
    return stories_of(level) * FACTS_PER_STORY


def max_facts(level: Level) -> int:
    """Returns the length of a row of facts."""
    return opinions_start(level) + VOICES + BACKGROUNDS + level.most_mistakes


def draw_facts(book: Stylebook, draws: Draws, cast: Cast, level: Level, variant: int) -> Facts:
    """Draws which facts hold, their numbers and phrases, and weighs them."""
    kind, story = _draw_events(book, draws, cast, level)
    voice = _draw_colour(book, draws, cast, level, variant, kind)
    shape = kind.shape
    row = np.maximum(kind, 0)
    exists = kind >= 0
    tier_draw = draws.unit(shape[1])
    tier = (tier_draw >= TIER_CHANCES[0]).astype(np.int64) + (tier_draw >= TIER_CHANCES[1])
    is_numeric = exists & book.kinds.is_numeric[row]
    magnitude = np.where(is_numeric, _magnitude(book, row, tier, draws.take(shape[1])), -1)
    value = book.value.pick(variant, row, draws.take(shape[1]))

    is_sized = is_numeric & (np.arange(shape[1]) < opinions_start(level))
    weight = np.where(
        exists, book.kinds.weight[row] * np.where(is_sized, TIER_FACTORS[tier], 1.0), 0.0
    )
    weight = np.where(story > 0, weight * DISTRACTOR_FACTOR, weight)
    is_key = key_facts(weight[:, :FACTS_PER_STORY], exists[:, :FACTS_PER_STORY])
    is_key = np.pad(is_key, ((0, 0), (0, shape[1] - FACTS_PER_STORY)))

    superseded_by = np.full(shape, -1, dtype=np.int64)
    target, tier_of_wrong, happens = _draw_mistakes(draws, is_key & is_numeric, tier, level)
    rows, wrong = np.arange(shape[0])[:, None], slice(shape[1] - level.most_mistakes, None)
    reported = _magnitude(book, row[rows, target], tier_of_wrong, draws.take(level.most_mistakes))
    kind[:, wrong] = np.where(happens, kind[rows, target], -1)
    superseded_by[:, wrong] = np.where(happens, target, -1)
    magnitude[:, wrong] = np.where(happens, reported, -1)
    weight[:, wrong] = np.where(happens, weight[rows, target], 0.0)

    row = np.maximum(kind, 0)
    written = book.number_phrase[book.kinds.style[row], np.maximum(magnitude, 0)]
    return Facts(
        kind=kind,
        story=story,
        magnitude=magnitude,
        object_phrase=np.where(magnitude >= 0, written, value),
        voice=voice,
        weight=weight,
        polarity=np.where(kind >= 0, book.kinds.polarity[row], 0),
        is_key=is_key,
        superseded_by=superseded_by,
    )


def _draw_events(
    book: Stylebook, draws: Draws, cast: Cast, level: Level
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the kinds of all facts, those of the stories filled in, and their stories."""
    blocks, stories = cast.event.shape
    kind = np.full((blocks, max_facts(level)), -1, dtype=np.int64)
    story = np.zeros(kind.shape, dtype=np.int64)
    order = stable_order(draws.unit(stories, MAX_PREDICATES))
    for number in range(stories):
        own = slice(number * FACTS_PER_STORY, (number + 1) * FACTS_PER_STORY)
        story[:, own] = number
        available = book.kinds.of_event[cast.event[:, number]]
        wanted = draws.between(level.facts if number == 0 else level.distractor_facts, 1)
        # The first `wanted` predicates in a drawn order, among those that the event has.
        shuffled = np.take_along_axis(available[:, 1:], order[:, number], axis=1)
        chosen = (shuffled >= 0) & (np.cumsum(shuffled >= 0, axis=1) <= wanted)
        held = np.where(chosen, shuffled, -1)
        kind[:, own.start] = available[:, 0]
        np.put_along_axis(kind[:, own.start + 1 : own.stop], order[:, number], held, axis=1)
    return kind, story


def _draw_colour(
    book: Stylebook, draws: Draws, cast: Cast, level: Level, variant: int, kind: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Fills the opinions and the background in; returns whose opinion each fact is."""
    start, end = opinions_start(level), opinions_start(level) + VOICES
    voice = np.full(kind.shape, -1, dtype=np.int64)
    quotes = draws.between(level.quotes, 1) + variant * (OOD_EXTRA // 2)
    is_quoted = np.arange(VOICES) < quotes
    is_praise = draws.below(2, VOICES)
    opinions = book.kinds.of_opinion[cast.desk[:, :1], is_praise]
    kind[:, start:end] = np.where(is_quoted, opinions, -1)
    voice[:, start:end] = np.where(is_quoted, np.arange(VOICES), -1)
    backgrounds = draws.between(level.background, 1) + variant * (OOD_EXTRA // 2)
    ranks = stable_order(stable_order(draws.unit(BACKGROUNDS)))
    kind[:, end : end + BACKGROUNDS] = np.where(
        ranks < backgrounds, book.kinds.of_background[cast.desk[:, 0]], -1
    )
    return voice


def _draw_mistakes(
    draws: Draws, can_be: NDArray[np.bool_], tier: NDArray[np.int64], level: Level
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Returns which facts are first reported wrong, the wrong reports' tiers, and if it happens."""
    most = level.most_mistakes
    taste = np.where(can_be, draws.unit(can_be.shape[1]), -1.0)
    target = stable_order(-taste)[:, :most]
    is_there = np.arange(most) < can_be.sum(axis=1, keepdims=True)
    happens = is_there & (draws.unit(most) < level.corrections)
    step = 1 + draws.below(TIERS - 1, most)
    return target, (np.take_along_axis(tier, target, axis=1) + step) % TIERS, happens


def _magnitude(
    book: Stylebook, kind: NDArray[np.int64], tier: NDArray[np.int64], words: NDArray[np.uint32]
) -> NDArray[np.int64]:
    index: NDArray[np.int64] = book.kinds.tier_start[kind, tier] + to_range(
        words, book.kinds.tier_count[kind, tier]
    )
    return index


def key_facts(weight: NDArray[np.float64], exists: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which facts of the main story the reference tells: the heaviest, event included."""
    ranked = np.where(exists, weight, -1.0)
    ranked[:, 0] = np.inf
    order = stable_order(-ranked)
    heavy = np.sum(exists & (weight >= KEY_WEIGHT), axis=1, keepdims=True)
    wanted = np.clip(heavy, *KEY_FACTS)
    is_key = np.zeros(weight.shape, dtype=bool)
    np.put_along_axis(is_key, order, np.arange(weight.shape[1]) < wanted, axis=1)
    return is_key & exists
