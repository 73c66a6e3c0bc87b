"""The words of reviews compiled into templates and phrases, once a process."""

import functools
from dataclasses import dataclass
from itertools import product

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
from lightbulb_envs.sources.names import FIRST_NAMES, PLACES, SURNAMES
from lightbulb_envs.sources.pieces import PieceVocabulary
from lightbulb_envs.sources.reviews.forms import FORMS, MENTIONS, SHIFTS
from lightbulb_envs.sources.reviews.lexicon import SUBJECTS, TURNS

SLOTS = number_slots(MENTIONS)
ASPECTS = 4
"""Of every subject."""
TITLES = (
    "{first} {last} on the {noun} {name} {cue}",
    "{first} {last} on the {noun} {name}: how was {it}? {cue}",
)
"""Without and with an aspect that is asked for."""
SIGNATURES = ("(sent from a desk)", "(sent from a phone)")


@dataclass(frozen=True)
class Wording:
    """Everything that is constant about reviews, as arrays."""

    vocabulary: PieceVocabulary
    grammar: Grammar
    opinions: Ways  # templates, by form and shift
    facts: Ways  # templates, by subject
    turns: TemplateRange
    titles: TemplateRange
    aspects: Ways  # phrases, by subject and aspect
    asked: NDArray[np.int64]  # (subjects, ASPECTS), the phrases that name aspects
    nouns: NDArray[np.int64]  # (subjects,), phrases
    places: NDArray[np.int64]  # phrases, by the number of a name
    surnames: NDArray[np.int64]  # likewise
    first_names: NDArray[np.int64]  # phrases
    signatures: NDArray[np.int64]  # phrases


@functools.cache
def wording() -> Wording:
    """Returns the compiled words; compiled at first use."""
    phrases = PhraseTable()
    templates = TemplateTable(phrases, MENTIONS)
    opinions = [templates.add_run(form(shift)) for form, shift in product(FORMS, SHIFTS)]
    facts = [templates.add_run(subject.facts) for subject in SUBJECTS]
    turns, titles = templates.add_run(TURNS), templates.add_run(TITLES)
    aspects = [phrases.add_run(nouns) for subject in SUBJECTS for nouns in subject.aspects]
    asked = [phrases.add(nouns[0]) for subject in SUBJECTS for nouns in subject.aspects]
    nouns = [phrases.add(subject.noun) for subject in SUBJECTS]
    places, surnames = phrases.add_names(PLACES), phrases.add_names(SURNAMES)
    first_names = [phrases.add(name) for name in FIRST_NAMES]
    signatures = [phrases.add(text) for text in SIGNATURES]
    vocabulary = PieceVocabulary(sorted({piece for phrase in phrases.phrases for piece in phrase}))
    return Wording(
        vocabulary=vocabulary,
        grammar=compile_grammar(vocabulary, phrases, templates),
        opinions=Ways.of((run, run) for run in opinions),
        facts=Ways.of((run, run) for run in facts),
        turns=turns,
        titles=titles,
        aspects=Ways.of((run, run) for run in aspects),
        asked=np.array(asked).reshape(len(SUBJECTS), ASPECTS),
        nouns=np.array(nouns),
        places=np.array(places),
        surnames=np.array(surnames),
        first_names=np.array(first_names),
        signatures=np.array([EMPTY, *signatures]),
    )
