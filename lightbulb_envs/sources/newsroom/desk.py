"""What a desk of the newsroom is: the words in which its events are told.

A desk is data. Adding one means one file in `desks/` and one row in `desks/__init__.py`.

Templates are clauses without a final stop, in lower case unless a name comes first, so that
"officials said" can stand before or after them. In a template

    {actor} {body} {place} {thing} {event} {day} {voice} {source}
        are mentions: in full at first, later "the mayor", "she", "the company", "the town"
    {n} {value}
        are the number and the phrase of the fact that the clause states
    [struck|hit||rattled]
        is one of the words before `||` in every split but `ood`, and one of those after it in
        `ood` (without `||`, the words are shared)
"""

from dataclasses import dataclass, field
from typing import Literal

Subject = Literal["event", "actor", "body", "place", "thing"]
NumberStyle = Literal["count", "digits", "year"]

TIERS = 3
"""A numeric fact is minor, middling or major; the ranges of its tiers do not touch."""


@dataclass(frozen=True)
class Predicate:
    """One kind of fact and the ways to state it.

    `weight` says how much the fact matters; a numeric fact's tier scales it. `tail` is a
    participle clause that can follow an event ("killing {n} people"). `reference` and
    `reference_tail` are the wordings of reference summaries, which no article uses (background,
    never being in a summary, has none); `ood` and `ood_tail` replace `main`
    and `tail` in the split of that name.
    """

    name: str
    subject: Subject
    weight: float
    main: tuple[str, ...]
    ood: tuple[str, ...]
    reference: tuple[str, ...] = ()
    polarity: int = 0
    tail: tuple[str, ...] = ()
    reference_tail: tuple[str, ...] = ()
    ood_tail: tuple[str, ...] = ()
    tiers: tuple[tuple[int, int], ...] = ()
    style: NumberStyle = "count"
    unit: str = ""
    values: tuple[str, ...] = ()
    ood_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.tiers) == bool(self.values):
            raise ValueError(f"predicate {self.name!r} needs either tiers or values")
        if self.tiers and len(self.tiers) != TIERS:
            raise ValueError(f"predicate {self.name!r} needs {TIERS} tiers, got {len(self.tiers)}")
        if self.values and not self.ood_values:
            raise ValueError(f"predicate {self.name!r} needs ood_values beside values")
        if self.tail and not (self.ood_tail and self.reference_tail):
            raise ValueError(
                f"predicate {self.name!r} has a tail but no ood_tail or reference_tail"
            )


@dataclass(frozen=True)
class Event:
    """One type of event: what happened, and which facts may follow from it.

    `things` are nouns ("hotel": a hotel, later the hotel) or stand with their article
    ("the winter cup").
    """

    name: str
    weight: float
    polarity: int
    nouns: tuple[str, ...]
    things: tuple[str, ...]
    main: tuple[str, ...]
    reference: tuple[str, ...]
    ood: tuple[str, ...]
    predicates: tuple[Predicate, ...]


@dataclass(frozen=True)
class Desk:
    """A desk: its people, its bodies, its events, and what is said around them.

    `roles` and `bodies` are "Title|the noun" pairs: "Mayor|the mayor", "Council|the council".
    `praise` and `criticism` are quotes of opinion, positive and negative.
    """

    name: str
    roles: tuple[str, ...]
    bodies: tuple[str, ...]
    body_names: Literal["places", "companies"]
    voices: tuple[str, ...]
    sources: tuple[str, ...]
    praise: tuple[str, ...]
    criticism: tuple[str, ...]
    ood_praise: tuple[str, ...]
    ood_criticism: tuple[str, ...]
    backgrounds: tuple[Predicate, ...]
    events: tuple[Event, ...]
    place_nouns: tuple[str, ...] = field(default=("town", "city"))
