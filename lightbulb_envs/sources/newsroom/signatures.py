"""The newsroom's signatures: what its templates say around a fact's number or phrase.

"{actor} must go to prison for {n} years" has the signature "must go to prison for {n} years": it
leaves open who is named, and how. An event's goes around the thing that it happened to, or around
its place where the template has no thing, and is its last words where it has neither; an opinion's
is the quote and who said it. The templates of all splits count, and those of references.
"""

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.names import COMPANIES, FIRST_NAMES, PLACES, SURNAMES, NameParts
from lightbulb_envs.sources.newsroom.cast import Cast
from lightbulb_envs.sources.newsroom.desk import Desk, Event
from lightbulb_envs.sources.newsroom.desks import DESKS
from lightbulb_envs.sources.newsroom.facts import Facts
from lightbulb_envs.sources.newsroom.kinds import FACTS_PER_STORY, Kind
from lightbulb_envs.sources.newsroom.numbers import VALUES
from lightbulb_envs.sources.newsroom.stylebook import (
    definite,
    stylebook,
    with_article,
)
from lightbulb_envs.sources.signatures import (
    ANY_VALUE,
    FIRST_NAME,
    NAME,
    NUMBER,
    SAID_NAME,
    SAID_NUMBER,
    Propositions,
    Signatures,
)
from lightbulb_envs.words import split_words

_CHOICE = re.compile(r"\[([^\]]*)\]")
_SLOT = re.compile(r"\{([^}]*)\}")
_FEWEST_WORDS = 2
"""Words of a signature besides what stands for its slots, where the template has so many."""
_Items = list[str]
"""A template as words and slots; a slot keeps its braces."""
_Words = list[str | int]
_Ways = Mapping[str, Sequence[Sequence[str | int]]]
"""What a slot may be filled with."""


@functools.cache
def newsroom_signatures() -> Signatures:
    """Returns the signatures of all facts of the newsroom; compiled at first use."""
    names = {
        name.lower(): None for parts in (SURNAMES, PLACES, COMPANIES) for name in _names(parts)
    }
    signatures = Signatures(names, [name.lower() for name in FIRST_NAMES])
    kinds = stylebook().kinds
    for number, kind in enumerate(kinds.rows):
        for template in _templates(kind):
            _add(signatures, number, kind, _desk(kind), _event(kinds.of_event, number), template)
    return signatures


def _names(parts: NameParts) -> Iterator[str]:
    return (start + end for start in parts.starts for end in parts.ends)


def _desk(kind: Kind) -> Desk:
    return next(desk for desk in DESKS if desk.name == kind.desk)


def _event(of_event: NDArray[np.int64], kind: int) -> Event | None:
    """Returns the event that a kind is, None if it is another kind of fact."""
    events = [event for desk in DESKS for event in desk.events]
    return next((events[at] for at in np.flatnonzero(of_event[:, 0] == kind).tolist()), None)


def _templates(kind: Kind) -> Iterator[_Items]:
    """Yields every way to tell a kind, choices made."""
    texts = (kind.main, kind.tail, kind.reference, kind.reference_tail, kind.ood, kind.ood_tail)
    for text in itertools.chain(*texts):
        plain = _CHOICE.split(text)
        ways = [[part] for part in plain]
        for place in range(1, len(plain), 2):
            ways[place] = plain[place].replace("||", "|").split("|")
        for parts in itertools.product(*ways):
            pieces = _SLOT.split("".join(parts))
            items: _Items = []
            for place, piece in enumerate(pieces):
                items += [f"{{{piece}}}"] if place % 2 else split_words(piece)
            yield items


def _add(
    signatures: Signatures,
    number: int,
    kind: Kind,
    desk: Desk,
    event: Event | None,
    template: _Items,
) -> None:
    """Adds the signatures of one way to tell a kind."""
    named = _ways_to_name(desk)
    if event is not None:
        _add_event(signatures, number, event, named, template)
    elif kind.predicate is None:
        run = _run(template, "{voice}")
        for words in _filled(run, named):
            signatures.add(words, (number, SAID_NAME))
    elif "{n}" in template:
        run = _run(template, "{n}")
        later = range(run.index("{n}") + 1, len(run))
        end = next((at for at in later if signatures.say(run[at]).symbol == NUMBER), len(run))
        for words in _filled(run[:end], {**named, "{n}": [[NUMBER]]}):
            signatures.add(words, (number, SAID_NUMBER))
    else:
        run = _run(template, "{value}")
        for phrase in (*kind.predicate.values, *kind.predicate.ood_values):
            value = signatures.value_of_phrase(phrase)
            for words in _filled(run, {**named, "{value}": [split_words(phrase)]}):
                signatures.add(words, (number, value))


def _add_event(
    signatures: Signatures, number: int, event: Event, named: _Ways, template: _Items
) -> None:
    if "{thing}" in template:
        run = _run(template, "{thing}")
        for thing in event.things:
            told = [split_words(text) for text in (with_article(thing), definite(thing))]
            value = signatures.value_of_phrase(thing)
            for words in _filled(run, {**named, "{thing}": told}):
                signatures.add(words, (number, value))
        return
    around, value = ("{place}", SAID_NAME) if "{place}" in template else (template[-1], ANY_VALUE)
    for words in _filled(_run(template, around), {**named, "{place}": [[NAME]]}):
        signatures.add(words, (number, value))


def _ways_to_name(desk: Desk) -> _Ways:
    """Returns the ways in which people, bodies and places are named."""
    places: list[_Words] = [["the", noun] for noun in desk.place_nouns]
    bodies: list[_Words] = []
    for body in desk.bodies:
        suffix, _, noun = body.partition("|")
        bodies += [[NAME, *split_words(suffix)], [*split_words(noun)]]
    people: list[_Words] = [[NAME], ["he"], ["she"]]
    for role in desk.roles:
        title, _, noun = role.partition("|")
        people += [[*split_words(title), FIRST_NAME, NAME], [*split_words(noun)]]
    return {
        "{place}": [[NAME], *places],
        "{body}": bodies,
        "{actor}": people,
        "{voice}": [[*split_words(voice), FIRST_NAME, NAME] for voice in desk.voices],
    }


def _run(template: _Items, around: str) -> _Items:
    """Returns what stands around a slot, up to the next slot but that for the place.

    Where that is no more than a word, it goes on over people and bodies.
    """
    run = _stretch(template, around, ("{place}",))
    if not _is_enough(run) and around not in ("{value}", "{voice}"):
        run = _stretch(template, around, ("{place}", "{actor}", "{body}"))
        while len(run) > 1 and run[0] in ("{actor}", "{body}") and _is_enough(run[1:]):
            run = run[1:]
        while len(run) > 1 and run[-1] in ("{actor}", "{body}") and _is_enough(run[:-1]):
            run = run[:-1]
    return run


def _is_enough(run: _Items) -> bool:
    return sum(one[0] != "{" for one in run) >= _FEWEST_WORDS


def _stretch(template: _Items, around: str, over: Sequence[str]) -> _Items:
    place = template.index(around)
    start, end = place, place + 1
    while start > 0 and (template[start - 1][0] != "{" or template[start - 1] in over):
        start -= 1
    while end < len(template) and (template[end][0] != "{" or template[end] in over):
        end += 1
    return template[start:end]


def _filled(run: _Items, ways: _Ways) -> Iterator[list[str | int]]:
    """Yields a run with its slots filled in, in every way."""
    for parts in itertools.product(*(ways.get(one, [[one]]) for one in run)):
        yield [word for part in parts for word in part]


@functools.cache
def _value_of_phrase() -> NDArray[np.int64]:
    """Returns the value that a phrase of the stylebook is to signatures, by its number."""
    book, signatures = stylebook(), newsroom_signatures()
    values = np.full(len(book.grammar.phrases.lengths), -1, dtype=np.int64)

    def put(start: int, phrases: Sequence[str]) -> None:
        values[start : start + len(phrases)] = [signatures.value_of_phrase(one) for one in phrases]

    for number, kind in enumerate(book.kinds.rows):
        if kind.predicate is not None and kind.predicate.values:
            put(int(book.value.start[0][number]), kind.predicate.values)
            put(int(book.value.start[1][number]), kind.predicate.ood_values)
    for number, event in enumerate(event for desk in DESKS for event in desk.events):
        put(int(book.thing.start[0][number]), event.things)
    for told in (book.surnames, book.places):
        for phrase, name in zip(told.whole.tolist(), _names(told.parts), strict=True):
            values[phrase] = signatures.value_of_name(name.lower())
    return values


def propositions_of(cast: Cast, facts: Facts) -> Propositions:
    """Returns what the facts of a block of worlds are, for signatures."""
    value_of = _value_of_phrase()
    rows = np.arange(len(facts.kind))[:, None]
    spoken = cast.voice_surname[rows, facts.story, np.maximum(facts.voice, 0)]
    phrase = np.where(facts.voice >= 0, spoken, facts.object_phrase)
    fact = np.tile(np.arange(facts.kind.shape[1]), (len(facts.kind), 1))
    event = np.arange(cast.event.shape[1]) * FACTS_PER_STORY
    phrase[:, event] = cast.thing
    numbers = np.array(VALUES, dtype=np.int64)[np.maximum(facts.magnitude, 0)]
    value = np.where(facts.magnitude >= 0, numbers, value_of[phrase])
    return Propositions(
        fact=np.concatenate([fact, fact[:, event]], axis=1),
        kind=np.concatenate([facts.kind, facts.kind[:, event]], axis=1),
        value=np.concatenate([value, value_of[cast.place]], axis=1),
    )
