"""Features by hand, and how novelty follows the draft."""

import numpy as np
import pytest

from lightbulb_envs.engines.engine import make_config
from lightbulb_envs.engines.features import FEATURES, Features
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine

ROW = np.zeros(1, dtype=np.int64)
TOKENS = np.array([[1, 2, 3, 0], [1, 2, 0, 0], [4, 5, 6, 7], [0, 0, 0, 0]], dtype=np.int32)


def _feature(features, name):
    return features.values[:, FEATURES.index(name)].tolist()


def test_position_and_length_by_hand():
    features = Features(TOKENS)
    assert _feature(features, "position") == [0.0, 0.5, 1.0, 0.0]
    assert _feature(features, "length") == [0.75, 0.5, 1.0, 0.0]


def test_the_most_central_sentence_has_centrality_one_and_a_loner_less():
    central = _feature(Features(TOKENS), "centrality")
    assert max(central) == 1.0
    assert central[2] < 1.0 or central[0] == central[1] == central[2]
    assert central[3] == 0.0


def test_novelty_falls_for_what_is_like_the_draft():
    features = Features(TOKENS)
    assert _feature(features, "novelty") == [1.0, 1.0, 1.0, 0.0]
    features.follow((0,))
    novelty = _feature(features, "novelty")
    assert novelty[0] == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < novelty[1] < 1.0
    assert novelty[2] == 1.0
    features.follow(())
    assert _feature(features, "novelty") == [1.0, 1.0, 1.0, 0.0]


def test_the_observation_holds_them_when_asked():
    engine = SummariseEngine(SummariseConfig(features=True), 2)
    rows = np.arange(2)
    engine.reset(rows, rows)
    before = engine.observe(rows)
    assert engine.observation_space["features"].contains(before["features"][0])
    engine.step(ROW, np.array([3]))
    after = engine.observe(rows)
    assert (after["features"][0] != before["features"][0]).any()
    assert (after["features"][1] == before["features"][1]).all()
    assert after["features"][0, 3, 3] == pytest.approx(0.0, abs=1e-6)


def test_without_being_asked_there_are_none():
    engine = SummariseEngine(SummariseConfig(), 1)
    assert "features" not in engine.observation_space.spaces


def test_a_number_is_no_yes_or_no():
    with pytest.raises(TypeError, match="features must be True or False, got 1"):
        SummariseEngine(make_config(SummariseEngine, {"features": 1}), 1)
