"""A model in text, acting on batches, is told and paid what the text wrapper tells and pays."""

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_agents.language_actor import LanguageActor
from lightbulb_envs.adapters.prompts import make_engine_prompt
from lightbulb_envs.adapters.text import TextWrapper
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.record import records_of
from lightbulb_envs.replay import replay
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/NewsSummariser-v0"
SLATE = "Lightbulb/NewsSummariser-Slate-v0"
IDS = tuple(lightbulb_envs.ROWS)


class Talker:
    """Says numbers, "stop", nothing or what is no answer, and keeps what it heard."""

    def __init__(self, engine):
        self._answers = make_engine_prompt(engine, 0.01).answers
        self.heard = []

    def answer(self, chats, generators):
        said = [self._say(generator) for generator in generators]
        self.heard += zip(chats, said, strict=True)
        return said

    def _say(self, generator):
        kind, numbers = generator.random(), self._answers.numbers
        if kind < 0.35:
            return str(generator.choice(["", "Hm.", "not 3", "99", "1 2 3 4 5 6 7 8 9", "\ud800"]))
        if kind < 0.45:
            return "stop"
        some = generator.integers(numbers.start, numbers.stop, self._answers.most)
        kept = generator.integers(1, min(4, self._answers.most + 1)) if len(some) > 1 else 1
        return f"Let me think.\nI pick {', '.join(map(str, some[:kept]))}."


def play(env_id, rows=4, count=6, seed=1, history="chat", **settings):
    """Returns a talker and its episodes."""
    engine = lightbulb_envs.make_engine(env_id, rows, **settings)
    talker = Talker(engine)
    actor = LanguageActor(talker, engine, history=history)
    return actor, roll_out(actor, engine, np.arange(count), seed)


@pytest.mark.parametrize("history", ["chat", "state"])
@pytest.mark.parametrize("env_id", IDS)
def test_it_is_told_and_paid_what_the_text_wrapper_tells_and_pays(env_id, history):
    actor, episodes = play(env_id, rows=1, count=16, history=history)
    heard = iter(actor.model.heard)
    env = TextWrapper(gymnasium.make(env_id))
    refused = illegal = 0
    for episode in episodes:
        prompt, info = env.reset(options={"instance": episode.instance})
        for action, reward in zip(episode.actions, episode.rewards, strict=True):
            chat, said = next(heard)
            if history == "chat":
                assert chat == info["messages"]
            else:
                assert [message["role"] for message in chat] == ["system", "user"]
                assert "\n\n".join(message["content"] for message in chat) == prompt
            prompt, paid, terminated, truncated, info = env.step(said)
            assert (paid, info.get("action")) == (reward, action)
            refused += action is None
            illegal += action is not None and info["illegal_action"]
        assert (terminated or truncated, truncated) == (True, episode.truncated)
    assert next(heard, None) is None
    counts = actor.counts
    assert (counts.answers, counts.refused, counts.illegal) == (
        len(actor.model.heard),
        refused,
        illegal,
    )
    assert refused == sum(episode.refused for episode in episodes)
    assert (refused > 0) == (lightbulb_envs.find_row(env_id).head != "text")  # which takes any


@pytest.mark.parametrize("env_id", IDS)
def test_a_batch_answers_as_its_rows_do_alone_and_its_records_replay(env_id):
    _, alone = play(env_id, rows=1, count=9)
    actor, together = play(env_id, rows=4, count=9)
    assert together == alone
    engine = lightbulb_envs.make_engine(env_id, 1)
    assert replay(records_of(env_id, {}, engine, together)).differences == ()
    assert len(actor.model.heard) == sum(len(episode.actions) for episode in together)


def test_illegal_answers_are_told_apart_from_those_that_stand_for_no_action():
    actor, episodes = play(ID, count=12)
    assert 0 < actor.counts.illegal < actor.counts.answers
    assert f"{actor.counts.refused} stood for no action" in str(actor.counts)
    assert actor.counts.first_refusal in str(actor.counts)
    told = [chat[-1]["content"] for chat, _ in actor.model.heard]
    assert any("Your last answer was not taken: sentence" in text for text in told)
    assert len(episodes) == 12


def test_draws_follow_the_seed():
    first, again, other = (play(ID, seed=seed)[1] for seed in (5, 5, 6))
    assert first == again != other
    assert play(ID, seed=None)[1] != play(ID, seed=None)[1]


def test_every_turn_of_every_episode_has_draws_of_its_own():
    drawn = []

    class Silent:
        def answer(self, chats, generators):
            drawn.extend(generator.random() for generator in generators)
            return [""] * len(chats)

    engine = lightbulb_envs.make_engine(SLATE, 2)
    roll_out(LanguageActor(Silent(), engine), engine, np.arange(3), seed=0)
    assert len(set(drawn)) == len(drawn) == 3 * 8


def test_the_same_instance_twice_is_two_episodes_with_draws_of_their_own():
    engine = lightbulb_envs.make_engine(ID, 4)
    actor = LanguageActor(Talker(engine), engine)
    episodes = roll_out(actor, engine, np.array([3, 3, 3, 3]), seed=0)
    assert len({episode.actions for episode in episodes}) > 1


def test_the_task_can_be_told_in_other_words():
    engine = lightbulb_envs.make_engine(ID, 2)
    talker = Talker(engine)
    roll_out(LanguageActor(talker, engine, task="Sum up."), engine, np.arange(2), seed=0)
    assert {chat[0]["content"] for chat, _ in talker.heard} == {"Sum up."}


def test_misuse_is_explained():
    engine = lightbulb_envs.make_engine(ID, 2)
    actor = LanguageActor(Talker(engine), engine)
    rows = np.arange(2)
    engine.reset(rows, rows)
    observation = engine.observe(rows)
    with pytest.raises(ValueError, match=r'needs info\["episode"\]'):
        actor.act(observation, {"instance": rows})
    actor.act(observation, {"instance": rows, "episode": rows})
    with pytest.raises(ValueError, match="give every episode a number of its own, or call reset"):
        actor.act(observation, {"instance": rows + 1, "episode": rows})
    actor.reset(0)
    actor.act(observation, {"instance": rows + 1, "episode": rows})
    with pytest.raises(ValueError, match='history must be "chat" or "state"'):
        LanguageActor(Talker(engine), engine, history="all")
    with pytest.raises(ValueError, match="make the engine with max_steps"):
        LanguageActor(Talker(engine), SummariseEngine(engine.config, 2))

    class Mute:
        def answer(self, chats, generators):
            return []

    with pytest.raises(ValueError, match="asked 2 times and gave 0 answers"):
        roll_out(LanguageActor(Mute(), engine), engine, rows)


def test_a_text_is_taken_as_it_was_written_to_its_last_character():
    class Model:
        def answer(self, chats, generators):
            return ["positive\n\0"] * len(chats)

    engine = lightbulb_envs.make_engine("Lightbulb/SentimentAnalysis-Text-v0", 2)
    episodes = roll_out(LanguageActor(Model(), engine), engine, np.arange(2))
    assert [one.actions for one in episodes] == [("positive\n\0",)] * 2
