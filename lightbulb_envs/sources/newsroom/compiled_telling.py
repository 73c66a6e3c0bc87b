"""Telling a block in C: the tokens and words of whole documents in one pass.

The specification is `telling.choose_templates`, and `telling.fill_slots`, `Grammar.tell`,
`PieceVocabulary.words` and `pad`; this gives the same arrays from the same draws.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.randomness import Draws
from lightbulb_envs.sources.newsroom.cast import Cast
from lightbulb_envs.sources.newsroom.facts import Facts
from lightbulb_envs.sources.newsroom.plan import Plan, Role
from lightbulb_envs.sources.newsroom.stylebook import Stylebook
from lightbulb_envs.sources.newsroom.telling import (
    BODY_NOUN_CHANCE,
    EARLY_CHANCE,
    LINK_CHANCE,
    PLACE_NOUN_CHANCE,
    PRONOUN_CHANCE,
    REPEAT_OPENER_CHANCE,
    ROLE_CHANCE,
    SEGMENTS,
    SOURCE_CHANCE,
)

_CAST = (
    "desk",
    "actor_title",
    "actor_first",
    "actor_surname",
    "actor_noun",
    "actor_is_woman",
    "body_name",
    "body_noun",
    "body_suffix",
    "place",
    "place_noun",
    "thing",
    "definite_thing",
    "noun",
)
_VOICES = ("voice_role", "voice_first", "voice_surname")
_RUNS = ("link", "repeat", *(role.name.lower() for role in Role if role >= Role.EARLY))
"""Openers; joiners and closers follow."""
_WORDING_CHANCES = (LINK_CHANCE, 1 - EARLY_CHANCE, REPEAT_OPENER_CHANCE, SOURCE_CHANCE)
_CHANCES = (PRONOUN_CHANCE, 1 - ROLE_CHANCE, BODY_NOUN_CHANCE, PLACE_NOUN_CHANCE)


class CompiledTelling:
    """A stylebook's tables as the kernel reads them.

    Args:
        module: the C extension.
        book: the stylebook.
        variant: 1 for `ood`'s ways to say things, 0 for the usual ones.
    """

    def __init__(self, module: Any, book: Stylebook, variant: int):
        self._module = module
        grammar, vocabulary = book.grammar, book.vocabulary
        is_event = np.zeros(len(book.kinds.rows), dtype=np.bool_)
        is_event[book.kinds.of_event[:, 0]] = True
        self._num_fragments = len(vocabulary.fragment_texts)
        self._tables = (
            *(grammar.templates.values, grammar.templates.starts, grammar.templates.lengths),
            *(grammar.phrases.values, grammar.phrases.starts, grammar.phrases.lengths),
            grammar.choice_start[variant],
            grammar.choice_count[variant],
            np.stack([book.mentions[n] for n in ("actor", "body", "place", "thing", "voice")]),
            book.actor_leads,
            is_event,
            book.pronoun,
            np.ascontiguousarray(book.source.start[variant]),
            np.ascontiguousarray(book.source.count[variant]),
            vocabulary.fragment,
            vocabulary.joins_word,
        )
        runs = [book.openers[name] for name in _RUNS] + [book.joiners, book.closers]
        self._wordings = (
            *(np.ascontiguousarray(book.main.start[variant]), book.main.count[variant].copy()),
            *(np.ascontiguousarray(book.tail.start[variant]), book.tail.count[variant].copy()),
            is_event,
            np.array([[run.start, run.count] for run in runs]),
        )

    def choose(self, draws: Draws, facts: Facts, plan: Plan) -> NDArray[np.int64]:
        """Returns the wording of every sentence of articles, (N, S, SEGMENTS)."""
        blocks, sentences = plan.first.shape
        templates = np.empty((blocks, sentences, SEGMENTS), dtype=np.int64)
        taken = (sentences, 1, *[sentences] * 6)
        arrays = (
            *(plan.first, plan.second, plan.role, plan.is_tail, facts.kind, facts.voice),
            *(np.ascontiguousarray(draws.take(count)) for count in taken),
            templates,
        )
        self._module.choose_block(self._wordings, arrays, _WORDING_CHANCES)
        return templates

    def tell(
        self,
        draws: Draws,
        cast: Cast,
        facts: Facts,
        plan: Plan,
        templates: NDArray[np.int64],  # (N, S, SEGMENTS)
        *,
        is_reference: bool,
        tokens: NDArray[np.int32],
        words: NDArray[np.int32],
    ) -> None:
        """Writes tokens (N, S', T), unless T is 0, and words (N, S', W); S' may be more than S."""
        sentences = templates.shape[1]
        day = cast.plain_day if is_reference else cast.day
        people = np.stack([getattr(cast, name) for name in _VOICES])
        arrays = (
            templates,
            *(plan.first, plan.second, plan.story, plan.passage),
            *(facts.kind, facts.voice, facts.object_phrase),
            np.stack([*(getattr(cast, name) for name in _CAST), day]),
            people.reshape(*people.shape[:2], -1),
            np.ascontiguousarray(draws.take(sentences)),
            np.ascontiguousarray(draws.take(sentences, 3)),
            np.ascontiguousarray(draws.take(sentences)),
            tokens,
            words,
        )
        self._module.tell_block(self._tables, arrays, self._num_fragments, _CHANCES)
