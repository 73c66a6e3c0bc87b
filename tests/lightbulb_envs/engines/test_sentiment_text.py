"""Any text is an answer, and it is paid for the label that it says."""

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.adapters.text import TextWrapper
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.record import read_records, records_of, write_records
from lightbulb_envs.replay import replay
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.score import random_returns

ID = "Lightbulb/SentimentAnalysis-Text-v0"
ROW = np.zeros(1, dtype=np.int64)


def started(instance=0, **settings):
    engine = lightbulb_envs.make_engine(ID, 1, **settings)
    engine.reset(ROW, np.array([instance]))
    return engine


@pytest.mark.parametrize(
    ("answer", "label"), [("I say:\n**positive**", 1), ("negative", 0), ("hm", -1), ("", -1)]
)
def test_an_answer_is_paid_for_the_label_that_it_says_and_ends_the_episode(answer, label):
    for instance in range(4):
        engine = started(instance, wrong=-0.5)
        truth = engine.labels.index(engine.document(0).label)
        step = engine.step(ROW, [answer])
        assert step.terminated[0]
        assert not step.is_illegal[0]
        assert step.reward[0] == (1.0 if label == truth else -0.5)
        told = {name: value[0] for name, value in engine.metrics(ROW).items()}
        assert (told["answer"], told["label"], told["share_read"]) == (label, truth, 1.0)
        assert engine.answer(0) == (engine.labels[label] if label >= 0 else "none")


def test_the_whole_text_is_shown_at_once():
    engine = started(5)
    count = len(engine.document(0).chunks)
    assert engine.observe(ROW)["tokens"][0].any(axis=1).sum() == 1 + count


def test_what_is_no_text_is_refused():
    engine = started()
    for action, error, message in (
        (3, TypeError, "an action must be a string, got int"),
        (b"positive", TypeError, "got bytes"),
        ("x" * 70_000, ValueError, "a text may have 65,536 characters, and one has 70,000"),
    ):
        with pytest.raises(error, match=message):
            engine.step(ROW, [action])
    engine.step(ROW, ["positive"])
    with pytest.raises(RuntimeError, match="have ended"):
        engine.step(ROW, ["positive"])


def test_answers_are_recorded_as_they_were_written_and_replayed(tmp_path):
    engine = lightbulb_envs.make_engine(ID, 3, split="test")
    texts = ["Ende \ud800 \u202e “positive”", "negative\0", ""]

    class Writer:
        def reset(self, seed=None):
            pass

        def act(self, observation, info):
            return np.array([*texts, None], dtype=object)[:3]

    episodes = roll_out(Writer(), engine, np.arange(3))
    assert [one.actions for one in episodes] == [(text,) for text in texts]
    records = records_of(ID, {"split": "test"}, engine, episodes)
    write_records(tmp_path / "episodes.jsonl", records)
    read = read_records(tmp_path / "episodes.jsonl")
    assert read == records
    report = replay(read)
    assert (report.episodes, report.differences) == (3, ())


def test_random_names_a_label_and_the_oracle_the_right_one():
    engine = lightbulb_envs.make_engine(ID, 100)
    rows = np.arange(100)
    assert abs(random_returns(engine, rows, rollouts=20).mean()) < 0.1
    oracle = roll_out(make_baseline("oracle", engine), engine, rows)
    assert {one.episode_return for one in oracle} == {1.0}


def test_language_models_are_told_what_to_write():
    env = TextWrapper(gymnasium.make(ID))
    prompt, info = env.reset(seed=1)
    review = env.unwrapped.engine.document(0)
    assert all(chunk in prompt for chunk in review.chunks)
    assert "answer with one line, negative or positive" in prompt
    _, reward, terminated, _, info = env.step(f"Let me think.\n{review.label}")
    assert (reward, terminated, info["action"]) == (1.0, True, f"Let me think.\n{review.label}")
    env.reset(seed=1)
    _, reward, terminated, _, info = env.step("x" * 70_000)
    assert (reward, terminated) == (0.0, False)
    assert info["answer_error"] == "the answer has 70,000 characters, and may have 65,536"


def test_a_batch_takes_any_sequence_of_texts():
    env = gymnasium.make_vec(ID, num_envs=3)
    env.reset(seed=0)
    _, reward, terminated, _, _ = env.step(("positive", "negative", "hm"))
    assert terminated.all()
    assert reward[2] == -1.0
    env.reset(seed=0)
    assert env.step(env.unwrapped.oracle_action())[1].tolist() == [1.0] * 3
    env.reset(seed=0)
    assert env.action_space.contains(tuple(env.unwrapped.oracle_action()))
