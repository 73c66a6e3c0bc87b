"""Answers that stand for no action cost what the text wrapper says, and are replayed."""

import dataclasses

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.actions import draw_legal
from lightbulb_envs.adapters.prompts import make_engine_prompt
from lightbulb_envs.adapters.text import TextWrapper
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.engines import refusals
from lightbulb_envs.engines.refusals import step_or_refuse
from lightbulb_envs.engines.summarise import ILLEGAL, SummariseEngine
from lightbulb_envs.record import read_records, records_of, write_records
from lightbulb_envs.replay import replay
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.summation import add_in_order

ID = "Lightbulb/NewsSummariser-v0"
IDS = tuple(one for one, row in lightbulb_envs.ROWS.items() if row.head != "text")
"""Where a text may stand for no action."""


class Hesitant:
    """Says nothing that can be read in a share of its steps, and anything else in the others."""

    def __init__(self, engine, share=0.5):
        self._space, self._share = engine.action_space, share
        self._answers = make_engine_prompt(engine, 0.01).answers

    def reset(self, seed=None):
        self._generator = np.random.default_rng(seed)

    def act(self, observation, info):
        masks = observation["action_mask"]
        if self._generator.random() < 0.3:
            masks = np.ones_like(masks)  # which may be illegal
        drawn = draw_legal(self._space, masks, self._generator).tolist()
        actions = np.empty(len(drawn), dtype=object)
        for row, action in enumerate(drawn):
            said = self._answers.action(self._answers.named(action))
            actions[row] = None if self._generator.random() < self._share else said
        return actions


def play(env_id, share=0.5, count=6, **settings):
    """Returns an engine and episodes of an actor that hesitates."""
    engine = lightbulb_envs.make_engine(env_id, 4, **settings)
    return engine, roll_out(Hesitant(engine, share), engine, np.arange(count), seed=1)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("share", [0.5, 0.97])
def test_episodes_are_those_of_the_text_wrapper_answer_by_answer(env_id, share):
    _, episodes = play(env_id, share)
    env = TextWrapper(gymnasium.make(env_id))
    answers = env.get_wrapper_attr("_prompt").answers
    for episode in episodes:
        env.reset(options={"instance": episode.instance})
        rewards, terminated, truncated = [], False, False
        for action in episode.actions:
            named = None if action is None else ", ".join(map(str, answers.named(action)))
            answer = "I cannot say." if named is None else named or "stop"
            _, reward, terminated, truncated, _ = env.step(answer)
            rewards.append(reward)
            assert (terminated or truncated) == (len(rewards) == len(episode.actions))
        assert tuple(rewards) == episode.rewards
        assert truncated == episode.truncated
        assert episode.refused == sum(action is None for action in episode.actions)
    assert sum(episode.refused for episode in episodes)


@pytest.mark.parametrize("env_id", IDS)
def test_records_with_refused_answers_are_written_read_and_replayed(env_id, tmp_path):
    engine, episodes = play(env_id, 0.97)
    records = records_of(env_id, {}, engine, episodes)
    write_records(tmp_path / "episodes.jsonl", records)
    read = read_records(tmp_path / "episodes.jsonl")
    assert read == records
    assert any(episode.truncated for episode in episodes)
    report = replay(read)
    assert report.differences == ()
    assert report.steps == sum(len(episode.actions) for episode in episodes)


def test_a_refused_answer_that_says_it_cost_nothing_is_found():
    engine, episodes = play(ID)
    records = records_of(ID, {}, engine, episodes)
    place = next(number for number, record in enumerate(records) if None in record.actions)
    step = records[place].actions.index(None)
    rewards = list(records[place].rewards)
    rewards[step] = 0.0
    records[place] = dataclasses.replace(records[place], rewards=tuple(rewards))
    (difference,) = replay(records).differences
    assert (difference.step, difference.action, difference.what) == (step + 1, None, "reward")
    assert difference.recomputed == -0.01 == difference.parts[ILLEGAL]


def test_a_record_may_not_end_before_the_time_limit_by_answers_that_were_refused():
    engine, episodes = play(ID, share=1.0)
    assert {(len(episode.actions), episode.refused) for episode in episodes} == {(64, 64)}
    (record, *_) = records_of(ID, {}, engine, episodes)
    short = dataclasses.replace(record, actions=record.actions[:9], rewards=record.rewards[:9])
    (difference,) = replay([short]).differences
    assert (difference.what, difference.recorded) == ("end", "after step 9")


def test_only_refused_rows_are_charged_and_nothing_of_them_moves():
    engine = lightbulb_envs.make_engine(ID, 3)
    rows = np.arange(3)
    engine.reset(rows, rows)
    before = engine.snapshot(1)
    step = step_or_refuse(engine, rows, [2, None, 2], 1)
    assert engine.snapshot(1) == before
    assert step.is_illegal.tolist() == [False, True, False]
    assert step.reward[1] == -0.01
    for reward, parts in zip(step.reward, step.parts.tolist(), strict=True):
        assert reward == add_in_order(parts)
    other = lightbulb_envs.make_engine(ID, 3)
    other.reset(rows, rows)
    alone = other.step(rows[[0, 2]], np.array([2, 2]))
    assert (step.parts[[0, 2]] == alone.parts).all()


def test_what_an_engine_must_say_for_answers_to_be_refused():
    config, row = lightbulb_envs.make_engine(ID, 1).config, np.arange(1)
    endless, silent = SummariseEngine(config, 1), SummariseEngine(config, 1, max_steps=8)
    silent.part_names = tuple(name for name in silent.part_names if name != ILLEGAL)
    for engine, message in (
        (endless, "make the engine with max_steps"),
        (silent, "does not say what an answer that stands for no action costs"),
    ):
        engine.reset(row, row)
        with pytest.raises(ValueError, match=message):
            step_or_refuse(engine, row, [None], 1)


def test_a_record_of_refused_answers_where_none_can_be_is_a_difference(monkeypatch):
    engine, episodes = play(ID)
    (record, *_) = records_of(ID, {}, engine, episodes)
    record = dataclasses.replace(record, actions=(None, *record.actions[1:]))
    monkeypatch.setattr(refusals, "ILLEGAL", "another part")
    (difference,) = replay([record]).differences
    assert (difference.step, difference.what) == (1, "action")
    assert "does not say what an answer" in difference.recomputed


def test_episodes_are_numbered_over_all_of_a_roll_out():
    seen = []

    class Watching(Lead):
        def act(self, observation, info):
            seen.append((info["episode"].tolist(), info["instance"].tolist()))
            return super().act(observation, info)

    engine = lightbulb_envs.make_engine(ID, 2)
    roll_out(Watching(1), engine, np.array([7, 7, 5]))
    assert seen == [([0, 1], [7, 7])] * 2 + [([2], [5])] * 2
