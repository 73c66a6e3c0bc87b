"""The best way to read simulated reviews: what the programme's stopping says of a block of them."""

import functools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.reviews.levels import review_level
from lightbulb_envs.sources.reviews.programme import EVEN, Stopping
from lightbulb_envs.sources.reviews.source import ReviewSource, programme_of


@dataclass(frozen=True)
class BestReading:
    """The best way to read N reviews, by the chunks that are read."""

    action: NDArray[np.int64]  # (N, C + 1), 0 to read on, k to commit to label k - 1
    belief: NDArray[np.float64]  # (N, C + 1, K)
    value: NDArray[np.float64]  # (N, C + 1), the expected return from here on


def best_reading(
    source: ReviewSource, instances: NDArray[np.int64], cost: float, wrong: float
) -> BestReading:
    """Returns how a reader who knows the rules, and not what comes, reads reviews.

    It knows the length from the start, the signature of the title, and how often signatures agree
    with labels in the source's split.
    """
    said = source.opinions(np.asarray(instances, dtype=np.int64))
    states = source.programme.states(said.operation)
    shape = states.shape
    action = np.ones(shape, dtype=np.int64)
    belief = np.zeros((*shape, len(source.labels)))
    value = np.zeros(shape)
    for place, (length, signature) in enumerate(
        zip(said.length.tolist(), said.signature.tolist(), strict=True)
    ):
        best = _stopping(source.level_number, source.split == "ood", length, signature, cost, wrong)
        read = np.arange(length + 1)
        own = states[place, : length + 1]
        action[place, : length + 1] = best.action[read, own]
        belief[place, : length + 1] = best.belief[read, own]
        value[place, : length + 1] = best.value[read, own]
    return BestReading(action, belief, value)


def before_reading(source: ReviewSource, signature: int) -> tuple[Fraction, Fraction]:
    """Returns how likely each label is by a title's signature alone, 0 for none."""
    return _before(source.level_number, source.split == "ood", signature)


def _before(level: int, is_ood: bool, signature: int) -> tuple[Fraction, Fraction]:
    if not signature:
        return EVEN
    agrees = Fraction(review_level(level).cue).limit_denominator(1000)
    if is_ood:
        agrees = 1 - agrees
    return (agrees, 1 - agrees) if signature == 1 else (1 - agrees, agrees)


@functools.lru_cache(maxsize=1024)
def _stopping(
    level: int, is_ood: bool, length: int, signature: int, cost: float, wrong: float
) -> Stopping:
    programme = programme_of(review_level(level))
    return programme.stopping(length, cost, wrong, _before(level, is_ood, signature))
