"""A row that is stepped alone does what the arrays do."""

import pickle
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.engines.one_row import RowOfArrays
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.kernel import VARIABLE, kernel_info

instances = st.integers(0, 2**40)
seeds = st.integers(0, 2**32)


@settings(max_examples=30)
@given(
    st.sampled_from([{}, {"features": True}, {"budget": 40, "budget_unit": "words"}]),
    st.sampled_from(["c", "python"]),
    st.lists(instances, min_size=1, max_size=3),
    seeds,
)
def test_a_row_alone_does_what_the_arrays_do(keywords, kernel, block, seed):
    random = Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, kernel if kernel_info().name == "c" else "python")
        engines = [SummariseEngine(SummariseConfig(**keywords), 2) for _ in range(2)]
    alone, arrays = engines[0].one_row(1), RowOfArrays(engines[1], 1)
    engines[0].upcoming = lambda count: np.array(block)  # so that documents are ready
    for instance in (*block, *block):
        for row in (alone, arrays):
            row.reset(instance)
        assert alone.instance() == arrays.instance() == instance
        paid: Any = (0.0, {}, False, False, False)
        while not paid[2]:
            action = random.randrange(engines[0].stop + 1)
            paid = alone.step(random.choice([int, np.int32, np.array])(action))
            assert paid == arrays.step(action)
            seen = arrays.observe()
            assert seen.keys() == alone.observe().keys()
            for name, array in alone.observe().items():
                assert array.dtype == seen[name].dtype
                assert np.array_equal(array, seen[name])
        with pytest.raises(RuntimeError, match="row.* ended: call reset first"):
            alone.step(0)
    again = pickle.loads(pickle.dumps(alone))
    again.reset(block[0])
    arrays.reset(block[0])
    assert again.step(0) == arrays.step(0)
    assert np.array_equal(again.observe()["selected"], arrays.observe()["selected"])


@pytest.mark.parametrize(
    ("action", "error"), [(0.0, TypeError), ("0", TypeError), (-1, ValueError), (2**70, TypeError)]
)
def test_a_row_alone_refuses_actions_outside_the_space(action, error):
    row = SummariseEngine(SummariseConfig(), 1).one_row(0)
    row.reset(0)
    with pytest.raises(error):
        row.step(action)
    row.step(0)


def test_the_oracle_of_a_row_alone_is_that_of_its_own_document():
    engine = SummariseEngine(SummariseConfig(num_instances=8), 1)
    row, values = engine.one_row(0), []
    for _ in range(2):  # the second time all documents are ready
        for instance in range(8):
            row.reset(instance)
            values.append(engine.oracle_return(0))
    assert values[:8] == values[8:]
    assert len(set(values)) > 4
