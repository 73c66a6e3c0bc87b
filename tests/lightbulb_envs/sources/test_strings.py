"""Flat strings are the strings that went in."""

from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.sources.strings import Strings


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_strings_come_back_one_by_one_and_in_runs(texts):
    flat = Strings.of(texts)
    assert len(flat) == len(texts)
    assert [flat[number] for number in range(len(texts))] == texts
    for start in range(len(texts)):
        assert flat.take(start, len(texts) - start) == tuple(texts[start:])
        assert flat.take(start, 1) == (texts[start],)
    assert flat.take(0, 0) == ()
