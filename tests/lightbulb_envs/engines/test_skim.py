"""Chunks are read in any order, each once, and paid for."""

import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.score import mean_returns, random_returns

ID = "Lightbulb/SentimentAnalysis-Skim-v0"
ROW = np.zeros(1, dtype=np.int64)


def started(instance=0, **settings):
    engine = lightbulb_envs.make_engine(ID, 1, **settings)
    engine.reset(ROW, np.array([instance]))
    return engine


def test_a_chunk_is_shown_where_it_stands():
    engine = started()
    review = engine.document(0)
    step = engine.step(ROW, np.array([3]))
    assert step.reward[0] == -0.05
    tokens = engine.observe(ROW)["tokens"][0]
    assert np.flatnonzero(tokens.any(axis=1)).tolist() == [0, 4]
    assert engine.source.vocabulary.sentence(tokens[4].tolist()) == review.chunks[3]
    assert f"[3] {review.chunks[3]}" in engine.render(0, "ansi")
    engine.step(ROW, np.array([1]))
    assert engine.chunks_read(0) == [1, 3]
    mask = engine.observe(ROW)["action_mask"][0]
    legal = [chunk for chunk in range(len(review.chunks)) if chunk not in (1, 3)]
    assert np.flatnonzero(mask).tolist() == [*legal, engine.reads, engine.reads + 1]


def test_what_is_read_already_or_not_there_is_illegal_and_changes_nothing():
    engine = started()
    engine.step(ROW, np.array([2]))
    length = len(engine.document(0).chunks)
    before = engine.observe(ROW)
    for action in (2, length, engine.reads - 1):
        if action == engine.reads - 1 and length == engine.reads:
            continue
        step = engine.step(ROW, np.array([action]))
        assert step.is_illegal[0]
        assert step.parts[0].tolist() == [0.0, 0.0, -0.01]
        for name, value in engine.observe(ROW).items():
            assert np.array_equal(value, before[name])


def test_a_label_ends_the_episode():
    for label in (0, 1):
        engine = started(4)
        step = engine.step(ROW, np.array([engine.reads + label]))
        is_right = engine.labels[label] == engine.document(0).label
        assert step.terminated[0]
        assert step.reward[0] == (1.0 if is_right else -1.0)
        assert engine.metrics(ROW)["share_read"][0] == 0.0


def test_the_oracle_goes_on_from_whatever_was_read():
    engine = started(7)
    planned = engine.oracle_action(0)
    other = next(chunk for chunk in range(5) if chunk != planned)
    engine.step(ROW, np.array([other]))
    for _ in range(12):
        action = engine.oracle_action(0)
        assert engine.observe(ROW)["action_mask"][0, action] == 1
        if engine.step(ROW, np.array([action])).terminated[0]:
            return
    pytest.fail("the oracle does not end")


def test_skimming_beats_reading_in_order():
    engine = lightbulb_envs.make_engine(ID, 32, split="validation")
    ordered = lightbulb_envs.make_engine("Lightbulb/SentimentAnalysis-v0", 32, split="validation")
    instances = np.arange(64)
    skimmed = mean_returns(make_baseline("oracle", engine), engine, instances).mean()
    read = mean_returns(make_baseline("oracle", ordered), ordered, instances).mean()
    last = mean_returns(make_baseline("lexicon, last first", engine), engine, instances).mean()
    first = mean_returns(make_baseline("lexicon", engine), engine, instances).mean()
    random = random_returns(engine, instances, 5).mean()
    assert skimmed > read > first > random
    assert skimmed > last > first


def test_the_lexicon_reads_the_last_chunk_first():
    engine = lightbulb_envs.make_engine(ID, 8)
    for episode in roll_out(make_baseline("lexicon, last first", engine), engine, np.arange(8)):
        length = len(engine.source.document(episode.instance).chunks)
        read = [action for action in episode.actions if action < engine.reads]
        assert read == list(range(length - 1, length - 1 - len(read), -1))
        assert read
