"""The desks' kinds of facts in one table: a row a kind, and which rows an event or desk has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.newsroom.desk import TIERS, Desk, NumberStyle, Predicate, Subject
from lightbulb_envs.sources.newsroom.numbers import index_range

MAX_PREDICATES = 8
"""Predicates that an event may have; slot 0 of an event's facts is the event itself."""
FACTS_PER_STORY = 1 + MAX_PREDICATES
BACKGROUNDS = 4
"""Kinds of background that a desk has."""
STYLES: tuple[NumberStyle, ...] = ("count", "digits", "year")
OPINION_WEIGHT = 0.25


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

    @property
    def tiers(self) -> list[tuple[int, int]]:
        """The (first index, count) of the numbers of every tier; counts of 0 without numbers."""
        if self.predicate is None or not self.predicate.tiers:
            return [(0, 0)] * TIERS
        style = self.predicate.style
        return [index_range(low, high, style) for low, high in self.predicate.tiers]


@dataclass(frozen=True)
class KindTable:
    """All kinds, and arrays that say of every kind, event and desk what generation needs."""

    rows: tuple[Kind, ...]
    weight: NDArray[np.float64]
    polarity: NDArray[np.int64]
    is_numeric: NDArray[np.bool_]
    style: NDArray[np.int64]
    tier_start: NDArray[np.int64]  # (kinds, TIERS), an index into numbers.VALUES
    tier_count: NDArray[np.int64]
    of_event: NDArray[np.int64]  # (events, FACTS_PER_STORY), -1 where there is none
    desk_of_event: NDArray[np.int64]
    of_background: NDArray[np.int64]  # (desks, BACKGROUNDS)
    of_opinion: NDArray[np.int64]  # (desks, 2): criticism, praise


def collect_kinds(desks: Sequence[Desk]) -> KindTable:
    """Returns the kinds of all desks, in the order of the desks."""
    kinds: list[Kind] = []
    of_event, desk_of_event, of_background, of_opinion = [], [], [], []

    def add(rows: list[Kind]) -> list[int]:
        kinds.extend(rows)
        return list(range(len(kinds) - len(rows), len(kinds)))

    for number, desk in enumerate(desks):
        for event in _event_kinds(desk):
            if len(event) > FACTS_PER_STORY:
                raise ValueError(
                    f"event {event[0].name!r} has {len(event) - 1} predicates: "
                    f"{MAX_PREDICATES} is the most"
                )
            of_event.append(add(event) + [-1] * (FACTS_PER_STORY - len(event)))
            desk_of_event.append(number)
        if len(desk.backgrounds) != BACKGROUNDS:
            raise ValueError(f"desk {desk.name!r} needs {BACKGROUNDS} kinds of background")
        of_background.append(add([_predicate_kind(desk, row) for row in desk.backgrounds]))
        of_opinion.append(add(_opinion_kinds(desk)))
    tiers = np.array([kind.tiers for kind in kinds])
    styles = [kind.predicate.style if kind.predicate is not None else "count" for kind in kinds]
    return KindTable(
        rows=tuple(kinds),
        weight=np.array([kind.weight for kind in kinds]),
        polarity=np.array([kind.polarity for kind in kinds]),
        is_numeric=tiers[:, 0, 1] > 0,
        style=np.array([STYLES.index(style) for style in styles]),
        tier_start=tiers[:, :, 0],
        tier_count=tiers[:, :, 1],
        of_event=np.array(of_event),
        desk_of_event=np.array(desk_of_event),
        of_background=np.array(of_background),
        of_opinion=np.array(of_opinion),
    )


def _event_kinds(desk: Desk) -> list[list[Kind]]:
    """Returns for every event of a desk the event itself and its predicates."""
    return [
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
            *(_predicate_kind(desk, predicate) for predicate in event.predicates),
        ]
        for event in desk.events
    ]


def _predicate_kind(desk: Desk, predicate: Predicate) -> Kind:
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


def _opinion_kinds(desk: Desk) -> list[Kind]:
    criticism = (desk.criticism, desk.ood_criticism)
    praise = (desk.praise, desk.ood_praise)
    return [
        Kind("criticism", desk.name, "event", OPINION_WEIGHT, -1, *criticism),
        Kind("praise", desk.name, "event", OPINION_WEIGHT, 1, *praise),
    ]
