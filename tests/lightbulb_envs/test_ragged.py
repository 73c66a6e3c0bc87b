"""Rows of different lengths come back as they were put in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.ragged import Ragged, pad

rows = st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=6)


@given(rows, st.lists(st.integers(0, 5), max_size=8))
def test_taken_rows_are_those_that_were_asked_for(listed, chosen):
    chosen = [number for number in chosen if number < len(listed)]
    values, owner = Ragged.of(listed).take(np.array(chosen, dtype=np.int64))
    assert values.tolist() == [value for number in chosen for value in listed[number]]
    assert owner.tolist() == [n for n, number in enumerate(chosen) for _ in listed[number]]


@given(rows)
def test_padding_fills_what_rows_leave_empty(listed):
    values, owner = Ragged.of(listed).take(np.arange(len(listed)))
    padded = pad(values, owner, len(listed), 7, -1)
    assert padded.tolist() == [row + [-1] * (7 - len(row)) for row in listed]
    longest = max(max(map(len, listed)), 1)
    assert pad(values, owner, len(listed), None, -1).shape == (len(listed), longest)


def test_a_row_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="row of 3 does not fit a width of 2"):
        pad(np.arange(3, dtype=np.int32), np.zeros(3, dtype=np.int64), 1, 2, 0)
