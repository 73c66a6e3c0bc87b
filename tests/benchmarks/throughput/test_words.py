"""The environment that one would write first plays the same episodes as ours."""

import numpy as np
import pytest

import lightbulb_envs
from benchmarks.throughput.words import (
    ENV_ID,
    PEERS,
    ROUGE,
    ObviousTokensEnv,
    obvious,
    read_documents,
    stepped,
)

ROW = np.zeros(1, dtype=np.int64)


@pytest.mark.parametrize("peer", PEERS)
def test_both_observe_and_pay_the_same(peer):
    engine = lightbulb_envs.make_engine(ENV_ID, 1, reward=ROUGE, budget=8, num_instances=3)
    env = ObviousTokensEnv(read_documents(engine, 3), peer, 8)
    for instance in range(3):
        engine.reset(ROW, np.array([instance]))
        observation, _ = env.reset()
        for action in (4, 0, 4, 9, 2, 1, 30, 3):
            step = engine.step(ROW, np.array([action]))
            observation, reward, terminated, _, _ = env.step(action)
            assert reward == pytest.approx(step.reward[0], abs=1e-12)
            assert terminated == step.terminated[0]
            seen = {name: array[0] for name, array in engine.observe(ROW).items()}
            for name in ("tokens", "words", "budget"):
                assert np.array_equal(observation[name], seen[name])
            written = seen["draft"][seen["draft"] > 0] - 1
            assert observation["draft"][: len(written)].tolist() == written.tolist()


def test_contestants_count_words():
    engine = lightbulb_envs.make_engine(ENV_ID, 4, reward=ROUGE, budget=5, num_instances=6)
    assert stepped(engine, 6, copies=True)() == 4 * 5
    assert obvious(ObviousTokensEnv(read_documents(engine, 2), PEERS[0], 5), 3)() == 3 * 5
