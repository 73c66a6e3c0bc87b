"""Copies of what rows observe: equal to picking the rows, and nobody else's memory."""

import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.engines import copies
from lightbulb_envs.engines.copies import rows_of

SHAPES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["int8", "int32", "float32", "float64"])),
    min_size=1,
    max_size=5,
)


def _views(shapes, count):
    generator = np.random.default_rng(0)
    return {
        f"array {place}": generator.integers(-9, 9, (count, wide, 2)).astype(kind)
        for place, (wide, kind) in enumerate(shapes)
    }


@given(
    shapes=SHAPES,
    count=st.integers(1, 6),
    seed=st.integers(0, 2**31),
    is_all=st.booleans(),
    much=st.sampled_from([0, 1 << 19]),
)
@example(
    shapes=[(9, "int8"), (1, "float64")], count=1, seed=0, is_all=True, much=0
)  # the second is to be aligned
def test_copies_are_the_rows_and_share_no_memory_with_anything(shapes, count, seed, is_all, much):
    chance = random.Random(seed)
    views = _views(shapes, count)
    rows = np.arange(count)
    if not is_all:
        rows = np.array([chance.randrange(-count, count) for _ in range(chance.randint(0, 7))], int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "_MUCH", much)
        told = rows_of(views, rows)
    assert list(told) == list(views)
    for name, array in told.items():
        assert array.dtype == views[name].dtype
        assert np.array_equal(array, views[name][rows])
        assert array.flags.carray  # contiguous, aligned and writeable
    for name, array in told.items():
        array += 1  # a write is seen nowhere else
        others = {other: told[other] for other in told if other > name}
        for other, unchanged in others.items():
            assert np.array_equal(unchanged, views[other][rows])
        assert np.array_equal(views[name], _views(shapes, count)[name])


def test_a_mask_that_is_kept_keeps_no_articles():
    engine = lightbulb_envs.make_engine("Lightbulb/NewsSummariser-Tokens-v0", 256)
    rows = np.arange(256)
    engine.reset(rows, rows)
    seen = engine.observe(rows)
    assert seen["tokens"].base is seen["article"].base is not None
    for name in ("draft", "budget", "action_mask"):
        assert seen[name].base is None, name


@pytest.mark.parametrize("many", [1, 256])
def test_a_row_that_is_not_there_is_refused(many):
    engine = lightbulb_envs.make_engine("Lightbulb/NewsSummariser-Tokens-v0", many)
    engine.reset(np.arange(many), np.arange(many))
    with pytest.raises(IndexError):
        engine.observe(np.arange(1, many + 1))
