"""Environments as OpenEnv serves them, in one process; run by `make test-slow`."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openenv.core.env_server.serialization import deserialize_action, serialize_observation

import lightbulb_envs
from lightbulb_envs.adapters.openenv_env import ServedEnv, TextAction, TextObservation
from lightbulb_envs.adapters.text import make_text_env
from lightbulb_envs.summation import add_in_order

PICK, READ = "Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0"
texts = st.lists(st.text() | st.sampled_from(["0", "1", "2", "stop", "99"]), max_size=8)


@settings(max_examples=25)
@given(texts, st.sampled_from([PICK, READ]), st.integers(0, 1 << 40))
def test_an_episode_is_that_of_the_text_wrapper(answers, env_id, seed):
    served, wrapper = ServedEnv(env_id), make_text_env(env_id)
    observation = served.reset(seed=seed)
    prompt, info = wrapper.reset(seed=seed)
    assert (observation.reward, observation.done) == (None, False)
    total = 0.0
    for step, answer in enumerate(answers, start=1):
        assert (observation.prompt, observation.messages) == (prompt, info["messages"])
        assert observation.instance == served.state.instance == info["instance"]
        observation = served.step(TextAction(text=answer))
        prompt, reward, terminated, truncated, info = wrapper.step(answer)
        assert observation.reward == reward == add_in_order(observation.reward_parts.values())
        assert (observation.done, observation.truncated) == (terminated or truncated, truncated)
        assert observation.answer_error == info["answer_error"]
        assert observation.metrics == info.get("metrics", {})
        total += reward
        assert (served.state.step_count, served.state.episode_return) == (step, total)
        if observation.done:
            break
    assert served.state.has_ended == observation.done
    told = serialize_observation(observation)
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("env_id", lightbulb_envs.ROWS)
def test_every_id_is_served(env_id):
    env = ServedEnv(env_id, num_instances=9)
    assert isinstance(env.reset(instance=5), TextObservation)
    assert (env.state.instance, env.state.env_id) == (5, env_id)
    assert env.state.settings == {"num_instances": 9}
    assert env.get_metadata().name == env_id
    assert env.get_metadata().description in env.reset().prompt
    env.close()


def test_resets_go_on_from_a_seed_as_gymnasiums_do():
    env, wrapper = ServedEnv(PICK), make_text_env(PICK)
    served = [env.reset(seed=6).instance, env.reset().instance, env.reset().instance]
    assert served == [wrapper.reset(seed=seed)[1]["instance"] for seed in (6, None, None)]
    assert env.reset(seed=6, episode_id="again").instance == served[0]
    assert env.state.episode_id == "again"


def test_a_reset_forgets_the_episode_before():
    env = ServedEnv(PICK)
    first = env.reset(instance=3)
    env.step(TextAction(text="0"))
    assert env.state.step_count == 1
    assert env.reset(instance=3) == first
    assert (env.state.step_count, env.state.episode_return) == (0, 0.0)


@pytest.mark.parametrize(
    "data", [{"text": 3}, {"txt": "3"}, {}, {"more": 1, "text": "3"}, {"text": None}]
)
def test_an_action_of_another_form_is_explained(data):
    with pytest.raises(TypeError, match='an action is {"text": "3"}, with a string') as error:
        deserialize_action(data, TextAction)
    assert repr(data) in str(error.value)


def test_misuse_is_explained():
    env = ServedEnv(PICK)
    with pytest.raises(RuntimeError, match="no episode has begun: call reset first"):
        env.step(TextAction(text="3"))
    env.reset(seed=0)
    with pytest.raises(TypeError, match=r'a TextAction, got str: write TextAction\(text="3"\)'):
        env.step("3")
    with pytest.raises(TypeError, match="takes seed, episode_id and instance, and got instances"):
        env.reset(instances=3)
    env.step(TextAction(text="stop"))
    with pytest.raises(RuntimeError, match="the episode has ended: call reset first"):
        env.step(TextAction(text="3"))
    with pytest.raises(ValueError, match="there are Lightbulb/NewsSummariser-Easy-v0"):
        ServedEnv("Lightbulb/NewsSummarizer-v0")
