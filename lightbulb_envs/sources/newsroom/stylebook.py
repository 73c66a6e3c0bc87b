"""The stylebook: the desks' words compiled into phrases and templates, once a process."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.grammar import (
    EMPTY,
    Grammar,
    PhraseTable,
    TemplateRange,
    TemplateTable,
    Ways,
    compile_grammar,
    number_slots,
)
from lightbulb_envs.sources.names import (
    COMPANIES,
    FIRST_NAMES,
    PLACES,
    SURNAMES,
    NameParts,
)
from lightbulb_envs.sources.newsroom.desk import Desk, Event
from lightbulb_envs.sources.newsroom.desks import DESKS
from lightbulb_envs.sources.newsroom.kinds import STYLES, Kind, KindTable, collect_kinds
from lightbulb_envs.sources.newsroom.numbers import VALUES, write_number
from lightbulb_envs.sources.pieces import PieceVocabulary

MENTIONS = {
    "actor": 3,
    "body": 2,
    "place": 1,
    "thing": 1,
    "event": 1,
    "day": 1,
    "n": 1,
    "value": 1,
    "voice": 3,
    "source": 1,
}
"""Mentions in templates and how many slots (phrases in a row) each fills."""
SLOTS = number_slots(MENTIONS)

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
    # Without choices, and of words that the newsroom has: so other documents stay as they are.
    "first_report": (
        "from the first reports:",
        "early, from the first papers:",
        "first, from the newspapers:",
    ),
    "later_report": (
        "from later reports:",
        "later, from another paper:",
        "hours later, from the newspapers:",
    ),
    "latest_report": (
        "from the latest reports:",
        "from the final reports:",
        "last, from the latest papers:",
    ),
}
"""What a sentence may begin with, by why it is there."""
JOINERS = (",", ", while", ", and")
"""What joins two clauses; the first joins a participle clause."""
CLOSERS = (".", ", {source} said.", ", according to {source}.", ", {source} [confirmed|reported].")
"""What a sentence may end with; the first names no source."""
STYLES_OF_DAY = ("on {day}", "late on {day}", "early on {day}")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MENTIONED = ("actor", "body", "place", "thing", "voice")


@dataclass(frozen=True)
class Names:
    """Phrases of names: `whole[name number]`, and the parts they are chosen from."""

    parts: NameParts
    whole: NDArray[np.int64]


@dataclass(frozen=True)
class Stylebook:
    """Everything that is constant about the newsroom, as arrays."""

    vocabulary: PieceVocabulary
    grammar: Grammar
    kinds: KindTable
    # Templates, by kind
    main: Ways
    tail: Ways
    reference: Ways
    reference_tail: Ways
    # Templates of the house
    openers: dict[str, TemplateRange]
    joiners: TemplateRange
    closers: TemplateRange
    mentions: dict[str, NDArray[np.bool_]]  # which templates name the actor, the body, ...
    actor_leads: NDArray[np.bool_]  # which templates start with the actor, so that "she" fits
    # Phrases, by kind, event and desk
    value: Ways
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
    # Phrases that every desk uses
    number_phrase: NDArray[np.int64]  # (styles, numbers)
    day_phrase: NDArray[np.int64]  # (styles of day, days)
    surnames: Names
    places: Names
    companies: Names
    first_names: NDArray[np.int64]
    pronoun: NDArray[np.int64]  # (he, she)


@functools.cache
def stylebook() -> Stylebook:
    """Returns the compiled stylebook; compiled at first use."""
    phrases = PhraseTable()
    templates = TemplateTable(phrases, MENTIONS)
    kinds = collect_kinds(DESKS)
    templates_of_kinds = _compile_templates(templates, kinds.rows)
    openers = {name: templates.add_run(texts) for name, texts in OPENERS.items()}
    joiners, closers = templates.add_run(JOINERS), templates.add_run(CLOSERS)
    phrases_of_desks = _compile_phrases(phrases, kinds.rows)
    shared_phrases = _compile_shared_phrases(phrases)
    names: dict[str, Any] = {
        "surnames": _name_phrases(phrases, SURNAMES),
        "places": _name_phrases(phrases, PLACES),
        "companies": _name_phrases(phrases, COMPANIES),
    }
    vocabulary = PieceVocabulary(sorted({piece for phrase in phrases.phrases for piece in phrase}))
    return Stylebook(
        vocabulary=vocabulary,
        grammar=compile_grammar(vocabulary, phrases, templates),
        kinds=kinds,
        openers=openers,
        joiners=joiners,
        closers=closers,
        mentions={
            name: np.array([name in found for found in templates.mentions]) for name in _MENTIONED
        },
        actor_leads=np.array([items[:1] == [-1 - SLOTS["actor0"]] for items in templates.items]),
        body_is_company=np.array([desk.body_names == "companies" for desk in DESKS]),
        **names,
        **templates_of_kinds,
        **phrases_of_desks,
        **shared_phrases,
    )


def _compile_templates(templates: TemplateTable, kinds: Sequence[Kind]) -> dict[str, Any]:
    """Compiles the templates of all kinds; a list that kinds share is compiled once."""
    known: dict[tuple[str, ...], TemplateRange] = {(): TemplateRange(EMPTY, 0)}

    def ways(
        usual: Callable[[Kind], tuple[str, ...]], ood: Callable[[Kind], tuple[str, ...]]
    ) -> Ways:
        for kind in kinds:
            for texts in (usual(kind), ood(kind)):
                if texts not in known:
                    known[texts] = templates.add_run(texts)
        return Ways.of((known[usual(kind)], known[ood(kind)]) for kind in kinds)

    return {
        "main": ways(lambda kind: kind.main, lambda kind: kind.ood),
        "tail": ways(lambda kind: kind.tail, lambda kind: kind.ood_tail),
        "reference": ways(lambda kind: kind.reference, lambda kind: kind.reference),
        "reference_tail": ways(lambda kind: kind.reference_tail, lambda kind: kind.reference_tail),
    }


def _compile_phrases(phrases: PhraseTable, kinds: Sequence[Kind]) -> dict[str, Any]:
    """Compiles the phrases of kinds (values), of events (nouns, things) and of desks."""
    none = TemplateRange(EMPTY, 0)

    def values(kind: Kind) -> tuple[TemplateRange, TemplateRange]:
        if kind.predicate is None or not kind.predicate.values:
            return none, none
        return phrases.add_run(kind.predicate.values), phrases.add_run(kind.predicate.ood_values)

    def desks(texts: Callable[[Desk], Iterable[str]]) -> Ways:
        runs = [phrases.add_run(texts(desk)) for desk in DESKS]
        return Ways.of((run, run) for run in runs)

    def events(texts: Callable[[Event], Iterable[str]]) -> Ways:
        runs = [phrases.add_run(texts(event)) for desk in DESKS for event in desk.events]
        return Ways.of((run, run) for run in runs)

    return {
        "value": Ways.of(values(kind) for kind in kinds),
        "noun": events(lambda event: (f"the {noun}" for noun in event.nouns)),
        "thing": events(lambda event: map(with_article, event.things)),
        "definite_thing": events(lambda event: map(definite, event.things)),
        "role_title": desks(lambda desk: (role.split("|")[0] for role in desk.roles)),
        "role_noun": desks(lambda desk: (role.split("|")[1] for role in desk.roles)),
        "body_suffix": desks(lambda desk: (body.split("|")[0] for body in desk.bodies)),
        "body_noun": desks(lambda desk: (body.split("|")[1] for body in desk.bodies)),
        "voice_role": desks(lambda desk: desk.voices),
        "source": desks(lambda desk: desk.sources),
        "place_noun": desks(lambda desk: (f"the {noun}" for noun in desk.place_nouns)),
    }


def _compile_shared_phrases(phrases: PhraseTable) -> dict[str, Any]:
    numbers = range(len(VALUES))
    return {
        "number_phrase": np.array(
            [[phrases.add(write_number(number, style)) for number in numbers] for style in STYLES]
        ),
        "day_phrase": np.array(
            [[phrases.add(form.format(day=day)) for day in DAYS] for form in STYLES_OF_DAY]
        ),
        "first_names": np.array([phrases.add(name) for name in FIRST_NAMES]),
        "pronoun": np.array([phrases.add("he"), phrases.add("she")]),
    }


def _name_phrases(phrases: PhraseTable, parts: NameParts) -> Names:
    return Names(parts, np.array(phrases.add_names(parts)))


def with_article(noun: str) -> str:
    """Returns a noun as it is first told: "a hotel", "the winter cup"."""
    if noun.startswith("the "):
        return noun
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def definite(noun: str) -> str:
    """Returns a noun as it is told later: "the hotel", "the winter cup"."""
    return "the " + noun.removeprefix("the ")
