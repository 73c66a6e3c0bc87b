"""The normalised score: 0 is a random policy, 100 the oracle, over the same instances.

    score = 100 * (mean R - mean R_random) / (mean R_reference - mean R_random)

It is a ratio of means, never a mean of ratios. R_random of an instance is the mean over
`RANDOM_ROLLOUTS` episodes of uniformly drawn legal actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.rollout import roll_out

RANDOM_ROLLOUTS = 100
RESAMPLES = 2000
CONFIDENCE = 0.95

STUDENT_T = {
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    6: 2.447,
    7: 2.365,
    8: 2.306,
    9: 2.262,
    14: 2.145,
    19: 2.093,
}
"""97.5 % quantiles of Student's t by degrees of freedom."""

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
    """Returns the random policy's mean return on every instance."""
    total = np.zeros(len(instances))
    actor = Random()
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
    half = STUDENT_T[count - 1] * float(np.std(values, ddof=1)) / count**0.5
    mean = float(np.mean(values))
    return Interval(mean, mean - half, mean + half)


def paired_interval(differences: Returns, generator: np.random.Generator) -> Interval:
    """Returns the mean of differences (seeds, documents) and its two-level bootstrap interval.

    Seeds and documents are both resampled: it covers what other seeds and other documents do.
    """
    seeds, documents = differences.shape
    means = np.empty(RESAMPLES)
    for resample in range(RESAMPLES):
        rows = generator.integers(0, seeds, size=(seeds,))
        columns = generator.integers(0, documents, size=(documents,))
        means[resample] = differences[rows[:, None], columns].mean()
    return Interval(float(differences.mean()), *_percentiles(means))


def _percentiles(values: Returns) -> tuple[float, float]:
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(values, (tail, 100.0 - tail))
    return float(low), float(high)
