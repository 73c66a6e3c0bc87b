"""Canaries of reading do what their names say."""

import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.baselines.canaries import canaries_of
from lightbulb_envs.baselines.reading_canaries import READING_CANARIES
from lightbulb_envs.rollout import roll_out

ID, CUE = "Lightbulb/SentimentAnalysis-v0", "Lightbulb/SentimentAnalysis-Cue-v0"


def played(name, env_id=ID, count=40, **settings):
    engine = lightbulb_envs.make_engine(env_id, 8, **{"split": "validation", **settings})
    episodes = roll_out(READING_CANARIES[name].make(engine), engine, np.arange(count))
    return episodes, engine


def test_an_engine_that_reads_has_them():
    assert canaries_of(lightbulb_envs.make_engine(ID, 1)) is READING_CANARIES


@pytest.mark.parametrize(("name", "action"), [("always negative", 1), ("always positive", 2)])
def test_one_label_is_always_said_at_once(name, action):
    episodes, _ = played(name)
    assert {episode.actions for episode in episodes} == {(action,)}


def test_one_chunk_is_read_and_judged_by_its_words():
    episodes, _ = played("first chunk only")
    assert {len(episode.actions) for episode in episodes} == {2}
    assert {episode.actions[0] for episode in episodes} == {0}
    assert {episode.actions[1] for episode in episodes} == {1, 2}
    at_once, _ = played("first chunk only", "Lightbulb/SentimentAnalysis-Bandit-v0")
    assert [one.actions for one in at_once] == [one.actions[1:] for one in episodes]


def test_all_is_read_and_the_most_frequent_label_said():
    episodes, engine = played("all read, majority")
    for episode in episodes:
        review = engine.source.document(episode.instance)
        assert episode.actions[:-1] == (0,) * len(review.chunks)
    assert len({episode.actions[-1] for episode in episodes}) == 1


def test_the_cue_is_right_nine_times_in_ten_and_wrong_as_often_in_ood():
    for split, share in (("validation", 0.9), ("ood", 0.1)):
        episodes, _ = played("cue only", CUE, 400, split=split)
        assert {len(episode.actions) for episode in episodes} == {1}
        assert np.mean([episode.metrics["accuracy"] for episode in episodes]) == pytest.approx(
            share, abs=0.05
        )
    unsigned, _ = played("cue only")
    assert {episode.actions for episode in unsigned} == {(1,)}
