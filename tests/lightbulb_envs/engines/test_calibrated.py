"""Forecasts are paid by a proper scoring rule, for what is shown and nothing else."""

import json

import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.metrics import summed_up
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.score import mean_returns, normalised_score, random_returns

ID = "Lightbulb/SentimentAnalysis-Calibrated-v0"
ROW = np.zeros(1, dtype=np.int64)


def started(instance=0, **settings):
    engine = lightbulb_envs.make_engine(ID, 1, **settings)
    engine.reset(ROW, np.array([instance]))
    return engine


def test_the_beginning_is_shown_and_how_much_follows_from_the_instance():
    engine = lightbulb_envs.make_engine(ID, 400)
    rows = np.arange(400)
    engine.reset(rows, rows)
    shares = []
    for row in rows.tolist():
        read, length = engine.chunks_read(row), len(engine.document(row).chunks)
        assert read == list(range(len(read)))
        shares.append(len(read) / length)
        shown = engine.observe(np.array([row]))["tokens"][0].any(axis=1)
        assert np.flatnonzero(shown).tolist() == list(range(1 + len(read)))
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)
    assert min(shares) == 0
    assert max(shares) == 1
    alone = started(7)
    assert alone.num_read(0) == engine.num_read(7)


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.5, 4), (1.0, 7)])
def test_how_much_is_shown_may_be_fixed(share, count):
    engine = started(2, share_shown=share)
    assert len(engine.document(0).chunks) == 7
    assert engine.num_read(0) == count


def test_a_forecast_is_each_weights_share():
    engine = started(3)
    label = engine.labels.index(engine.document(0).label)
    step = engine.step(ROW, np.array([[0.25, 0.75]]))
    assert step.terminated[0]
    assert step.reward[0] == 1 - 2 * (0.75 if label == 0 else 0.25) ** 2
    other = started(3)
    assert other.step(ROW, np.array([[0.125, 0.375]])).reward[0] == step.reward[0]
    assert engine.answer(0) == "negative 25 %, positive 75 %"
    told = {name: value[0] for name, value in engine.metrics(ROW).items()}
    assert (told["answer"], told["confidence"], told["accuracy"]) == (1, 0.75, float(label == 1))


def test_no_weight_at_all_is_illegal_and_changes_nothing():
    engine = started(3)
    before = engine.observe(ROW)
    step = engine.step(ROW, np.zeros((1, 2)))
    assert step.is_illegal[0]
    assert not step.terminated[0]
    assert step.parts[0].tolist() == [0.0, -0.01]
    assert all(np.array_equal(value, before[name]) for name, value in engine.observe(ROW).items())
    assert engine.answer(0) is None
    assert "no label has weight" in engine.render(0, "html")


def test_saying_nothing_ends_an_episode_by_its_time_limit_alone():
    engine = started(3)
    for step in range(8):
        told = engine.step(ROW, np.zeros((1, 2)))
        assert not told.terminated[0]
        assert told.truncated[0] == (step == 7)
    with pytest.raises(RuntimeError, match="have ended"):
        engine.step(ROW, np.array([[1.0, 0.0]]))


def test_a_forecast_is_kept_in_a_snapshot_and_forgotten_at_a_reset():
    engine, other = started(3), started(5)
    engine.step(ROW, np.array([[0.25, 0.75]]))
    other.restore(0, json.loads(json.dumps(engine.snapshot(0))))
    assert other.answer(0) == engine.answer(0) == "negative 25 %, positive 75 %"
    assert other.metrics(ROW)["confidence"][0] == 0.75
    engine.reset(ROW, np.array([3]))
    assert engine.answer(0) is None


def test_an_action_outside_the_space_is_refused():
    engine = started()
    for action, message in (([[0.5, 1.5]], "got \\[1.5\\]"), ([[np.nan, 1]], "got \\[nan\\]")):
        with pytest.raises(ValueError, match=message):
            engine.step(ROW, np.array(action))
    engine.step(ROW, np.array([[1, 0]]))
    with pytest.raises(RuntimeError, match="have ended"):
        engine.step(ROW, np.array([[1, 0]]))


def test_the_oracle_says_what_it_believes_and_nobody_who_shifts_it_earns_more():
    engine = lightbulb_envs.make_engine(ID, 500)
    rows = np.arange(3000)
    oracle = make_baseline("oracle", engine)
    played = roll_out(oracle, engine, rows)
    confidence = np.array([one.metrics["confidence"] for one in played])
    assert 0.1 < (confidence < 0.9).mean() < 0.9  # it is sure of some, and not of others
    assert summed_up([one.metrics for one in played])["calibration_error"] < 0.03
    promised = []
    for start in range(0, 1000, 500):
        engine.reset(np.arange(500), np.arange(start, start + 500))
        promised += [engine.oracle_return(row) for row in range(500)]
    returns = np.array([one.episode_return for one in played])
    gap = returns[:1000] - promised
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(1000)

    class Shifted:
        def __init__(self, power):
            self.power = power

        def reset(self, seed=None):
            oracle.reset(seed)

        def act(self, observation, info):
            weights = oracle.act(observation, info) ** self.power
            return weights / weights.sum(axis=1, keepdims=True)

    for power in (0.5, 2.0):
        assert mean_returns(Shifted(power), engine, rows).mean() < returns.mean() - 0.002


def test_the_lexicon_lies_between_random_and_the_oracle():
    engine = lightbulb_envs.make_engine(ID, 200, split="validation")
    rows = np.arange(400)
    random = random_returns(engine, rows, rollouts=5)
    oracle = mean_returns(make_baseline("oracle", engine), engine, rows)
    lexicon = mean_returns(make_baseline("lexicon", engine), engine, rows)
    even = mean_returns(make_baseline("even", engine), engine, rows)
    assert even == pytest.approx(np.full(400, 0.5))
    assert normalised_score(even, random, oracle) < normalised_score(lexicon, random, oracle) < 70


def test_real_text_is_forecast_too(tmp_path):
    path = tmp_path / "reviews.jsonl"
    rows = [
        {"text": f"It was {word}. So it was.", "label": word} for word in ("bad", "fair", "good")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    engine = started(1, source=f"jsonl:{path}", share_shown=0.5)
    assert engine.action_space.shape == (3,)
    assert engine.chunks_read(0) == [0]
    assert engine.oracle_return(0) == 1.0
    assert engine.oracle_action(0).tolist() == [0.0, 1.0, 0.0]
    assert engine.step(ROW, engine.oracle_action(0)[None]).reward[0] == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "log"}, "rule must be one of brier, spherical, got 'log'"),
        ({"share_shown": 1.5}, r"share_shown must be in \[0, 1\], got 1.5"),
        ({"illegal_penalty": -1}, "illegal_penalty is a price"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        started(**settings)
