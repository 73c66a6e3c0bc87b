"""Templates compiled into arrays, and the ragged gather that tells a block of sentences.

A *phrase* is a constant run of pieces. A *template* is a run of items, each a phrase, a choice
between phrases, or a slot that a sentence fills with a phrase of its own. Telling a block is
two ragged gathers: templates into items, then, with choices and slots resolved, phrases into
pieces. Nothing loops over documents.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.ragged import Ragged
from lightbulb_envs.randomness import to_range
from lightbulb_envs.sources.names import NameParts
from lightbulb_envs.sources.pieces import OPENING, PieceVocabulary, split_pieces

_ITEM = re.compile(r"(\{[^}]*\}|\[[^\]]*\])")
_CHOICE = 1 << 20
EMPTY = 0
"""The number of the phrase, and of the template, that tells nothing."""


def number_slots(mentions: Mapping[str, int]) -> dict[str, int]:
    """Returns the numbers of slots by name: "actor0" is the first of the mention "actor"."""
    names = [f"{name}{part}" for name, count in mentions.items() for part in range(count)]
    return {name: number for number, name in enumerate(names)}


@dataclass(frozen=True)
class TemplateRange:
    """A contiguous run of templates: the ways to say one thing."""

    start: int
    count: int


@dataclass(frozen=True)
class Ways:
    """Runs of phrases or templates, by row of some table: the usual ones and those of `ood`."""

    start: NDArray[np.int64]  # (2, rows)
    count: NDArray[np.int64]

    @staticmethod
    def of(pairs: Iterable[tuple[TemplateRange, TemplateRange]]) -> "Ways":
        listed = list(pairs)
        return Ways(
            np.array([[pair[variant].start for pair in listed] for variant in (0, 1)]),
            np.array([[pair[variant].count for pair in listed] for variant in (0, 1)]),
        )

    def pick(
        self, variant: int, row: NDArray[np.int64], words: NDArray[np.uint32]
    ) -> NDArray[np.int64]:
        """Returns one of the ways of every row; EMPTY where a row has none."""
        chosen: NDArray[np.int64] = self.start[variant][row] + to_range(
            words, self.count[variant][row]
        )
        return chosen


class PhraseTable:
    """Collects phrases while templates are compiled; equal texts share a number."""

    def __init__(self) -> None:
        self.phrases: list[tuple[str, ...]] = [()]
        self._numbers: dict[tuple[str, ...], int] = {(): EMPTY}

    def add(self, text: str, *, joins: bool = False) -> int:
        """Returns the number of a phrase; `joins` writes it onto what comes before."""
        return self.add_pieces(split_pieces(text), joins=joins)

    def add_pieces(self, pieces: Iterable[str], *, joins: bool = False) -> int:
        listed = list(pieces)
        if joins and listed:
            listed[0] = "##" + listed[0].removeprefix("##")
        phrase = tuple(listed)
        if phrase not in self._numbers:
            self._numbers[phrase] = len(self.phrases)
            self.phrases.append(phrase)
        return self._numbers[phrase]

    def add_names(self, parts: NameParts) -> list[int]:
        """Returns the numbers of phrases, by the numbers of the names that they tell."""
        return [
            self.add_pieces((start, "##" + end)) for start in parts.starts for end in parts.ends
        ]

    def add_run(self, texts: Iterable[str]) -> TemplateRange:
        """Adds phrases that must have consecutive numbers, even if some exist already."""
        start = len(self.phrases)
        for text in texts:
            self.phrases.append(tuple(split_pieces(text)))
        return TemplateRange(start, len(self.phrases) - start)


class TemplateTable:
    """Collects templates. `mentions[t]` holds the names of the mentions in template t.

    Args:
        phrases: where their phrases are collected.
        known: the mentions that there are, and how many slots (phrases in a row) each fills.
    """

    def __init__(self, phrases: PhraseTable, known: Mapping[str, int]):
        self._phrases = phrases
        self._known = known
        self._slots = number_slots(known)
        self.items: list[list[int]] = [[]]
        self.mentions: list[frozenset[str]] = [frozenset()]
        self._choices: list[tuple[TemplateRange, TemplateRange]] = []

    def add_run(self, texts: Iterable[str]) -> TemplateRange:
        """Compiles ways to say one thing; returns their numbers."""
        start = len(self.items)
        for text in texts:
            self._add(text)
        return TemplateRange(start, len(self.items) - start)

    def _add(self, text: str) -> None:
        items: list[int] = []
        mentions: set[str] = set()
        before = ""
        for part in _ITEM.split(text):
            if part.startswith("{"):
                name = part[1:-1]
                if name not in self._known:
                    raise ValueError(
                        f"template {text!r} mentions {part}, which is none of "
                        + ", ".join(f"{{{known}}}" for known in self._known)
                    )
                mentions.add(name)
                first = self._slots[f"{name}0"]
                items.extend(-1 - slot for slot in range(first, first + self._known[name]))
            elif part.startswith("["):
                items.append(_CHOICE + len(self._choices))
                self._choices.append(self._compile_choice(part[1:-1]))
            elif part.strip():
                glued = bool(before) and not part[0].isspace() and before[-1] not in OPENING
                items.append(self._phrases.add(part, joins=glued))
            before = part or before
        self.items.append(items)
        self.mentions.append(frozenset(mentions))

    def _compile_choice(self, text: str) -> tuple[TemplateRange, TemplateRange]:
        usual, _, unusual = text.partition("||")
        first = self._phrases.add_run(usual.split("|"))
        return first, self._phrases.add_run(unusual.split("|")) if unusual else first

    def choices(self, *, ood: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the first phrase and the number of phrases of every choice."""
        ranges = [pair[1 if ood else 0] for pair in self._choices]
        return (
            np.array([choice.start for choice in ranges], dtype=np.int64),
            np.array([choice.count for choice in ranges], dtype=np.int64),
        )


@dataclass(frozen=True)
class Grammar:
    """Compiled templates and phrases; `tell` turns filled templates into pieces."""

    templates: Ragged
    phrases: Ragged
    choice_start: tuple[NDArray[np.int64], NDArray[np.int64]]
    choice_count: tuple[NDArray[np.int64], NDArray[np.int64]]

    def tell(
        self,
        templates: NDArray[np.int64],  # (M, G)
        slots: NDArray[np.int32],  # (M, G, slots)
        words: NDArray[np.uint32],  # (M,)
        *,
        ood: bool,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Returns the pieces of M sentences of G segments each, flat, and each piece's sentence."""
        segments = templates.shape[1]
        items, segment = self.templates.take(templates.ravel())
        sentence = segment // segments
        phrase = items.copy()
        is_slot = items < 0
        phrase[is_slot] = slots.reshape(-1, slots.shape[-1])[segment[is_slot], -1 - items[is_slot]]
        is_choice = items >= _CHOICE
        choice = items[is_choice] - _CHOICE
        draws = scramble(words[sentence[is_choice]], choice)
        start, count = self.choice_start[ood], self.choice_count[ood]
        phrase[is_choice] = start[choice] + to_range(draws, count[choice])
        pieces, item = self.phrases.take(phrase)
        return pieces, sentence[item]


def compile_grammar(
    vocabulary: PieceVocabulary, phrases: PhraseTable, templates: TemplateTable
) -> Grammar:
    """Returns what was collected as arrays."""
    usual, ood = templates.choices(ood=False), templates.choices(ood=True)
    return Grammar(
        templates=Ragged.of(templates.items),
        phrases=Ragged.of(
            [vocabulary.ids[piece] for piece in phrase] for phrase in phrases.phrases
        ),
        choice_start=(usual[0], ood[0]),
        choice_count=(usual[1], ood[1]),
    )


def scramble(words: NDArray[np.uint32], numbers: NDArray[np.int32]) -> NDArray[np.uint32]:
    """Mixes a sentence's draw with the number of a choice (the finalizer of MurmurHash3)."""
    mixed = words ^ (numbers.astype(np.uint32) * np.uint32(0x9E3779B1))
    mixed = (mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    finished: NDArray[np.uint32] = mixed ^ (mixed >> np.uint32(16))
    return finished
