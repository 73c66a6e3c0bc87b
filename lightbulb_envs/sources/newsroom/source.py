"""The newsroom as a source of documents: arrays in blocks, text on request."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import NO_FACT, PADDING_WORD, Document, DocumentBatch, Fact
from lightbulb_envs.kernel import native
from lightbulb_envs.ragged import pad
from lightbulb_envs.randomness import Draws
from lightbulb_envs.sources.newsroom.cast import Cast, draw_cast
from lightbulb_envs.sources.newsroom.compiled_telling import CompiledTelling
from lightbulb_envs.sources.newsroom.facts import Facts, draw_facts, stories_of
from lightbulb_envs.sources.newsroom.kinds import STYLES
from lightbulb_envs.sources.newsroom.levels import level_attributes
from lightbulb_envs.sources.newsroom.numbers import VALUES, write_number
from lightbulb_envs.sources.newsroom.plan import (
    MAX_REFERENCE,
    Plan,
    Role,
    draw_plan,
    draw_reference_plan,
)
from lightbulb_envs.sources.newsroom.reports import draw_reports_plan
from lightbulb_envs.sources.newsroom.signatures import newsroom_signatures, propositions_of
from lightbulb_envs.sources.newsroom.stylebook import stylebook
from lightbulb_envs.sources.newsroom.telling import (
    choose_reference_templates,
    choose_templates,
    fill_slots,
)
from lightbulb_envs.sources.retokenised import RetokenisedSource
from lightbulb_envs.sources.signatures import Propositions, Signatures
from lightbulb_envs.sources.source import Places, Source, SourceConfig
from lightbulb_envs.splits import SUITE_VERSION, document_key, split_residue
from lightbulb_envs.subwords import SubwordVocabulary

SUITE = "newsroom"
MAX_TOKENS = 48
"""Pieces of a sentence, at most."""
MAX_WORDS = 44
"""ROUGE words of a sentence, at most."""
_WORLD, _PLAN, _TELLING, _REFERENCE_PLAN, _REFERENCE = range(5)
_STREAMS = 5


@dataclass(frozen=True)
class World:
    """A block of worlds: what every document is told from."""

    cast: Cast
    facts: Facts


def open_newsroom(config: SourceConfig, places: Places) -> Source:
    """Opens the newsroom that a config describes."""
    if any(places.own):
        raise ValueError(f"the newsroom takes nothing after its name, got {places.own[0]!r}")
    for name, given in (("fields", config.fields), ("on_error", config.on_error != "raise")):
        if given:
            raise ValueError(f"{name}= is for files, and the newsroom is none: leave it out")
    newsroom = NewsroomSource(config.level, config.split or "train", config.max_sentences)
    if config.tokenizer is not None:
        vocabulary = SubwordVocabulary.load(config.tokenizer)
        return RetokenisedSource(newsroom, vocabulary, config.max_tokens)
    if config.max_tokens not in (None, MAX_TOKENS):
        raise ValueError(
            f"sentences of the newsroom's own vocabulary have {MAX_TOKENS} tokens, got "
            f"max_tokens={config.max_tokens}: leave it out, or give a tokenizer"
        )
    return newsroom


class NewsroomSource:
    """An endless supply of documents; document i of a split and level is always the same.

    Args:
        level: 0 to 5, see `levels.py`.
        split: one of `splits.SPLITS`; `heldout` needs its secret salt.
        max_sentences: rows of the arrays, if more than the level's longest article needs.
    """

    num_documents: int | None = None
    has_facts = True

    def __init__(self, level: int, split: str, max_sentences: int | None = None):
        self.level = level_attributes(level)
        needed = self.level.max_sentences
        if max_sentences is not None and max_sentences < needed:
            raise ValueError(
                f"articles of level {level} have up to {needed} sentences, got "
                f"max_sentences={max_sentences}"
            )
        self.split = split
        self._number = level
        self._key = document_key(SUITE, split, level)
        self._residue = split_residue(split)
        self._variant = int(split == "ood")
        self._book = stylebook()
        self._expected = dict.fromkeys(range(_STREAMS), 0)
        self._draws_of: dict[int, Draws] = {}
        self._compiled = self._compile()
        self.vocabulary = self._book.vocabulary
        self.max_sentences = max_sentences or needed
        self.max_tokens = MAX_TOKENS
        self.digest = f"{SUITE}-{SUITE_VERSION}"

    def _compile(self) -> CompiledTelling | None:
        """Returns what tells in C, None where Python does."""
        module = native()
        return None if module is None else CompiledTelling(module, self._book, self._variant)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_compiled": None, "_draws_of": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compiled = self._compile()

    def _draws(self, instances: NDArray[np.int64], stream: int) -> Draws:
        """Returns draws for a block, as many at once as a block has taken before."""
        self._draws_of[stream] = Draws(self._key, instances, stream, self._expected[stream])
        return self._draws_of[stream]

    def worlds(self, instances: NDArray[np.int64]) -> World:
        """Returns the worlds of a block of documents."""
        draws = self._draws(instances, _WORLD)
        stories = stories_of(self.level)
        cast = draw_cast(self._book, draws, self._residue, stories, self._variant)
        facts = draw_facts(self._book, draws, cast, self.level, self._variant)
        return World(cast, facts)

    def plans(self, instances: NDArray[np.int64], world: World) -> tuple[Plan, Plan]:
        """Returns the plans of the articles and of the references."""
        draw = draw_plan if self.level.reports == 1 else draw_reports_plan
        plan = draw(
            self._book,
            self._draws(instances, _PLAN),
            world.facts,
            self.level,
            self._variant,
            self.level.max_sentences,
        )
        draws = self._draws(instances, _REFERENCE_PLAN)
        return plan, draw_reference_plan(self._book, draws, world.facts, self._variant)

    def _choose(
        self, instances: NDArray[np.int64], world: World, plan: Plan, *, is_reference: bool
    ) -> tuple[Draws, NDArray[np.int64]]:
        """Returns the wording of every sentence, and the draws that follow."""
        draws = self._draws(instances, _REFERENCE if is_reference else _TELLING)
        if self._compiled is not None and not is_reference:
            return draws, self._compiled.choose(draws, world.facts, plan)
        choose = choose_reference_templates if is_reference else choose_templates
        return draws, choose(self._book, draws, world.facts, plan, self._variant)

    def _tell(
        self, instances: NDArray[np.int64], world: World, plan: Plan, *, is_reference: bool
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Returns the pieces of the block's sentences, flat, and the sentence of each piece."""
        book, variant = self._book, self._variant
        draws, templates = self._choose(instances, world, plan, is_reference=is_reference)
        slots = fill_slots(
            book,
            draws,
            world.cast,
            world.facts,
            plan,
            templates,
            variant,
            is_reference=is_reference,
        )
        sentences = templates.shape[0] * templates.shape[1]
        return book.grammar.tell(
            templates.reshape(sentences, -1),
            slots.reshape(sentences, *slots.shape[2:]),
            draws.take(templates.shape[1]).ravel(),
            ood=bool(variant),
        )

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        """Returns the documents of a block of instances as arrays."""
        instances = np.asarray(instances, dtype=np.int64)
        world = self.worlds(instances)
        plan, reference_plan = self.plans(instances, world)
        tell = self._tell_in_python if self._compiled is None else self._tell_in_c
        tokens, words = tell(instances, world, plan, self.max_sentences, is_reference=False)
        _, told = tell(instances, world, reference_plan, MAX_REFERENCE, is_reference=True)
        for stream, draws in self._draws_of.items():
            self._expected[stream] = max(self._expected[stream], draws.taken)
        self._draws_of.clear()
        return DocumentBatch(
            instance=instances,
            num_sentences=(plan.first >= 0).sum(axis=1),
            tokens=tokens,
            words=words,
            reference_words=told,
            claims=_widen(
                np.stack([plan.first, plan.second], axis=2).astype(np.int32),
                self.max_sentences,
                NO_FACT,
            ),
            fact_weight=world.facts.weight,
            fact_is_key=world.facts.is_key,
        )

    def _tell_in_python(
        self,
        instances: NDArray[np.int64],
        world: World,
        plan: Plan,
        lines: int,
        *,
        is_reference: bool,
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Returns tokens (N, lines, T) and words (N, lines, W)."""
        blocks, sentences = plan.first.shape
        pieces, row = self._tell(instances, world, plan, is_reference=is_reference)
        words, word_row = self.vocabulary.words(pieces, row)
        shape, count = (blocks, sentences, -1), blocks * sentences
        tokens = pad(pieces, row, count, MAX_TOKENS, 0).reshape(shape)
        numbered = pad(words, word_row, count, MAX_WORDS, PADDING_WORD).reshape(shape)
        return _widen(tokens, lines, 0), _widen(numbered, lines, PADDING_WORD)

    def _tell_in_c(
        self,
        instances: NDArray[np.int64],
        world: World,
        plan: Plan,
        lines: int,
        *,
        is_reference: bool,
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Returns what `_tell_in_python` does, but no tokens of a reference."""
        assert self._compiled is not None
        draws, templates = self._choose(instances, world, plan, is_reference=is_reference)
        width = 0 if is_reference else MAX_TOKENS
        tokens = np.empty((len(instances), lines, width), dtype=np.int32)
        words = np.empty((len(instances), lines, MAX_WORDS), dtype=np.int32)
        self._compiled.tell(
            draws,
            world.cast,
            world.facts,
            plan,
            templates,
            is_reference=is_reference,
            tokens=tokens,
            words=words,
        )
        return tokens, words

    def sentences(self, batch: DocumentBatch, place: int) -> tuple[str, ...]:
        """Returns the article at a place of a batch in text, as its `document` has it."""
        lines = batch.tokens[place, : batch.num_sentences[place]].tolist()
        return tuple(_capitalise(self.vocabulary.decode(line)) for line in lines)

    def document(self, instance: int) -> Document:
        """Returns one document as text, with its facts; ValueError for a negative instance."""
        if instance < 0:
            raise ValueError(f"documents are numbered from 0, got {instance}")
        instances = np.array([instance], dtype=np.int64)
        world = self.worlds(instances)
        plan, reference_plan = self.plans(instances, world)
        facts, number = self._facts(world)
        claims = tuple(
            tuple(number[fact] for fact in (first, second) if fact != NO_FACT)
            for first, second in zip(plan.first[0].tolist(), plan.second[0].tolist(), strict=True)
            if first != NO_FACT
        )
        return Document(
            id=f"{SUITE}-{self.split}-{self._number}-{instance}",
            instance=instance,
            sentences=self._texts(instances, world, plan, is_reference=False),
            reference=self._texts(instances, world, reference_plan, is_reference=True),
            facts=facts,
            claims=claims,
        )

    def stem_text(self, word: int) -> str:
        """Returns the Porter stem of a word's number."""
        return self.vocabulary.stem_text(word)

    def word_text(self, word: int) -> str:
        """Returns the lower-case text of a word's number."""
        return self.vocabulary.word_text(word)

    def word_number(self, text: str) -> int | None:
        """Returns the number of a lower-case word that no name is, None if it has none."""
        return self.vocabulary.word_number(text)

    def signatures(self) -> Signatures:
        """Returns the runs of words by which a text states facts."""
        return newsroom_signatures()

    def propositions(self, instances: NDArray[np.int64]) -> Propositions:
        """Returns what the facts of documents are, for signatures."""
        world = self.worlds(np.asarray(instances, dtype=np.int64))
        self._draws_of.clear()
        return propositions_of(world.cast, world.facts)

    def _texts(
        self, instances: NDArray[np.int64], world: World, plan: Plan, *, is_reference: bool
    ) -> tuple[str, ...]:
        pieces, row = self._tell(instances, world, plan, is_reference=is_reference)
        count = int((plan.role[0] != Role.NONE).sum())
        texts = (
            self.vocabulary.decode(pieces[row == sentence].tolist()) for sentence in range(count)
        )
        return tuple(_capitalise(text) for text in texts)

    def _facts(self, world: World) -> tuple[tuple[Fact, ...], dict[int, int]]:
        """Returns the facts that exist, in text, and their numbers by place in the row."""
        book, cast, facts = self._book, world.cast, world.facts
        places = np.flatnonzero(facts.exists[0]).tolist()
        number = {place: index for index, place in enumerate(places)}

        def phrase(*phrases: int) -> str:
            taken, _ = book.grammar.phrases.take(np.array(phrases))
            return self.vocabulary.decode(taken.tolist())

        listed = []
        for place in places:
            story = int(facts.story[0, place])
            kind = book.kinds.rows[facts.kind[0, place]]
            subjects = {
                "actor": (cast.actor_title, cast.actor_first, cast.actor_surname),
                "body": (cast.body_name, cast.body_suffix),
                "place": (cast.place,),
                "thing": (cast.definite_thing,),
                "event": (cast.noun,),
            }
            value = phrase(cast.thing[0, story])  # an event happens to something
            magnitude = int(facts.magnitude[0, place])
            voice = int(facts.voice[0, place])
            if magnitude >= 0:
                style = STYLES[book.kinds.style[facts.kind[0, place]]]
                unit = kind.predicate.unit if kind.predicate is not None else ""
                value = f"{write_number(magnitude, style)} {unit}".strip()
            elif voice >= 0:
                value = phrase(
                    cast.voice_first[0, story, voice], cast.voice_surname[0, story, voice]
                )
            elif kind.predicate is not None:
                value = phrase(facts.object_phrase[0, place])
            replaced = int(facts.superseded_by[0, place])
            listed.append(
                Fact(
                    subject=phrase(*(part[0, story] for part in subjects[kind.subject])),
                    predicate=kind.name,
                    object=value,
                    time=phrase(cast.plain_day[0, story]).removeprefix("on "),
                    magnitude=VALUES[magnitude] if magnitude >= 0 else None,
                    weight=float(facts.weight[0, place]),
                    polarity=int(facts.polarity[0, place]),
                    is_key=bool(facts.is_key[0, place]),
                    superseded_by=number[replaced] if replaced >= 0 else None,
                )
            )
        return tuple(listed), number


def _widen(values: NDArray[np.int32], lines: int, padding: int) -> NDArray[np.int32]:
    """Returns (N, S, ...) values with `lines` in the place of S, which are as many or more."""
    added = lines - values.shape[1]
    return np.pad(values, ((0, 0), (0, added), (0, 0)), constant_values=padding)


def _capitalise(text: str) -> str:
    """Returns the text with its first letter, after an opening quote, in upper case."""
    return text[:1].upper() + text[1:]
