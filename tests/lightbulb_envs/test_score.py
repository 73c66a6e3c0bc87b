"""The score is a ratio of means with intervals that cover what they should."""

import numpy as np
import pytest

from lightbulb_envs.score import mean_interval, normalised_score, score_interval


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


def test_intervals_repeat_themselves_with_their_generator():
    values = np.arange(10.0)
    one, two = (mean_interval(values, np.random.default_rng(3)) for _ in range(2))
    assert one == two
