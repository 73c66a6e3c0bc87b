"""The space of all strings."""

import copy
import json
import pickle

import gymnasium
import pytest
from gymnasium.spaces import Text
from gymnasium.vector.utils import batch_space
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.text_space import UnicodeText


@given(st.text(), st.integers(0, 3))
def test_the_space_of_all_strings_holds_every_string_that_is_not_too_long(text, more):
    assert UnicodeText(len(text) + more).contains(text)
    assert not UnicodeText(len(text)).contains(text + "x")
    assert text.encode("utf-8", "replace") not in UnicodeText(1000)


def test_the_space_of_all_strings_samples_compares_copies_and_does_not_flatten():
    space = UnicodeText(1 << 20, seed=1)
    samples = [space.sample() for _ in range(50)]
    assert all(sample in space and len(sample) <= 80 for sample in samples)
    assert len(set(samples)) > 40
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(samples)))) == samples
    copies = copy.deepcopy(space), pickle.loads(pickle.dumps(space))
    assert copies == (space, space)
    assert {other.sample() for other in copies} == {space.sample()}
    assert space != UnicodeText(7)
    assert UnicodeText(7) != Text(7, min_length=0)
    assert UnicodeText(2).sample() in UnicodeText(2)
    assert repr(space) == "UnicodeText(1048576)"
    assert batch_space(space, 3).sample() in batch_space(space, 3)
    for function in (gymnasium.spaces.flatten, gymnasium.spaces.unflatten):
        with pytest.raises(NotImplementedError, match="no array holds"):
            function(space, "")
    assert not space.is_np_flattenable


def test_samples_are_examples_as_often_as_not():
    space = UnicodeText(100, examples=("negative", "positive"), seed=0)
    samples = [space.sample() for _ in range(400)]
    share = sum(sample in space.examples for sample in samples) / 400
    assert share == pytest.approx(0.5, abs=0.08)
    assert {"negative", "positive"} < set(samples)
    assert all(space.contains(sample) for sample in samples)
