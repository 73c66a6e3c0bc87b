"""The normalised score: 0 is a random policy, 100 the oracle, over the same instances.

    score = 100 * (mean R - mean R_random) / (mean R_reference - mean R_random)

It is a ratio of means, never a mean of ratios. R_random of an instance is the mean over
`RANDOM_ROLLOUTS` episodes of uniformly drawn legal actions.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines.table import make_baseline
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.rollout import roll_out

RANDOM_ROLLOUTS = 100
RESAMPLES = 2000
CONFIDENCE = 0.95

Returns = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    mean: float
    low: float
    high: float


def mean_returns(
    actor: Actor, engine: Engine, instances: NDArray[np.int64], seed: int = 0
) -> Returns:
    """Returns the actor's return on every instance, one episode each."""
    return np.array(
        [episode.episode_return for episode in roll_out(actor, engine, instances, seed)]
    )


def random_returns(
    engine: Engine,
    instances: NDArray[np.int64],
    rollouts: int = RANDOM_ROLLOUTS,
    seed: int = 0,
) -> Returns:
    """Returns the random policy's mean return on every instance.

    What it draws depends on the seed and on the engine's number of rows.
    """
    total = np.zeros(len(instances))
    actor = make_baseline("random", engine)
    # An engine keeps a row's document while its instance stays, so all rollouts of a block of
    # instances come one after the other.
    for start in range(0, len(instances), engine.num_envs):
        block = instances[start : start + engine.num_envs]
        for rollout in range(rollouts):
            own_seed = np.random.SeedSequence([seed, rollout, start]).generate_state(1)[0]
            total[start : start + len(block)] += mean_returns(actor, engine, block, int(own_seed))
    return total / rollouts


def normalised_score(returns: Returns, random: Returns, reference: Returns) -> float:
    """Returns the score of returns on the same instances; ValueError without a gap to fill."""
    span = float(reference.mean() - random.mean())
    if span <= 0:
        raise ValueError(
            f"the reference returns {reference.mean():.4f} and random {random.mean():.4f}: "
            "without a gap between them there is no score"
        )
    return 100.0 * float(returns.mean() - random.mean()) / span


def score_interval(
    returns: Returns, random: Returns, reference: Returns, generator: np.random.Generator
) -> Interval:
    """Returns the score and its bootstrap interval; instances are resampled jointly."""
    places = generator.integers(0, len(returns), (RESAMPLES, len(returns)))
    policy, low, high = returns[places].mean(1), random[places].mean(1), reference[places].mean(1)
    scores = 100.0 * (policy - low) / (high - low)
    return Interval(normalised_score(returns, random, reference), *_percentiles(scores))


def mean_interval(values: Returns, generator: np.random.Generator) -> Interval:
    """Returns the mean and its percentile bootstrap interval.

    Of differences of returns on the same instances this is the paired interval.
    """
    places = generator.integers(0, len(values), (RESAMPLES, len(values)))
    return Interval(float(values.mean()), *_percentiles(values[places].mean(1)))


def seeds_interval(values: Sequence[float]) -> Interval:
    """Returns the mean over training seeds and its Student t interval.

    Raises:
        ValueError: fewer than three seeds, from which no interval can be taken.
    """
    count = len(values)
    if count < 3:
        raise ValueError(f"an interval over seeds needs three or more, got {count}")
    mean, half = float(np.mean(values)), _half_width(np.asarray(values))
    return Interval(mean, mean - half, mean + half)


def paired_interval(differences: Returns) -> Interval:
    """Returns the mean of differences (seeds, documents) and an interval for both.

    It covers what other seeds would do on other documents: the half widths of the Student t
    intervals over seeds and over documents add up in squares (the method of variance estimates
    recovery, Zou and Donner 2008). A bootstrap over three to five seeds is too narrow.
    """
    if differences.ndim != 2 or min(differences.shape) < 3:
        raise ValueError(
            f"a paired interval needs three or more seeds and documents, got {differences.shape}"
        )
    over_seeds = _half_width(differences.mean(axis=1))
    over_documents = _half_width(differences.mean(axis=0))
    mean, half = float(differences.mean()), math.hypot(over_seeds, over_documents)
    return Interval(mean, mean - half, mean + half)


def _half_width(values: Returns) -> float:
    """Returns half the width of the Student t interval of a mean."""
    count = len(values)
    return student_quantile(count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)


@functools.cache
def student_quantile(freedom: int) -> float:
    """Returns the t with CONFIDENCE within -t and t, for a whole number of degrees of freedom."""
    low, high = 0.0, 1000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_mass(middle, freedom) < CONFIDENCE else (low, middle)
    return low


def _student_mass(t: float, freedom: int) -> float:
    """Returns the chance of (-t, t) under Student's t (Abramowitz and Stegun 26.7.3, 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    is_odd = freedom % 2
    term = cosine if is_odd else 1.0
    total = 0.0
    for number in range(1, (freedom - is_odd) // 2 + 1):
        total += term
        step = 2 * number
        term *= cosine * cosine * (step / (step + 1) if is_odd else (step - 1) / step)
    if is_odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total


def _percentiles(values: Returns) -> tuple[float, float]:
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(values, (tail, 100.0 - tail))
    return float(low), float(high)
