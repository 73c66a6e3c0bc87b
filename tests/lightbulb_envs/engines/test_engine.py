"""What engines may offer beside their methods, and when it is used."""

from dataclasses import fields, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.adapters.gym_env import TextEnv
from lightbulb_envs.adapters.gym_vector import TextVectorEnv
from lightbulb_envs.engines.engine import offers
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.kernel import VARIABLE, kernel_info

seeds = st.integers(0, 2**32)


class _Generous(SummariseEngine):
    """Pays one more for every step, and inherits every shortcut."""

    def step(self, rows, actions):
        step = super().step(rows, actions)
        return replace(step, reward=step.reward + 1)


class _Blind(SummariseEngine):
    """Shows no tokens, and inherits every shortcut."""

    def observe(self, rows):
        seen = super().observe(rows)
        return {**seen, "tokens": seen["tokens"] * 0}


def test_a_class_that_overrides_a_method_is_not_passed_by_a_shortcut():
    single = TextEnv(f"{__name__}:_Generous")
    single.reset(seed=0)
    assert single.step(0)[1] > 1
    batch = TextVectorEnv(f"{__name__}:_Generous", num_envs=2)
    batch.reset(seed=0)
    assert (batch.step(np.zeros(2, dtype=np.int64))[1] > 1).all()
    assert not TextEnv(f"{__name__}:_Blind").reset(seed=0)[0]["tokens"].any()
    assert not TextVectorEnv(f"{__name__}:_Blind", copy=False).reset(seed=0)[0]["tokens"].any()
    assert offers(_Blind(SummariseConfig(), 1), "step_among", "step")
    assert not offers(_Blind(SummariseConfig(), 1), "keeps_tokens", "observe")
    assert not offers(object(), "views", "observe")


@settings(max_examples=30)
@given(st.sampled_from(["c", "python"]), st.permutations(range(4)), st.integers(1, 4), seeds)
def test_a_step_among_all_rows_is_the_step_of_some_in_their_places(kernel, order, count, seed):
    random = Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, kernel if kernel_info().name == "c" else "python")
        engines = [SummariseEngine(SummariseConfig(), 4) for _ in range(2)]
    rows = np.array(order[:count])
    for engine in engines:
        engine.reset(np.arange(4), np.arange(4))
    for _ in range(3):
        actions = np.array([random.randrange(engines[0].stop) for _ in rows])
        if engines[0].observe(rows)["action_mask"][:, :-1].any(axis=1).all():
            among = engines[0].step_among(rows, actions)
            own = engines[1].step(rows, actions).among(rows, 4)
            for one in fields(among):
                assert np.array_equal(getattr(among, one.name), getattr(own, one.name)), one.name
            assert not among.reward[[row for row in range(4) if row not in rows]].any()
