"""Rewards put together from named parts with weights.

The potential of a draft is the weighted sum of its parts' scores, and a step is paid the gain in
potential. The potential of an empty draft is 0, so the gains of an episode add up to the weighted
score of the finished draft, part by part.

To add a part, write a `Part` and give it a row in `PARTS`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

from lightbulb_envs.rewards.facts import FactTracker
from lightbulb_envs.rewards.length import length_score
from lightbulb_envs.rewards.rouge import track
from lightbulb_envs.summation import add_in_order


@dataclass(frozen=True)
class ScoredDocument:
    """What parts may look at: one document as plain lists.

    Words are numbers, and `words` and `reference` hold stems instead where a part asks for them.
    """

    words: Callable[[bool], Sequence[Sequence[int]]]
    """Words of every sentence; the argument asks for stems."""
    reference: Callable[[bool], Sequence[Sequence[int]]]
    claims: Sequence[Sequence[int]]
    fact_weight: Sequence[float]
    fact_is_key: Sequence[bool]


class Part(Protocol):
    """One part of a reward for one document. A state is a value: `extend` returns a new one."""

    def start(self) -> Any:
        """Returns the state of an empty draft."""

    def extend(self, state: Any, sentence: int) -> Any:
        """Returns the state after the sentence of this number is added to the draft."""

    def score(self, state: Any) -> float:
        """Returns the score of the draft: 0 for an empty one."""


class _RougePart:
    def __init__(self, name: str, document: ScoredDocument):
        kind, _, suffix = name.partition("_")
        self._tracker = track(kind, document.reference(suffix == "stem"))
        self._words = document.words(suffix == "stem")

    def start(self) -> Any:
        return self._tracker.start()

    def extend(self, state: Any, sentence: int) -> Any:
        return self._tracker.extend(state, self._words[sentence])

    def score(self, state: Any) -> float:
        return self._tracker.score(state).fmeasure


class _FactPart:
    def __init__(self, name: str, document: ScoredDocument):
        self._tracker = FactTracker(document.fact_weight, document.fact_is_key)
        self._claims = document.claims
        self._field = ("fact_precision", "fact_recall", "fact_f1").index(name)

    def start(self) -> Any:
        return self._tracker.start()

    def extend(self, state: Any, sentence: int) -> Any:
        return self._tracker.extend(state, self._claims[sentence])

    def score(self, state: Any) -> float:
        return self._tracker.score(state)[self._field]


class _LengthPart:
    def __init__(self, name: str, document: ScoredDocument):
        self._reference = sum(map(len, document.reference(False)))
        self._words = document.words(False)

    def start(self) -> int:
        return 0

    def extend(self, state: int, sentence: int) -> int:
        return state + len(self._words[sentence])

    def score(self, state: int) -> float:
        return length_score(self._reference, state)


PARTS: dict[str, Callable[[str, ScoredDocument], Part]] = {
    "fact_precision": _FactPart,
    "fact_recall": _FactPart,
    "fact_f1": _FactPart,
    "length": _LengthPart,
    **{
        name + suffix: _RougePart
        for name in ("rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum")
        for suffix in ("", "_stem")
    },
}
"""Every part of a reward by name. `_stem` compares Porter stems, as `use_stemmer=True` does."""

PRESETS: dict[str, dict[str, float]] = {
    "facts_and_rouge": {
        "fact_f1": 1 / 2,
        "rouge1": 1 / 6,
        "rouge2": 1 / 6,
        "rougeL": 1 / 6,
    },
    "rouge": {"rouge1_stem": 1 / 3, "rouge2_stem": 1 / 3, "rougeLsum_stem": 1 / 3},
}
"""`facts_and_rouge` is the default where facts are known, `rouge` where they are not."""

MOST_WEIGHT = 1e6
"""Of one part: sums of larger ones would no longer tell small gains apart."""


def reward_weights(reward: str | Mapping[str, float], *, has_facts: bool) -> dict[str, float]:
    """Returns the weights of a reward's parts, from a preset's name or from named weights.

    Raises:
        TypeError: a weight that is no number.
        ValueError: an unknown preset or part, a weight that is no positive number, or a part that
            needs facts of a source that knows none.
    """
    if isinstance(reward, str):
        if reward not in PRESETS:
            raise ValueError(
                f"reward must be one of the presets {', '.join(PRESETS)} or a dict of weights, "
                f"got {reward!r}"
            )
        weights = dict(PRESETS[reward])
    elif isinstance(reward, Mapping):
        weights = {name: _weight(name, weight) for name, weight in reward.items()}
    else:
        raise ValueError(
            f"reward must be one of the presets {', '.join(PRESETS)} or a dict of weights, "
            f"got {reward!r}"
        )
    if not weights:
        raise ValueError(f"reward needs at least one part: {', '.join(PARTS)}")
    for name, weight in weights.items():
        if name not in PARTS:
            raise ValueError(f"no reward part is called {name!r}: use some of {', '.join(PARTS)}")
        if not 0 < weight <= MOST_WEIGHT:
            raise ValueError(
                f"the weight of reward part {name!r} must be positive and {MOST_WEIGHT:g} or less, "
                f"got {weight}"
            )
        if name.startswith("fact_") and not has_facts:
            raise ValueError(
                f"reward part {name!r} needs documents whose facts are known, and this source "
                'knows none: use reward="rouge" or parts that start with "rouge"'
            )
    return weights


def _weight(name: str, weight: object) -> float:
    if isinstance(weight, bool) or not isinstance(weight, Real):
        raise TypeError(f"the weight of reward part {name!r} must be a number, got {weight!r}")
    try:
        return float(weight)
    except OverflowError:
        return math.inf


class Potential:
    """The weighted parts of one document's reward.

    Args:
        parts: the parts by name, if others than `PARTS`.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        document: ScoredDocument,
        parts: Mapping[str, Callable[[str, ScoredDocument], Part]] = PARTS,
    ):
        self._parts = [parts[name](name, document) for name in weights]
        self._weights = list(weights.values())

    def start(self) -> tuple[Any, ...]:
        """Returns the state of an empty draft."""
        return tuple(part.start() for part in self._parts)

    def extend(self, state: tuple[Any, ...], sentence: int) -> tuple[Any, ...]:
        """Returns the state after a sentence is added to the draft."""
        return tuple(
            part.extend(own, sentence) for part, own in zip(self._parts, state, strict=True)
        )

    def scores(self, state: tuple[Any, ...]) -> list[float]:
        """Returns the weighted score of every part."""
        return [
            weight * part.score(own)
            for weight, part, own in zip(self._weights, self._parts, state, strict=True)
        ]

    def value(self, state: tuple[Any, ...]) -> float:
        """Returns the potential: the sum of the weighted scores."""
        return add_in_order(self.scores(state))
