"""Seeds choose instances as the design says, and neighbouring seeds share none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.instances import AHEAD, ENDLESS, InstanceStream, row_seed
from lightbulb_envs.kernel import VARIABLE, kernel_info

seeds = st.integers(0, 2**70)


def _episodes(stream: InstanceStream, count: int) -> np.ndarray:
    rows = np.arange(len(stream.state()["count"]))
    return np.stack([stream.draw(rows) for _ in range(count)], axis=1)


@given(seeds)
def test_row_zero_of_an_int_seed_is_a_row_seeded_alone(seed):
    batch, alone = InstanceStream(3, None), InstanceStream(1, None)
    batch.seed(seed)
    alone.seed(seed)
    assert np.array_equal(_episodes(batch, 4)[:1], _episodes(alone, 4))


@given(st.lists(seeds, min_size=1, max_size=4))
def test_a_list_seeds_every_row_as_if_it_were_alone(listed):
    batch = InstanceStream(len(listed), None)
    batch.seed(listed)
    drawn = _episodes(batch, 3)
    for row, seed in enumerate(listed):
        alone = InstanceStream(1, None)
        alone.seed(seed)
        assert np.array_equal(drawn[row : row + 1], _episodes(alone, 3))


@given(st.integers(0, 2**32 - 1), st.integers(0, 1000))
def test_small_seeds_are_those_of_the_documented_seed_sequence(seed, row):
    words = np.random.SeedSequence([seed, row]).generate_state(2)
    assert row_seed(seed, row) == tuple(words.tolist())


def test_long_seeds_do_not_fall_together_with_short_ones_of_other_rows():
    assert row_seed(2**32 * 7 + 3, 0) != row_seed(3, 7)
    assert row_seed(2**32 * 7 + 3, 0) != row_seed(3, 0)


def test_neighbouring_seeds_share_no_instance():
    one, two = InstanceStream(64, None), InstanceStream(64, None)
    one.seed(42)
    two.seed(43)
    assert not set(_episodes(one, 20).ravel()) & set(_episodes(two, 20).ravel())


@given(st.integers(1, 2**20))
def test_instances_stay_below_their_number(size):
    stream = InstanceStream(5, size)
    drawn = _episodes(stream, 10)
    assert drawn.min() >= 0
    assert drawn.max() < size


def test_endless_instances_fit_a_json_number():
    stream = InstanceStream(100, None)
    drawn = _episodes(stream, 100)
    assert 0 <= drawn.min() < drawn.max() < ENDLESS == 2**53


def test_a_state_set_back_draws_the_same_again():
    stream = InstanceStream(4, None)
    stream.draw(np.arange(4))
    state = stream.state()
    before = _episodes(stream, 3)
    stream.set_state(state)
    assert np.array_equal(_episodes(stream, 3), before)


def test_a_row_counts_only_its_own_episodes():
    one, two = InstanceStream(2, None), InstanceStream(2, None)
    one.seed(1)
    two.seed(1)
    one.draw(np.array([0]))
    assert one.draw(np.array([1])) == two.draw(np.array([1]))
    assert one.draw(np.array([0])) != two.draw(np.array([0]))


def test_none_in_a_list_leaves_its_row_going():
    one, two = InstanceStream(2, None), InstanceStream(2, None)
    one.seed(9)
    two.seed(9)
    two.seed([None, 5])
    assert one.draw(np.array([0])) == two.draw(np.array([0]))
    assert one.draw(np.array([1])) != two.draw(np.array([1]))


def test_bad_seeds_and_sizes_are_refused():
    with pytest.raises(ValueError, match="needs one for each of 3 rows"):
        InstanceStream(3, None).seed([1, 2])
    with pytest.raises(ValueError, match="0 or more"):
        InstanceStream(1, None).seed(-1)
    with pytest.raises(ValueError, match="num_instances"):
        InstanceStream(1, 0)


def test_what_is_to_come_is_what_is_drawn_then():
    stream = InstanceStream(3, None)
    stream.seed(5)
    assert stream.upcoming(4).tolist() == [], "nothing is known of who seeds every episode"
    rows = np.arange(3)
    for _ in range(40):
        stream.draw(rows[:2])
    stream.draw(rows[:1])
    coming = stream.upcoming(4)
    assert coming.shape == (8,), "the third row has drawn nothing"
    drawn = np.array([stream.draw(rows[:2]) for _ in range(4)])
    assert coming.tolist() == drawn.ravel().tolist()


def test_looking_ahead_changes_nothing():
    one, other = InstanceStream(2, 1000), InstanceStream(2, 1000)
    drawn = []
    for stream in (one, other):
        stream.seed(9)
    for step in range(50):
        row = np.array([step % 2])
        one.upcoming(step % 20 + 1)
        drawn.append((one.draw(row).tolist(), other.draw(row).tolist()))
    assert all(left == right for left, right in drawn)


@given(seeds, st.sampled_from([None, 1, 7, 2**32 - 1]), st.integers(1, 3))
def test_either_kernel_draws_the_same_instances(seed, size, rows):
    drawn = []
    for kernel in ("c", "python"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, kernel if kernel_info().name == "c" else "python")
            stream = InstanceStream(rows, size)
            stream.seed(seed)
            drawn.append(_episodes(stream, AHEAD + 3))
    assert np.array_equal(*drawn)


@given(seeds)
def test_a_row_is_drawn_alone_as_with_others(seed):
    one, two = InstanceStream(2, None), InstanceStream(2, None)
    one.seed(seed)
    two.seed(seed)
    alone = [[two.draw_one(row) for row in (0, 1)] for _ in range(2 * 128 + 3)]
    assert np.array_equal(_episodes(one, 2 * 128 + 3).T, alone)
