"""What words of opinion come to, however a vocabulary tells them."""

import gymnasium
import numpy as np
import pytest

from lightbulb_envs.baselines import opinions
from lightbulb_envs.baselines.opinions import Opinions
from lightbulb_envs.baselines.reading import BASELINES
from lightbulb_envs.subwords import SubwordVocabulary


@pytest.fixture
def vocabulary():
    """Pieces that were learnt from other words: opinions are told in several."""
    return SubwordVocabulary.train(["the mayor opened the bridge", "the bridge was closed"])


def _rows(vocabulary, *texts):
    pieces = vocabulary.encode(texts)
    rows = np.zeros((1, len(texts), max(map(len, pieces))), dtype=np.int32)
    for place, one in enumerate(pieces):
        rows[0, place, : len(one)] = one
    return rows


def test_words_told_in_pieces_are_put_together(vocabulary):
    rows = _rows(vocabulary, "The pool was Dreadful, the bar good.", "", "dreadfully goods")
    words = {word: worth for worth, told in opinions.OPINIONS.items() for word in told.split()}
    assert len(vocabulary.encode(["dreadful"])[0]) > 1
    assert Opinions(vocabulary)(rows).tolist() == [words["dreadful"] + words["good"]]


def test_few_rows_are_remembered_and_all_are_counted(vocabulary, monkeypatch):
    monkeypatch.setattr(opinions, "_REMEMBERED", 2)
    counted = Opinions(vocabulary)
    rows = _rows(vocabulary, *["good", "bad", "dreadful", "decent"])
    told = [counted(rows[:, place : place + 1]).item() for place in (0, 1, 2, 3, 0)]
    assert told[0] == told[4] > 0 > told[1] > told[2]
    assert len(counted._of_rows) == 2


def test_a_lexicon_answers_the_same_in_words_and_in_pieces(vocabulary, tmp_path):
    vocabulary.save(tmp_path / "pieces.json")
    played = []
    for settings in ({}, {"tokenizer": str(tmp_path / "pieces.json"), "max_tokens": 128}):
        env = gymnasium.make_vec("Lightbulb/SentimentAnalysis-v0", num_envs=32, **settings)
        policy = BASELINES["lexicon"].make(env.unwrapped.engine)
        observation, info = env.reset(seed=5)
        answers = []
        for _ in range(40):
            actions = policy.act(observation, info)
            observation, *_, info = env.step(actions)
            answers.append(actions)
        played.append(np.array(answers))
    np.testing.assert_array_equal(*played)
    assert len(np.unique(played[0])) == 3
