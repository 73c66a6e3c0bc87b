"""The desks compiled: one row a kind of fact, and the phrases and templates that state it."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.newsroom.desk import TIERS, Desk, NumberStyle, Predicate, Subject
from lightbulb_envs.sources.newsroom.desks import DESKS
from lightbulb_envs.sources.newsroom.grammar import (
    EMPTY,
    SLOTS,
    Grammar,
    PhraseTable,
    Ragged,
    TemplateRange,
    TemplateTable,
)
from lightbulb_envs.sources.newsroom.names import (
    COMPANIES,
    FIRST_NAMES,
    PLACES,
    SURNAMES,
    NameParts,
)
from lightbulb_envs.sources.newsroom.numbers import VALUES, index_range, write_number
from lightbulb_envs.sources.newsroom.vocabulary import NewsroomVocabulary

MAX_PREDICATES = 8
"""Predicates that an event may have; slot 0 of an event's facts is the event itself."""
FACTS_PER_STORY = 1 + MAX_PREDICATES
BACKGROUNDS = 4
STYLES: tuple[NumberStyle, ...] = ("count", "digits", "year")

OPINION_WEIGHT = 0.25
OPENERS: dict[str, tuple[str, ...]] = {
    "link": (
        "in addition,",
        "according to {source},",
        "{source} [added|also said||disclosed] that",
        "it [also emerged|is also known||transpired] that",
    ),
    "repeat": (
        "in short,",
        "[in other words|to sum up||to put it differently],",
        "as {source} had said,",
        "{source} [repeated|confirmed||reiterated] that",
    ),
    "early": (
        "early reports said that",
        "at first, {source} said that",
        "it was first reported that",
    ),
    "correction": (
        "{source} later corrected this:",
        "in fact, {source} [said|explained] later,",
        "the figure was later revised:",
    ),
    "elsewhere": (
        "elsewhere,",
        "in other news,",
        "separately,",
        "in [another|an unrelated] story,",
    ),
}
JOINERS = (",", ", while", ", and")
CLOSERS = (".", ", {source} said.", ", according to {source}.", ", {source} [confirmed|reported].")
STYLES_OF_DAY = ("on {day}", "late on {day}", "early on {day}")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Kind:
    """A kind of fact: an event, a predicate of an event, an opinion or a piece of background."""

    name: str
    desk: str
    subject: Subject
    weight: float
    polarity: int
    main: tuple[str, ...]
    ood: tuple[str, ...]
    tail: tuple[str, ...] = ()
    ood_tail: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    reference_tail: tuple[str, ...] = ()
    predicate: Predicate | None = None


@dataclass(frozen=True)
class Ways:
    """Where the templates of every kind start and how many there are: (usual, ood) by kind."""

    start: NDArray[np.int64]
    count: NDArray[np.int64]

    @staticmethod
    def of(pairs: Iterable[tuple[TemplateRange, TemplateRange]]) -> "Ways":
        listed = list(pairs)
        return Ways(
            np.array([[pair[variant].start for pair in listed] for variant in (0, 1)]),
            np.array([[pair[variant].count for pair in listed] for variant in (0, 1)]),
        )


@dataclass(frozen=True)
class Names:
    """Phrases of names: `whole[name number]`, and the parts they are chosen from."""

    parts: NameParts
    whole: NDArray[np.int64]


@dataclass(frozen=True)
class Stylebook:
    """Everything that is constant about the newsroom, as arrays."""

    vocabulary: NewsroomVocabulary
    grammar: Grammar
    kinds: tuple[Kind, ...]
    weight: NDArray[np.float64]
    polarity: NDArray[np.int64]
    is_numeric: NDArray[np.bool_]
    tier_start: NDArray[np.int64]  # (kinds, TIERS), an index into VALUES
    tier_count: NDArray[np.int64]
    style: NDArray[np.int64]
    value: Ways
    main: Ways
    tail: Ways
    reference: Ways
    reference_tail: Ways
    openers: dict[str, TemplateRange]
    joiners: TemplateRange
    closers: TemplateRange
    mentions: dict[str, NDArray[np.bool_]]  # which templates name the actor, the body, ...
    actor_leads: NDArray[np.bool_]  # which templates start with the actor, so that "she" fits
    number_phrase: NDArray[np.int64]  # (styles, numbers)
    day_phrase: NDArray[np.int64]  # (styles of day, days)
    event_desk: NDArray[np.int64]
    event_kind: NDArray[np.int64]  # (events, FACTS_PER_STORY), -1 where there is none
    background_kind: NDArray[np.int64]  # (desks, BACKGROUNDS)
    opinion_kind: NDArray[np.int64]  # (desks, 2): criticism, praise
    noun: Ways
    thing: Ways
    definite_thing: Ways
    role_title: Ways
    role_noun: Ways
    body_suffix: Ways
    body_noun: Ways
    body_is_company: NDArray[np.bool_]
    voice_role: Ways
    source: Ways
    place_noun: Ways
    surnames: Names
    places: Names
    companies: Names
    first_names: NDArray[np.int64]
    pronoun: NDArray[np.int64]  # (he, she)
    possessive: NDArray[np.int64]  # (his, her)
    apostrophe: int


def _desk_kinds(desk: Desk) -> tuple[list[list[Kind]], list[Kind], list[Kind]]:
    """Returns the kinds of a desk: a list an event (the event first), backgrounds, opinions."""

    def of(predicate: Predicate) -> Kind:
        return Kind(
            name=predicate.name,
            desk=desk.name,
            subject=predicate.subject,
            weight=predicate.weight,
            polarity=predicate.polarity,
            main=predicate.main,
            ood=predicate.ood,
            tail=predicate.tail,
            ood_tail=predicate.ood_tail,
            reference=predicate.reference,
            reference_tail=predicate.reference_tail,
            predicate=predicate,
        )

    events = [
        [
            Kind(
                name=event.name,
                desk=desk.name,
                subject="place",
                weight=event.weight,
                polarity=event.polarity,
                main=event.main,
                ood=event.ood,
                reference=event.reference,
            ),
            *(of(predicate) for predicate in event.predicates),
        ]
        for event in desk.events
    ]
    opinions = [
        Kind(name, desk.name, "event", OPINION_WEIGHT, polarity, main, ood)
        for name, polarity, main, ood in (
            ("criticism", -1, desk.criticism, desk.ood_criticism),
            ("praise", 1, desk.praise, desk.ood_praise),
        )
    ]
    return events, [of(background) for background in desk.backgrounds], opinions


def _with_article(noun: str) -> str:
    if noun.startswith("the "):
        return noun
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def _name_phrases(phrases: PhraseTable, parts: NameParts) -> Names:
    whole = [
        phrases.add_pieces((start, "##" + end)) for start in parts.starts for end in parts.ends
    ]
    return Names(parts, np.array(whole))


@functools.cache
def stylebook() -> Stylebook:
    """Returns the compiled stylebook; compiled once a process, at first use."""
    phrases = PhraseTable()
    templates = TemplateTable(phrases)
    none = TemplateRange(EMPTY, 0)

    by_desk = [_desk_kinds(desk) for desk in DESKS]
    kinds: list[Kind] = []
    event_kind, background_kind, opinion_kind, event_desk = [], [], [], []
    for number, (events, backgrounds, opinions) in enumerate(by_desk):
        for event in events:
            if len(event) > FACTS_PER_STORY:
                raise ValueError(
                    f"event {event[0].name!r} has more than {MAX_PREDICATES} predicates"
                )
            row = list(range(len(kinds), len(kinds) + len(event)))
            event_kind.append(row + [-1] * (FACTS_PER_STORY - len(row)))
            event_desk.append(number)
            kinds.extend(event)
        if len(backgrounds) != BACKGROUNDS:
            raise ValueError(f"desk {DESKS[number].name!r} needs {BACKGROUNDS} backgrounds")
        background_kind.append(list(range(len(kinds), len(kinds) + BACKGROUNDS)))
        kinds.extend(backgrounds)
        opinion_kind.append([len(kinds), len(kinds) + 1])
        kinds.extend(opinions)

    def ways(
        usual: Callable[[Kind], tuple[str, ...]], ood: Callable[[Kind], tuple[str, ...]]
    ) -> Ways:
        """Compiles one pair of template lists a kind; a list shared by kinds is compiled once."""
        known: dict[tuple[str, ...], TemplateRange] = {(): none}
        for kind in kinds:
            for texts in (usual(kind), ood(kind)):
                if texts not in known:
                    known[texts] = templates.add_run(texts)
        return Ways.of((known[usual(kind)], known[ood(kind)]) for kind in kinds)

    def values_of(kind: Kind) -> tuple[TemplateRange, TemplateRange]:
        if kind.predicate is None or not kind.predicate.values:
            return none, none
        return phrases.add_run(kind.predicate.values), phrases.add_run(kind.predicate.ood_values)

    def run_of_desks(texts: Callable[[Desk], Iterable[str]]) -> Ways:
        runs = [phrases.add_run(texts(desk)) for desk in DESKS]
        return Ways.of((run, run) for run in runs)

    def run_of_events(texts: Callable[[int, int], Iterable[str]]) -> Ways:
        runs = [
            phrases.add_run(texts(desk, event))
            for desk in range(len(DESKS))
            for event in range(len(DESKS[desk].events))
        ]
        return Ways.of((run, run) for run in runs)

    tiers = [
        [index_range(low, high, kind.predicate.style) for low, high in kind.predicate.tiers]
        if kind.predicate is not None and kind.predicate.tiers
        else [(0, 0)] * TIERS
        for kind in kinds
    ]
    main = ways(lambda kind: kind.main, lambda kind: kind.ood)
    tail = ways(lambda kind: kind.tail, lambda kind: kind.ood_tail)
    reference = ways(lambda kind: kind.reference, lambda kind: kind.reference)
    reference_tail = ways(lambda kind: kind.reference_tail, lambda kind: kind.reference_tail)
    openers = {name: templates.add_run(texts) for name, texts in OPENERS.items()}
    joiners = templates.add_run(JOINERS)
    closers = templates.add_run(CLOSERS)
    value = Ways.of(values_of(kind) for kind in kinds)
    tables = {
        "noun": run_of_events(lambda d, e: (f"the {noun}" for noun in DESKS[d].events[e].nouns)),
        "thing": run_of_events(lambda d, e: (_with_article(x) for x in DESKS[d].events[e].things)),
        "definite_thing": run_of_events(
            lambda d, e: (f"the {x.removeprefix('the ')}" for x in DESKS[d].events[e].things)
        ),
        "role_title": run_of_desks(lambda desk: (role.split("|")[0] for role in desk.roles)),
        "role_noun": run_of_desks(lambda desk: (role.split("|")[1] for role in desk.roles)),
        "body_suffix": run_of_desks(lambda desk: (body.split("|")[0] for body in desk.bodies)),
        "body_noun": run_of_desks(lambda desk: (body.split("|")[1] for body in desk.bodies)),
        "voice_role": run_of_desks(lambda desk: desk.voices),
        "source": run_of_desks(lambda desk: desk.sources),
        "place_noun": run_of_desks(lambda desk: (f"the {noun}" for noun in desk.place_nouns)),
    }
    number_phrase = np.array(
        [[phrases.add(write_number(n, style)) for n in range(len(VALUES))] for style in STYLES]
    )
    day_phrase = np.array(
        [[phrases.add(form.format(day=day)) for day in DAYS] for form in STYLES_OF_DAY]
    )
    surnames, places, companies = (
        _name_phrases(phrases, parts) for parts in (SURNAMES, PLACES, COMPANIES)
    )
    first_names = np.array([phrases.add(name) for name in FIRST_NAMES])
    pronoun = np.array([phrases.add("he"), phrases.add("she")])
    possessive = np.array([phrases.add("his"), phrases.add("her")])
    apostrophe = phrases.add("'s", joins=True)

    vocabulary = NewsroomVocabulary(
        sorted({piece for phrase in phrases.phrases for piece in phrase})
    )
    choices = [templates.choices(ood=ood) for ood in (False, True)]
    grammar = Grammar(
        templates=Ragged.of(templates.items),
        phrases=Ragged.of(
            [vocabulary.ids[piece] for piece in phrase] for phrase in phrases.phrases
        ),
        choice_start=(choices[0][0], choices[1][0]),
        choice_count=(choices[0][1], choices[1][1]),
    )
    return Stylebook(
        vocabulary=vocabulary,
        grammar=grammar,
        kinds=tuple(kinds),
        weight=np.array([kind.weight for kind in kinds]),
        polarity=np.array([kind.polarity for kind in kinds]),
        is_numeric=np.array(
            [kind.predicate is not None and bool(kind.predicate.tiers) for kind in kinds]
        ),
        tier_start=np.array([[start for start, _ in row] for row in tiers]),
        tier_count=np.array([[count for _, count in row] for row in tiers]),
        style=np.array(
            [
                STYLES.index(kind.predicate.style) if kind.predicate is not None else 0
                for kind in kinds
            ]
        ),
        value=value,
        main=main,
        tail=tail,
        reference=reference,
        reference_tail=reference_tail,
        openers=openers,
        joiners=joiners,
        closers=closers,
        mentions={
            name: np.array(
                [not found.isdisjoint((name, f"{name}'s")) for found in templates.mentions]
            )
            for name in ("actor", "body", "place", "thing", "voice")
        },
        actor_leads=np.array([items[:1] == [-1 - SLOTS["actor0"]] for items in templates.items]),
        number_phrase=number_phrase,
        day_phrase=day_phrase,
        event_desk=np.array(event_desk),
        event_kind=np.array(event_kind),
        background_kind=np.array(background_kind),
        opinion_kind=np.array(opinion_kind),
        body_is_company=np.array([desk.body_names == "companies" for desk in DESKS]),
        surnames=surnames,
        places=places,
        companies=companies,
        first_names=first_names,
        pronoun=pronoun,
        possessive=possessive,
        apostrophe=apostrophe,
        **tables,
    )
