"""Actions in every space: checks, masks and draws agree with Gymnasium's own."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Text
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.actions import (
    are_legal,
    check_actions,
    draw_legal,
    flat_mask,
    mask_shape,
    sample_mask,
    to_plain,
)

SPACES = (Discrete(5), MultiDiscrete([5] * 3), MultiBinary(4), Box(0, 1, (4,)))
NUMBERED = SPACES[:3]
seeds = st.integers(0, 2**32)


def _mask(space, generator):
    mask = (generator.random(mask_shape(space)) < 0.5).astype(np.int8)
    mask[..., -1] = 1  # something is always legal
    return mask


@pytest.mark.parametrize("space", NUMBERED, ids=str)
@given(seed=seeds)
def test_what_gymnasium_samples_by_a_mask_is_legal(space, seed):
    mask = _mask(space, np.random.default_rng(seed))
    space.seed(seed)
    action = np.asarray(space.sample(mask=sample_mask(space, mask)))
    assert are_legal(space, mask[None], action[None].astype(np.int64)).tolist() == [True]


def test_a_bit_that_may_be_set_is_sampled_either_way():
    space, mask = MultiBinary(3), np.array([1, 0, 1], dtype=np.int8)
    space.seed(0)
    sampled = np.array([space.sample(mask=sample_mask(space, mask)) for _ in range(50)])
    assert sampled.min(axis=0).tolist() == [0, 0, 0]
    assert sampled.max(axis=0).tolist() == [1, 0, 1]


@pytest.mark.parametrize("space", SPACES, ids=str)
@given(seed=seeds)
def test_legal_draws_are_legal_and_others_are_not(space, seed):
    generator = np.random.default_rng(seed)
    masks = np.stack([_mask(space, generator) for _ in range(6)])
    drawn = draw_legal(space, masks, generator)
    assert are_legal(space, masks, drawn).all()
    forbidden = np.argwhere(masks[0] == 0)
    if len(forbidden):
        action = drawn[0].copy()
        place = forbidden[0]
        if isinstance(space, MultiBinary | Box):
            action[place[0]] = 1
        elif action.ndim:
            action[place[0]] = place[1]
        else:
            action = place[0]
        assert not are_legal(space, masks[:1], np.asarray(action)[None])[0]


def test_draws_are_uniform_over_what_is_legal():
    generator = np.random.default_rng(0)
    masks = np.tile(np.array([1, 0, 1, 1], dtype=np.int8), (30_000, 1))
    counts = np.bincount(draw_legal(Discrete(4), masks, generator), minlength=4)
    assert counts[1] == 0
    assert counts[[0, 2, 3]] == pytest.approx([10_000] * 3, rel=0.05)
    bits = draw_legal(MultiBinary(4), masks, generator)
    assert bits.mean(axis=0) == pytest.approx([0.5, 0.0, 0.5, 0.5], abs=0.02)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_no_rows_are_no_trouble(space):
    masks = np.zeros((0, *mask_shape(space)), dtype=np.int8)
    assert are_legal(space, masks, np.zeros((0, *space.shape), space.dtype)).shape == (0,)


def test_weights_are_drawn_where_they_may_be_and_none_at_all_is_illegal():
    space, generator = Box(0, 1, (4,)), np.random.default_rng(0)
    masks = np.tile(np.array([1, 0, 1, 1], dtype=np.int8), (30_000, 1))
    weights = draw_legal(space, masks, generator)
    assert weights.dtype == np.float32
    assert space.contains(weights[0])
    assert weights.mean(axis=0) == pytest.approx([0.5, 0.0, 0.5, 0.5], abs=0.01)
    nothing = np.zeros((1, 4), dtype=np.float32)
    assert not are_legal(space, masks[:1], nothing)[0]
    assert sample_mask(space, masks[0]) is None


def test_weights_that_are_drawn_are_never_all_nothing():
    class Lowest:
        def random(self, shape):
            return np.zeros(shape)

    space, masks = Box(0, 1, (3,)), np.ones((2, 3), dtype=np.int8)
    assert are_legal(space, masks, draw_legal(space, masks, Lowest())).all()


def test_weights_keep_the_type_of_their_space():
    space = Box(0, 1, (2,))
    for told in ([[0.25, 1]], [[0, 1]], np.array([[0.1, 0.2]])):
        weights = check_actions(told, 1, space)
        assert weights.dtype == np.float32
        assert to_plain(weights[0]) == np.asarray(told, dtype=np.float32)[0].tolist()


@pytest.mark.parametrize(
    ("space", "actions", "error", "message"),
    [
        (Discrete(5), [5], ValueError, r"in \[0, 5\), got \[5\]"),
        (Discrete(5), [-1], ValueError, "got"),
        (Discrete(5), [1.0], TypeError, "integers, got float64"),
        (Discrete(5), [[1]], ValueError, r"shape \(1,\), got \(1, 1\)"),
        (MultiDiscrete([5, 5]), [[0, 5]], ValueError, r"in \[0, 5\)"),
        (MultiDiscrete([5, 5]), [0], ValueError, r"shape \(1, 2\)"),
        (MultiBinary(3), [[0, 2, 0]], ValueError, r"in \[0, 2\), got \[2\]"),
        (MultiBinary(3), [[0.0, 0.5, 1.0]], ValueError, r"0 or 1, got \[0.5\]"),
        (MultiBinary(2), [[0.0, float("nan")]], ValueError, r"0 or 1, got \[nan\]"),
        (Box(0, 1, (2,)), [[0.5, 1.5]], ValueError, r"in \[0, 1\], got \[1.5\]"),
        (Box(0, 1, (2,)), [[0.5, float("nan")]], ValueError, r"in \[0, 1\], got \[nan\]"),
        (Box(0, 1, (2,)), [["a", "b"]], TypeError, "weights must be numbers"),
        (Box(0, 1, (2,)), [0.5], ValueError, r"shape \(1, 2\)"),
        (Text(3), [1], TypeError, "must be a string, got int"),
        (Text(3), ["abcd"], ValueError, "may have 3 characters, and one has 4"),
        (Text(3), "a", ValueError, "a text for each of 1 rows"),
        (Dict(), [1], TypeError, "are Discrete, MultiDiscrete, MultiBinary, Box or Text here"),
    ],
)
def test_bad_actions_are_refused(space, actions, error, message):
    with pytest.raises(error, match=message):
        check_actions(actions, 1, space)


@pytest.mark.parametrize("kind", [bool, np.float32, np.float64, np.int8])
def test_bits_are_taken_as_their_space_contains_them(kind):
    bits = np.array([[0, 1, 1]], dtype=kind)
    assert MultiBinary(3).contains(bits[0])
    assert check_actions(bits, 1, MultiBinary(3)).tolist() == [[0, 1, 1]]


def test_masks_of_other_peoples_code_by_hand():
    mask = np.array([1, 0, 1], dtype=np.int8)
    assert flat_mask(Discrete(3), mask).tolist() == [True, False, True]
    assert flat_mask(MultiBinary(3), mask).tolist() == [True, True, True, False, True, True]
    slate = np.array([[1, 0, 1], [0, 0, 1]], dtype=np.int8)
    flat = flat_mask(MultiDiscrete([3, 3]), slate)
    assert flat.tolist() == [True, False, True, False, False, True]
    assert flat_mask(MultiDiscrete([3, 3]), np.stack([slate, slate])).shape == (2, 6)


def test_actions_are_plain_data():
    assert to_plain(np.int64(3)) == 3
    assert to_plain(np.array([1, 0])) == [1, 0]
