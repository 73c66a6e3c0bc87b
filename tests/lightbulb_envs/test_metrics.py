"""Metrics of many texts, by hand and against scikit-learn's definitions."""

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.metrics import calibration_error, macro_f1, summed_up
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/SentimentAnalysis-v0"


def test_macro_f1_counts_labels_alike_by_hand():
    # Label 0: 3 true, 2 of them told, 2 told. Label 1: 1 true, told, 2 told.
    assert macro_f1([0, 0, 0, 1], [0, 0, 1, 1]) == pytest.approx((0.8 + 2 / 3) / 2)
    assert macro_f1([0, 1], [0, 1]) == 1.0
    assert macro_f1([0, 0], [2, 2]) == 0.0


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1)


@given(pairs)
def test_macro_f1_is_what_its_definition_says(pairs):
    labels, answers = zip(*pairs, strict=True)
    scores = []
    for label in {*labels, *answers}:
        right = sum(one == two == label for one, two in pairs)
        precision = right / answers.count(label) if label in answers else 0.0
        recall = right / labels.count(label) if label in labels else 0.0
        total = precision + recall
        scores.append(2 * precision * recall / total if total else 0.0)
    assert macro_f1(labels, answers) == pytest.approx(sum(scores) / len(scores))


def test_calibration_error_by_hand():
    # Two bins: 0.9 and 0.9 of which one is right, 0.6 which is right.
    assert calibration_error([0.9, 0.9, 0.6], [1, 0, 1]) == pytest.approx((0.8 + 0.4) / 3)
    assert calibration_error([1.0, 0.0], [1, 0]) == 0.0
    assert calibration_error([0.75] * 4, [1, 1, 1, 0]) == pytest.approx(0.0)


@pytest.mark.parametrize(("one", "other"), [([], []), ([1], [1, 2]), ([[1]], [[1]])])
def test_lists_must_be_of_one_length(one, other):
    with pytest.raises(ValueError, match="two lists of one length"):
        macro_f1(one, other)
    with pytest.raises(ValueError, match=r"probabilities, in \[0, 1\], got 0.5 to 1.5"):
        calibration_error([0.5, 1.5], [0, 1])


def test_metrics_come_with_the_last_step_and_are_summed_up():
    env = gymnasium.make(ID)
    _, info = env.reset(options={"instance": 3})
    assert "metrics" not in info
    *_, info = env.step(0)
    assert "metrics" not in info
    *_, info = env.step(2)
    label = env.unwrapped.engine.labels.index(env.unwrapped.engine.document(0).label)
    length = len(env.unwrapped.engine.document(0).chunks)
    assert info["metrics"] == {
        "label": label,
        "answer": 1,
        "accuracy": float(label == 1),
        "share_read": pytest.approx(1 / length),
    }


def test_those_of_many_episodes_agree_with_what_was_paid():
    engine = lightbulb_envs.make_engine(ID, 16, split="test")
    episodes = roll_out(make_baseline("lexicon", engine), engine, np.arange(40))
    found = summed_up([episode.metrics for episode in episodes])
    right = [any(reward == 1 for reward in episode.rewards) for episode in episodes]
    assert found["accuracy"] == pytest.approx(np.mean(right))
    assert 0 < found["share_read"] < 1
    assert set(found) == {"accuracy", "share_read", "macro_f1"}
    assert summed_up([]) == {}
    confident = [{"accuracy": 1.0, "confidence": 0.9}, {"accuracy": 0.0, "confidence": 0.9}]
    assert summed_up(confident)["calibration_error"] == pytest.approx(0.4)


def test_engines_that_measure_nothing_have_no_metrics():
    env = gymnasium.make("Lightbulb/NewsSummariser-v0")
    env.reset(seed=0)
    *_, terminated, _, info = env.step(env.action_space.n - 1)
    assert terminated
    assert "metrics" not in info
