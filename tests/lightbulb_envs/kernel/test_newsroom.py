"""The newsroom is told by C as Python tells it, and C refuses what does not fit together."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.kernel import VARIABLE, kernel_info, native
from lightbulb_envs.ordering import stable_order
from lightbulb_envs.randomness import draw_words
from lightbulb_envs.sources.newsroom.compiled_telling import CompiledTelling
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.sources.newsroom.stylebook import SLOTS
from lightbulb_envs.splits import SPLITS

pytestmark = pytest.mark.skipif(kernel_info().name != "c", reason=str(kernel_info()))
REFUSALS = (TypeError, ValueError, IndexError, BufferError, OverflowError)


def _sources(level: int, split: str, lines: int | None) -> list[NewsroomSource]:
    made = []
    for kernel in ("python", "c"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, kernel)
            made.append(NewsroomSource(level, split, lines))
    return made


@settings(max_examples=40)
@given(
    st.integers(0, 5),
    st.sampled_from([split for split in SPLITS if split != "heldout"]),
    st.sampled_from([None, 70]),
    st.lists(st.integers(0, 2**53), min_size=1, max_size=40),
)
def test_any_block_of_documents_is_the_same(level, split, lines, instances):
    plain, compiled = _sources(level, split, lines)
    for block in (instances, instances[:1], instances[::-1]):
        ours, theirs = (source.batch(np.array(block)) for source in (compiled, plain))
        for one in fields(ours):
            mine, other = getattr(ours, one.name), getattr(theirs, one.name)
            assert mine.dtype == other.dtype, one.name
            assert np.array_equal(mine, other), one.name


def test_words_of_three_pieces_are_the_same(monkeypatch):
    """The newsroom has none, so every piece is made to join the one before it."""
    vocabulary = NewsroomSource(2, "train").vocabulary
    usual = NewsroomSource(2, "train").batch(np.arange(20)).words
    monkeypatch.setattr(vocabulary, "joins_word", np.ones(vocabulary.size, dtype=bool))
    plain, compiled = (source.batch(np.arange(20)).words for source in _sources(2, "train", None))
    assert np.array_equal(plain, compiled)
    assert not np.array_equal(plain, usual)


@given(
    st.integers(1, 9).flatmap(
        lambda width: st.lists(
            st.lists(
                st.sampled_from([-1.0, -0.0, 0.0, 0.25, 1.0, np.inf, -np.inf]),
                min_size=width,
                max_size=width,
            ),
            min_size=1,
            max_size=4,
        )
    )
)
def test_rows_are_ordered_as_numpy_orders_them(rows):
    for values in (np.array(rows), np.array(rows)[::-1, ::-1], np.array([rows, rows])):
        for kernel in ("python", "c"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(VARIABLE, kernel)
                order = stable_order(values)
            assert np.array_equal(order, np.argsort(values, axis=-1, kind="stable"))


@given(
    st.integers(0, 2**63 - 1), st.integers(0, 100), st.integers(0, 30), st.integers(0, 2**32 - 1)
)
def test_draws_from_some_number_on_are_the_rest_of_all_draws(index, count, blocks, stream):
    drawn = []
    for kernel in ("python", "c"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, kernel)
            late = draw_words((1, 2), np.array([index]), count, stream, start=4 * blocks)
            drawn += [late, draw_words((1, 2), np.array([index]), 4 * blocks + count, stream)]
    assert np.array_equal(drawn[0], drawn[2])
    assert np.array_equal(drawn[1], drawn[3])
    assert np.array_equal(drawn[0], drawn[1][:, 4 * blocks :])


def test_slots_are_in_the_order_in_which_the_kernel_knows_them():
    names = "actor0 actor1 actor2 body0 body1 place0 thing0 event0 day0 n0 value0"
    assert list(SLOTS) == [*names.split(), "voice0", "voice1", "voice2", "source0"]


def _calls() -> list[tuple[str, list[Any]]]:
    """Returns what telling a block of two documents calls the kernel with."""
    module, calls = native(), []

    class Listening:
        def choose_block(self, *arguments):
            calls.append(("choose_block", list(arguments)))
            return module.choose_block(*arguments)

        def tell_block(self, *arguments):
            calls.append(("tell_block", list(arguments)))
            return module.tell_block(*arguments)

    source = NewsroomSource(2, "train")
    source._compiled = CompiledTelling(Listening(), source._book, 0)
    source.batch(np.arange(2))
    return calls


CALLS = _calls() if kernel_info().name == "c" else []
WRONG = [0, -1, 1, 7, 63, 64, 2**15, 2**31 - 1, -(2**31), 2**62, -(2**63), 2**63 - 1]


@settings(max_examples=400)
@given(st.integers(0, len(CALLS) - 1), st.data())
def test_a_block_with_any_wrong_number_is_told_or_refused(number, data):
    name, (tables, told, *others) = CALLS[number]
    copies = [[one.copy() for one in arrays] for arrays in (tables, told)]  # some are written to
    which = data.draw(st.sampled_from([0, 1]))
    arrays = copies[which]
    place = data.draw(st.integers(0, len(arrays) - 1))
    kind = data.draw(st.sampled_from(["number", "numbers", "shape", "type", "none"]))
    if kind == "none":
        arrays[place] = data.draw(st.sampled_from([None, 3, "text", [], b""]))
    elif kind == "type":
        dtype = data.draw(st.sampled_from([np.int8, np.float64, np.int64, np.int32]))
        arrays[place] = arrays[place].astype(dtype)
    elif kind == "shape":
        shape = list(arrays[place].shape)
        axis = data.draw(st.integers(0, len(shape) - 1))
        shape[axis] = data.draw(st.sampled_from([0, 1, shape[axis] + 1]))
        arrays[place] = np.resize(arrays[place], shape)
    elif arrays[place].size:
        flat = arrays[place].reshape(-1)
        wrong = np.array(data.draw(st.sampled_from(WRONG)), dtype=np.int64).astype(flat.dtype)
        at = slice(None) if kind == "numbers" else data.draw(st.integers(0, flat.size - 1))
        flat[at] = wrong
    try:
        getattr(native(), name)(*map(tuple, copies), *others)
    except REFUSALS:
        return


@pytest.mark.parametrize("arguments", [(), (1,), ((), ()), ((), (), 3, (0.0,)), (None,) * 4])
def test_a_block_needs_all_its_arrays(arguments):
    for name in ("choose_block", "tell_block", "order_rows"):
        with pytest.raises(REFUSALS):
            getattr(native(), name)(*arguments)


def test_a_row_that_is_too_long_is_refused_as_python_refuses_it():
    (name, arguments), *_ = [call for call in CALLS if call[0] == "tell_block"]
    *arrays, tokens, words = arguments[1]
    narrow = tokens[:, :, :3].copy(), words[:, :, :3].copy()
    for short, long in ((narrow[0], words.copy()), (tokens.copy(), narrow[1])):
        with pytest.raises(ValueError, match="a row does not fit a width of 3"):
            getattr(native(), name)(arguments[0], (*arrays, short, long), *arguments[2:])
