"""Reading pays for what it shows, and committing for being right."""

import numpy as np
import pytest

from lightbulb_envs.baselines.reading import BestReader, Lexicon
from lightbulb_envs.baselines.table import make_baseline
from lightbulb_envs.engines.sentiment import (
    READ,
    BanditConfig,
    BanditEngine,
    SentimentConfig,
    SentimentEngine,
)
from lightbulb_envs.score import mean_returns, random_returns

ROW = np.zeros(1, dtype=np.int64)


def engine_of(num_envs=1, max_steps=None, **settings):
    return SentimentEngine(SentimentConfig(**settings), num_envs, max_steps)


def started(instance=0, **settings):
    engine = engine_of(**settings)
    engine.reset(ROW, np.array([instance]))
    return engine


def paid(engine, action):
    step = engine.step(ROW, np.array([action]))
    return step.parts[0].tolist(), bool(step.terminated[0])


def shown(engine):
    """Returns the text of every line that is observed."""
    tokens = engine.observe(ROW)["tokens"][0].tolist()
    return [engine.source.vocabulary.sentence(line) for line in tokens if any(line)]


def test_what_is_read_is_shown_line_by_line():
    engine = started(level=2)
    review = engine.document(0)
    assert shown(engine) == [review.title]
    for read, chunk in enumerate(review.chunks, 1):
        before = engine.observe(ROW)["unread"][0, 0]
        assert paid(engine, READ) == ([0.0, -0.05, 0.0], False)
        assert shown(engine)[read] == chunk
        assert engine.observe(ROW)["unread"][0, 0] < before
    assert shown(engine) == [review.title, *review.chunks]
    assert engine.observe(ROW)["unread"].tolist() == [[0.0]]


def test_a_right_label_pays_one_and_a_wrong_one_costs():
    for action in (1, 2):
        engine = started(level=2, wrong=-2.0)
        is_right = engine.labels[action - 1] == engine.document(0).label
        assert paid(engine, action) == ([1.0 if is_right else -2.0, 0.0, 0.0], True)
        with pytest.raises(RuntimeError, match=r"rows \[0\] have ended: call reset first"):
            paid(engine, READ)


def test_to_read_on_when_all_is_read_is_illegal_and_changes_nothing():
    engine = started(level=2, illegal_penalty=0.25)
    for _ in engine.document(0).chunks:
        assert engine.observe(ROW)["action_mask"].tolist() == [[1, 1, 1]]
        paid(engine, READ)
    before = engine.observe(ROW)
    assert before["action_mask"].tolist() == [[0, 1, 1]]
    assert paid(engine, READ) == ([0.0, 0.0, -0.25], False)
    after = engine.observe(ROW)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_where_all_is_read_an_episode_is_one_answer():
    engine = BanditEngine(BanditConfig(level=2), 1)
    engine.reset(ROW, np.array([0]))
    review = engine.document(0)
    assert shown(engine) == [review.title, *review.chunks]
    assert engine.observe(ROW)["action_mask"].tolist() == [[0, 1, 1]]
    assert engine.oracle_return(0) == 1.0
    assert engine.labels[engine.oracle_action(0) - 1] == review.label
    assert paid(engine, engine.oracle_action(0)) == ([1.0, 0.0, 0.0], True)


def test_the_last_step_is_truncated():
    engine = engine_of(2, max_steps=2)
    rows = np.arange(2)
    engine.reset(rows, rows)
    assert engine.step(rows, np.array([READ, READ])).truncated.tolist() == [False, False]
    step = engine.step(rows, np.array([READ, 1]))
    assert step.truncated.tolist() == [True, True]
    assert step.terminated.tolist() == [False, True]


def test_the_best_reader_earns_on_average_what_is_promised():
    count = 2000
    engine = engine_of(64, split="validation")
    instances = np.arange(count)
    returns = mean_returns(BestReader(engine), engine, instances)
    promised = []
    for start in range(0, count, 64):
        own = instances[start : start + 64]
        engine.reset(np.arange(len(own)), own)
        promised += [engine.oracle_return(row) for row in range(len(own))]
    gap = returns - np.array(promised)
    assert abs(gap.mean()) < 5 * gap.std() / np.sqrt(count)


def test_a_lexicon_does_where_words_are_all_and_fails_where_they_are_not():
    scores = {}
    for level in (0, 2, 4):
        engine = engine_of(64, split="validation", level=level)
        instances = np.arange(600)
        random = random_returns(engine, instances, rollouts=10).mean()
        best = mean_returns(make_baseline("oracle", engine), engine, instances).mean()
        lexicon = mean_returns(Lexicon(engine), engine, instances).mean()
        scores[level] = 100 * (lexicon - random) / (best - random)
    assert scores[0] > 80 > 60 > scores[2] > 20 > scores[4] > 0


def test_by_hand_a_lexicon_reads_until_it_has_enough():
    engine = started(level=0)
    lexicon = Lexicon(engine, enough=3)
    ids = engine.source.vocabulary.ids
    observation = {name: array.copy() for name, array in engine.observe(ROW).items()}
    observation["tokens"][0, 1, :3] = [ids["was"], ids["good"], ids["##."]]
    assert lexicon.act(observation, {}).tolist() == [READ]
    observation["tokens"][0, 2, :3] = [ids["was"], ids["decent"], ids["##."]]
    assert lexicon.act(observation, {}).tolist() == [2]
    observation["tokens"][0, 3, :3] = [ids["was"], ids["appalling"], ids["##."]]
    assert lexicon.act(observation, {}).tolist() == [READ]
    observation["action_mask"][0, READ] = 0
    assert lexicon.act(observation, {}).tolist() == [2]  # the sum is 0


def test_a_title_is_no_opinion():
    engine = started(level=0)
    observation = engine.observe(ROW)
    observation["tokens"][0, 0, 0] = engine.source.vocabulary.ids["superb"]
    assert Lexicon(engine, enough=1).act(observation, {}).tolist() == [READ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": 6}, "level must be one of 0 to 5, got 6"),
        ({"split": "dev"}, "split must be one of"),
        ({"read_cost": -0.1}, "read_cost is a price and must be 0 or more, got -0.1"),
        ({"illegal_penalty": -1.0}, "illegal_penalty is a price and must be 0 or more"),
        ({"wrong": 1.0}, "must be paid less than 1, got wrong=1.0"),
        ({"num_instances": 0}, "num_instances must be in \\[1, 4294967295\\], got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        engine_of(**settings)


def test_rendering_tells_what_is_read_and_the_answer():
    engine = started(level=2)
    paid(engine, READ)
    review = engine.document(0)
    text = engine.render(0, "ansi")
    assert review.chunks[0] in text
    assert review.chunks[-1] not in text
    assert f"({len(review.chunks) - 1} of {len(review.chunks)} chunks unread)" in text
    paid(engine, 2)
    assert f"Answer: positive. It is {review.label}." in engine.render(0, "ansi")


def test_a_page_tells_what_is_read_what_it_says_and_what_was_paid():
    engine = started(level=2)
    paid(engine, READ)
    review = engine.document(0)
    page = engine.render(0, "html")
    assert page.count("not read") == len(review.chunks) - 1
    beliefs = engine.beliefs(0)
    assert beliefs.shape == (len(review.chunks) + 1, 2)
    assert f"negative {100 * beliefs[1, 0]:.0f}\u00a0%" in page
    for chunk in review.chunks:
        assert chunk.replace("'", "&#x27;") in page
    paid(engine, 2)
    page = engine.render(0, "html")
    assert "<dt>answer</dt><dd>positive</dd>" in page
    assert f"<dt>label</dt><dd>{review.label}</dd>" in page
    assert "\u22120.050" in page
