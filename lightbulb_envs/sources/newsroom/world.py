"""A world: the stories of a block of documents, their people and places, and the facts.

Facts of a document lie in one row: for every story the event and its predicates, then the
opinions, the background and the superseded reports of the main story (story 0).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.randomness import Draws
from lightbulb_envs.sources.newsroom.desk import TIERS
from lightbulb_envs.sources.newsroom.levels import OOD_EXTRA, Level
from lightbulb_envs.sources.newsroom.names import FIRST_NAMES, WOMEN
from lightbulb_envs.sources.newsroom.stylebook import (
    BACKGROUNDS,
    FACTS_PER_STORY,
    MAX_PREDICATES,
    STYLES_OF_DAY,
    DAYS,
    Stylebook,
    Ways,
)

VOICES = 6
"""People who may be quoted, at most one opinion each."""
SUPERSEDED = 1
"""Facts reported wrong and corrected later, at most."""

TIER_CHANCES = (0.4, 0.75)
"""Cumulative chances of a minor and a middling fact; the rest are major."""
TIER_FACTORS = np.array([0.5, 1.0, 1.5])
DISTRACTOR_FACTOR = 0.4
"""A fact of another story weighs this much of what it would weigh in its own."""
KEY_WEIGHT = 0.65
"""Facts of the main story that weigh this much or more are in the reference, within KEY_FACTS."""
KEY_FACTS = (3, 6)


@dataclass(frozen=True)
class Cast:
    """Who and what a story is about: (N, stories) arrays of phrases and numbers."""

    event: NDArray[np.int64]
    desk: NDArray[np.int64]
    actor_first: NDArray[np.int64]
    actor_surname: NDArray[np.int64]
    actor_title: NDArray[np.int64]
    actor_noun: NDArray[np.int64]
    actor_is_woman: NDArray[np.int64]
    body_name: NDArray[np.int64]
    body_suffix: NDArray[np.int64]
    body_noun: NDArray[np.int64]
    place: NDArray[np.int64]
    place_noun: NDArray[np.int64]
    thing: NDArray[np.int64]
    definite_thing: NDArray[np.int64]
    noun: NDArray[np.int64]
    day: NDArray[np.int64]
    plain_day: NDArray[np.int64]
    voice_role: NDArray[np.int64]  # (N, stories, VOICES)
    voice_first: NDArray[np.int64]
    voice_surname: NDArray[np.int64]


@dataclass(frozen=True)
class Facts:
    """The facts of a block: (N, F) arrays. `kind` is -1 where a row has no fact."""

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


@dataclass(frozen=True)
class World:
    """A block of worlds."""

    cast: Cast
    facts: Facts


def stories_of(level: Level) -> int:
    """Returns how many stories an article of the level tells."""
    return 1 + level.distractors


def opinions_start(level: Level) -> int:
    """Returns where a row's opinions start; background and superseded facts follow."""
    return stories_of(level) * FACTS_PER_STORY


def max_facts(level: Level) -> int:
    """Returns the length of a row of facts."""
    return opinions_start(level) + VOICES + BACKGROUNDS + SUPERSEDED


def _pick(
    ways: Ways, variant: int, rows: NDArray[np.int64], words: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """Returns one of the phrases that `ways` has for each row."""
    count = ways.count[variant][rows].astype(np.uint64)
    return ways.start[variant][rows] + ((words * count) >> np.uint64(32)).astype(np.int64)


def draw_cast(book: Stylebook, draws: Draws, residue: int, stories: int, variant: int) -> Cast:
    """Draws the people, places and things of every story; no two stories share an event."""
    events = len(book.event_desk)
    first_event = draws.below(events, 1)
    steps = draws.below(events - stories, 1) + 1 + np.arange(stories)
    event = np.where(np.arange(stories) == 0, first_event, (first_event + steps) % events)
    desk = book.event_desk[event]

    # Names within an article start differently, so no two of its people are namesakes.
    surname = book.surnames.parts.choose(draws.take(1), draws.take(1), residue)
    person = np.arange(stories * (1 + VOICES)).reshape(stories, 1 + VOICES)
    surnames = book.surnames.whole[book.surnames.parts.shift_start(surname[:, :, None], person)]
    place = book.places.parts.choose(draws.take(1), draws.take(1), residue)
    places = book.places.whole[book.places.parts.shift_start(place, np.arange(2 * stories))]
    company = book.companies.parts.choose(draws.take(1), draws.take(1), residue)
    companies = book.companies.whole[book.companies.parts.shift_start(company, np.arange(stories))]

    first = draws.below(len(FIRST_NAMES), stories, 1 + VOICES)
    role_words = draws.take(stories)
    body_words = draws.take(stories)
    thing_words = draws.take(stories)
    thing = _pick(book.thing, variant, event, thing_words)
    return Cast(
        event=event,
        desk=desk,
        actor_first=book.first_names[first[:, :, 0]],
        actor_surname=surnames[:, :, 0],
        actor_title=_pick(book.role_title, variant, desk, role_words),
        actor_noun=_pick(book.role_noun, variant, desk, role_words),
        actor_is_woman=(first[:, :, 0] < len(WOMEN)).astype(np.int64),
        body_name=np.where(book.body_is_company[desk], companies, places[:, stories:]),
        body_suffix=_pick(book.body_suffix, variant, desk, body_words),
        body_noun=_pick(book.body_noun, variant, desk, body_words),
        place=places[:, :stories],
        place_noun=_pick(book.place_noun, variant, desk, draws.take(stories)),
        thing=thing,
        definite_thing=_pick(book.definite_thing, variant, event, thing_words),
        noun=_pick(book.noun, variant, event, draws.take(stories)),
        day=book.day_phrase[
            draws.below(len(STYLES_OF_DAY), stories), (day := draws.below(len(DAYS), stories))
        ],
        plain_day=book.day_phrase[0, day],
        voice_role=_pick(
            book.voice_role,
            variant,
            np.repeat(desk[:, :, None], VOICES, 2),
            draws.take(stories, VOICES),
        ),
        voice_first=book.first_names[first[:, :, 1:]],
        voice_surname=surnames[:, :, 1:],
    )


def draw_facts(book: Stylebook, draws: Draws, cast: Cast, level: Level, variant: int) -> Facts:
    """Draws which facts hold, their numbers and phrases, and weighs them."""
    blocks, stories = cast.event.shape
    start = opinions_start(level)
    kind = np.full((blocks, max_facts(level)), -1, dtype=np.int64)
    story = np.zeros(kind.shape, dtype=np.int64)
    voice = np.full(kind.shape, -1, dtype=np.int64)

    order = np.argsort(draws.unit(stories, MAX_PREDICATES), axis=2, kind="stable")
    for number in range(stories):
        base = number * FACTS_PER_STORY
        story[:, base : base + FACTS_PER_STORY] = number
        available = book.event_kind[cast.event[:, number]]
        bounds = level.facts if number == 0 else level.distractor_facts
        wanted = draws.between(bounds, 1)
        # The first `wanted` predicates in a drawn order, among those that the event has.
        shuffled = np.take_along_axis(available[:, 1:], order[:, number], axis=1)
        chosen = (shuffled >= 0) & (np.cumsum(shuffled >= 0, axis=1) <= wanted)
        kind[:, base] = available[:, 0]
        held = np.where(chosen, shuffled, -1)
        np.put_along_axis(
            kind[:, base + 1 : base + FACTS_PER_STORY], order[:, number], held, axis=1
        )

    quotes = draws.between(level.quotes, 1) + variant * (OOD_EXTRA // 2)
    is_quoted = np.arange(VOICES) < quotes
    is_praise = draws.below(2, VOICES)
    opinions = book.opinion_kind[cast.desk[:, :1], is_praise]
    kind[:, start : start + VOICES] = np.where(is_quoted, opinions, -1)
    voice[:, start : start + VOICES] = np.where(is_quoted, np.arange(VOICES), -1)
    backgrounds = draws.between(level.background, 1) + variant * (OOD_EXTRA // 2)
    ranks = np.argsort(np.argsort(draws.unit(BACKGROUNDS), axis=1, kind="stable"), axis=1)
    kind[:, start + VOICES : start + VOICES + BACKGROUNDS] = np.where(
        ranks < backgrounds, book.background_kind[cast.desk[:, 0]], -1
    )

    row = np.maximum(kind, 0)
    exists = kind >= 0
    tier_draw = draws.unit(kind.shape[1])
    tier = (tier_draw >= TIER_CHANCES[0]).astype(np.int64) + (tier_draw >= TIER_CHANCES[1])
    magnitude_words = draws.take(kind.shape[1])
    is_numeric = exists & book.is_numeric[row]
    magnitude = np.where(is_numeric, _magnitude(book, row, tier, magnitude_words), -1)
    value = _pick(book.value, variant, row, draws.take(kind.shape[1]))
    scale = np.where(is_numeric & (np.arange(kind.shape[1]) < start), TIER_FACTORS[tier], 1.0)
    weight = np.where(exists, book.weight[row] * scale, 0.0)
    weight = np.where(story > 0, weight * DISTRACTOR_FACTOR, weight)
    is_key = _key_facts(weight[:, :FACTS_PER_STORY], exists[:, :FACTS_PER_STORY])
    is_key = np.pad(is_key, ((0, 0), (0, kind.shape[1] - FACTS_PER_STORY)))

    # A corrected number: the wrong report has the kind of the true one and another tier.
    superseded_by = np.full(kind.shape, -1, dtype=np.int64)
    wrong = kind.shape[1] - SUPERSEDED
    can_be = is_key & is_numeric
    target = np.argmax(np.where(can_be, draws.unit(kind.shape[1]), -1.0), axis=1)
    happens = can_be.any(axis=1) & (draws.unit(1)[:, 0] < level.corrections)
    rows = np.arange(blocks)
    wrong_tier = (tier[rows, target] + 1 + draws.below(TIERS - 1, 1)[:, 0]) % TIERS
    wrong_magnitude = _magnitude(book, row[rows, target], wrong_tier, draws.take(1)[:, 0])
    kind[:, wrong] = np.where(happens, kind[rows, target], -1)
    superseded_by[:, wrong] = np.where(happens, target, -1)
    magnitude[:, wrong] = np.where(happens, wrong_magnitude, -1)
    weight[:, wrong] = np.where(happens, weight[rows, target], 0.0)

    row = np.maximum(kind, 0)
    number = book.number_phrase[book.style[row], np.maximum(magnitude, 0)]
    return Facts(
        kind=kind,
        story=story,
        magnitude=magnitude,
        object_phrase=np.where(magnitude >= 0, number, value),
        voice=voice,
        weight=weight,
        polarity=np.where(kind >= 0, book.polarity[row], 0),
        is_key=is_key,
        superseded_by=superseded_by,
    )


def _magnitude(
    book: Stylebook, kind: NDArray[np.int64], tier: NDArray[np.int64], words: NDArray[np.uint32]
) -> NDArray[np.int64]:
    count = book.tier_count[kind, tier].astype(np.uint64)
    return book.tier_start[kind, tier] + ((words * count) >> np.uint64(32)).astype(np.int64)


def _key_facts(weight: NDArray[np.float64], exists: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which facts of the main story the reference tells: the heaviest, event included."""
    ranked = np.where(exists, weight, -1.0)
    ranked[:, 0] = np.inf
    order = np.argsort(-ranked, axis=1, kind="stable")
    heavy = np.sum(exists & (weight >= KEY_WEIGHT), axis=1, keepdims=True)
    wanted = np.clip(heavy, *KEY_FACTS)
    is_key = np.zeros(weight.shape, dtype=bool)
    np.put_along_axis(is_key, order, np.arange(weight.shape[1]) < wanted, axis=1)
    return is_key & exists
