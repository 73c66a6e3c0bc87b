"""The cast of a block of documents: who and what every story is about."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.randomness import Draws
from lightbulb_envs.sources.names import FIRST_NAMES, WOMEN
from lightbulb_envs.sources.newsroom.stylebook import DAYS, STYLES_OF_DAY, Stylebook

VOICES = 6
"""People who may be quoted in a story, at most one opinion each."""


@dataclass(frozen=True)
class Cast:
    """(N, stories) arrays of phrases, and of the numbers of events and desks."""

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


def draw_cast(book: Stylebook, draws: Draws, residue: int, stories: int, variant: int) -> Cast:
    """Draws the people, places and things of every story; no two stories share an event."""
    events = len(book.kinds.desk_of_event)
    first_event = draws.below(events, 1)
    steps = draws.below(events - stories, 1) + 1 + np.arange(stories)
    event = np.where(np.arange(stories) == 0, first_event, (first_event + steps) % events)
    desk = book.kinds.desk_of_event[event]
    surnames, places, companies = _draw_names(book, draws, residue, stories)
    first = draws.below(len(FIRST_NAMES), stories, 1 + VOICES)
    role, body, thing = (draws.take(stories) for _ in range(3))
    place_noun, noun = draws.take(stories), draws.take(stories)
    style_of_day = draws.below(len(STYLES_OF_DAY), stories)
    day = draws.below(len(DAYS), stories)
    voice = draws.take(stories, VOICES)
    return Cast(
        event=event,
        desk=desk,
        actor_first=book.first_names[first[:, :, 0]],
        actor_surname=surnames[:, :, 0],
        actor_title=book.role_title.pick(variant, desk, role),
        actor_noun=book.role_noun.pick(variant, desk, role),
        actor_is_woman=(first[:, :, 0] < len(WOMEN)).astype(np.int64),
        body_name=np.where(book.body_is_company[desk], companies, places[:, stories:]),
        body_suffix=book.body_suffix.pick(variant, desk, body),
        body_noun=book.body_noun.pick(variant, desk, body),
        place=places[:, :stories],
        place_noun=book.place_noun.pick(variant, desk, place_noun),
        thing=book.thing.pick(variant, event, thing),
        definite_thing=book.definite_thing.pick(variant, event, thing),
        noun=book.noun.pick(variant, event, noun),
        day=book.day_phrase[style_of_day, day],
        plain_day=book.day_phrase[0, day],
        voice_role=book.voice_role.pick(variant, np.repeat(desk[:, :, None], VOICES, 2), voice),
        voice_first=book.first_names[first[:, :, 1:]],
        voice_surname=surnames[:, :, 1:],
    )


def _draw_names(
    book: Stylebook, draws: Draws, residue: int, stories: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Returns phrases of surnames (N, stories, people), places (N, 2 stories) and companies.

    Names within an article start differently, so no two of its people are namesakes.
    """
    people = np.arange(stories * (1 + VOICES)).reshape(stories, 1 + VOICES)
    surname = book.surnames.parts.choose(draws.take(1), draws.take(1), residue)
    surnames = book.surnames.parts.shift_start(surname[:, :, None], people)
    place = book.places.parts.choose(draws.take(1), draws.take(1), residue)
    places = book.places.parts.shift_start(place, np.arange(2 * stories))
    company = book.companies.parts.choose(draws.take(1), draws.take(1), residue)
    companies = book.companies.parts.shift_start(company, np.arange(stories))
    return (
        book.surnames.whole[surnames],
        book.places.whole[places],
        book.companies.whole[companies],
    )
