"""The score is a ratio of means with intervals that cover what they should."""

import numpy as np
import pytest

from lightbulb_envs.score import (
    mean_interval,
    normalised_score,
    paired_interval,
    score_interval,
    seeds_interval,
    student_quantile,
)


def test_a_score_by_hand():
    random, oracle = np.array([0.0, 0.2]), np.array([1.0, 0.6])
    policy = np.array([0.5, 0.5])
    # (0.5 - 0.1) / (0.8 - 0.1), and not the mean of 0.5 and 0.75.
    assert normalised_score(policy, random, oracle) == pytest.approx(100 * 0.4 / 0.7)
    assert normalised_score(random, random, oracle) == 0.0
    assert normalised_score(oracle, random, oracle) == pytest.approx(100.0)


def test_no_gap_is_no_score():
    same = np.ones(3)
    with pytest.raises(ValueError, match="without a gap"):
        normalised_score(same, same, same)


def test_intervals_of_a_mean_cover_it_19_times_in_20():
    generator = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        interval = mean_interval(generator.normal(1.0, 1.0, 80), generator)
        hits += interval.low <= 1.0 <= interval.high
    assert 178 <= hits <= 199


def test_the_score_interval_holds_its_score_and_narrows_with_documents():
    generator = np.random.default_rng(1)

    def width(count):
        random, oracle = generator.normal(0.2, 0.1, count), generator.normal(0.8, 0.1, count)
        policy = generator.normal(0.5, 0.2, count)
        interval = score_interval(policy, random, oracle, generator)
        assert interval.low < interval.mean < interval.high
        return interval.high - interval.low

    assert width(1600) < width(100) / 2


def test_a_score_interval_resamples_policy_random_and_oracle_together():
    generator = np.random.default_rng(2)
    oracle = generator.uniform(0.2, 1.0, 200)
    interval = score_interval(0.5 * oracle, 0.0 * oracle, oracle, generator)
    assert interval.low == pytest.approx(50.0)
    assert interval.high == pytest.approx(50.0)


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.1), (3, 0.01), (5, 0.1), (5, 0.0)])
def test_paired_intervals_cover_other_seeds_and_documents(seeds, spread):
    generator = np.random.default_rng(4)
    hits = 0
    for _ in range(400):
        differences = 0.1 + spread * generator.normal(size=(seeds, 1))
        differences = differences + 0.2 * generator.normal(size=(1, 300))
        differences = differences + 0.1 * generator.normal(size=(seeds, 300))
        interval = paired_interval(differences)
        hits += interval.low <= 0.1 <= interval.high
    assert 0.93 <= hits / 400 <= 1.0


def test_too_few_seeds_or_documents_have_no_interval():
    with pytest.raises(ValueError, match=r"got \(2, 300\)"):
        paired_interval(np.zeros((2, 300)))
    with pytest.raises(ValueError, match="three or more, got 2"):
        seeds_interval([1.0, 2.0])


def test_quantiles_of_student_are_those_of_the_tables():
    # Two-sided 95 %, from any printed table.
    table = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 10: 2.228, 30: 2.042, 120: 1.980}
    for freedom, quantile in table.items():
        assert student_quantile(freedom) == pytest.approx(quantile, abs=6e-4)


def test_intervals_repeat_themselves_with_their_generator():
    values = np.arange(10.0)
    one, two = (mean_interval(values, np.random.default_rng(3)) for _ in range(2))
    assert one == two
