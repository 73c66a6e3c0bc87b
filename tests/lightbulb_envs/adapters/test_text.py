"""The text wrapper: strings in and out, the same episodes as without it, and hostile strings."""

import json
import re
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Dict, Discrete, Text
from gymnasium.utils import env_checker
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from hypothesis import given, settings
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.actions import draw_legal, flat_mask
from lightbulb_envs.adapters.prompts import ENDED
from lightbulb_envs.adapters.text import TextWrapper, make_text_env
from lightbulb_envs.summation import add_in_order

PICK = "Lightbulb/NewsSummariser-v0"
SLATE, SUBSET = "Lightbulb/NewsSummariser-Slate-v0", "Lightbulb/NewsSummariser-Subset-v0"
IDS = tuple(lightbulb_envs.ROWS)
FORMS = (PICK, SLATE, SUBSET)


def _wrapped(env_id=PICK, **keywords):
    return TextWrapper(gymnasium.make(env_id, **keywords))


def _check(env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Every wrapper is warned about, for it may hide what is wrong with what it wraps.
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version")
        env_checker.check_env(env)


@pytest.mark.parametrize("env_id", IDS)
def test_every_id_passes_gymnasiums_check_in_text_without_a_warning(env_id):
    _check(_wrapped(env_id, render_mode="ansi"))


def _answer(env, action):
    """Returns a text that stands for an action."""
    answers = env.get_wrapper_attr("_prompt").answers
    if answers.is_free:
        return action
    return ", ".join(map(str, answers.named(action))) or "stop"


@pytest.mark.parametrize("env_id", IDS)
def test_episodes_are_those_without_the_wrapper_to_the_bit_and_can_be_replayed(env_id):
    generator = np.random.default_rng(3)
    plain, env = gymnasium.make(env_id), _wrapped(env_id)
    for seed in range(4):
        _, told = plain.reset(seed=seed)
        _, info = env.reset(seed=seed)
        assert told["instance"] == info["instance"]
        for step in range(100):
            mask = told["action_mask"]
            if step % 3 == 1:
                mask = np.ones_like(mask)  # which may be illegal
            action = draw_legal(plain.action_space, mask[None], generator)[0]
            if isinstance(plain.action_space, gymnasium.spaces.Box):
                action = np.round(action, 2)  # which is what can be said in whole per cent
            _, *paid, told = plain.step(action)
            _, *also, info = env.step(_answer(env, action))
            assert paid == also
            for name, value in told.items():
                np.testing.assert_equal(info[name], value)
            assert bool(info["answer_error"]) == info["illegal_action"]
            taken = env.unwrapped.engine.taken(0)[-1]
            assert info["action"] == taken.action
            if paid[1] or paid[2]:
                break
        assert plain.unwrapped.snapshot() == env.unwrapped.snapshot()


@pytest.mark.parametrize("env_id", FORMS)
@settings(max_examples=25)
@given(texts=st.lists(st.text() | st.sampled_from(["3", "stop", "99", "1 1"]), max_size=12))
def test_no_text_raises_and_every_step_is_accounted_for(env_id, texts):
    env = _ENVS.setdefault(env_id, _wrapped(env_id))
    env.reset(seed=7)
    rewards, refused = [], 0
    for text in texts:
        prompt, reward, terminated, truncated, info = env.step(text)
        assert env.observation_space.contains(prompt)
        assert add_in_order(info["reward_parts"].values()) == reward
        assert info["illegal_action"] == bool(info["answer_error"])
        assert "\n" not in info["answer_error"]
        rewards.append(reward)
        if "action" not in info:
            refused += 1
            assert info["illegal_action"]
            assert reward == -0.01
        json.dumps(info["messages"]).encode()
        prompt.encode()
        if terminated or truncated:
            break
    taken = env.unwrapped.engine.taken(0)
    assert len(taken) + refused == len(rewards)
    assert np.isclose(sum(rewards), sum(sum(one.parts) for one in taken) - 0.01 * refused)


_ENVS: dict[str, TextWrapper] = {}


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "🙂" * 1000, "3" * (1 << 20), "\n" * 4096])
def test_hostile_answers_are_illegal_and_change_nothing(text):
    env = _wrapped()
    env.reset(seed=0)
    before = env.unwrapped.snapshot()
    _, reward, terminated, truncated, info = env.step(text)
    assert (reward, terminated, truncated) == (-0.01, False, False)
    assert len(info["answer_error"]) < 100
    assert env.unwrapped.snapshot() == before
    info["messages"][2]["content"].encode()


@pytest.mark.parametrize("env_id", FORMS)
def test_where_every_action_is_legal_an_unreadable_answer_is_still_illegal(env_id, write_jsonl):
    article = ["One bridge opened.", "It cost much.", "It is long."]
    path = write_jsonl([{"id": "a", "article": article, "summary": "One bridge."}])
    env = _wrapped(env_id, source=f"jsonl:{path}", max_sentences=3, budget=3, illegal_penalty=0.25)
    limit = env.spec.max_episode_steps
    _, info = env.reset(seed=0)
    assert info["action_mask"].all()
    for step in range(1, limit + 1):
        _, reward, terminated, truncated, info = env.step("I cannot decide.")
        assert (reward, terminated, truncated) == (-0.25, False, step == limit)
        assert info["reward_parts"]["illegal_action"] == -0.25
    with pytest.raises(RuntimeError, match="the episode has ended"):
        env.step("I cannot decide.")
    env.reset()
    _, reward, *_ = env.step("0")
    assert reward > 0


def test_refused_answers_count_towards_the_time_limit():
    env = _wrapped(max_episode_steps=3)
    env.reset(seed=0)
    truncated = [env.step(text)[3] for text in ("2", "hm", "3")]
    assert truncated == [False, False, True]
    outside = TimeLimit(_wrapped(max_episode_steps=-1), 2)
    outside.reset(seed=0)
    assert [outside.step("hm")[3] for _ in range(2)] == [False, True]


@pytest.mark.parametrize("env_id", FORMS)
def test_messages_are_the_episode_as_a_chat(env_id):
    env = _wrapped(env_id)
    prompt, info = env.reset(seed=0)
    assert [message["role"] for message in info["messages"]] == ["system", "user"]
    assert "\n\n".join(message["content"] for message in info["messages"]) == prompt
    info["messages"].clear()
    prompt, *_, info = env.step("Let me \ud800 think.\nhm")
    prompt, *_, info = env.step("2")
    roles = ["system", "user", "assistant", "user", "assistant", "user"]
    assert [message["role"] for message in info["messages"]] == roles
    assert info["messages"][2]["content"] == "Let me \ufffd think.\nhm"
    assert "'hm' is no answer" in info["messages"][3]["content"]
    assert info["messages"][4]["content"] == "2"
    assert prompt.endswith(info["messages"][5]["content"])
    assert json.loads(json.dumps(info["messages"])) == info["messages"]


@pytest.mark.parametrize("env_id", FORMS)
def test_a_snapshot_goes_on_as_the_episode_did_messages_included(env_id):
    env, other = _wrapped(env_id), _wrapped(env_id)
    env.reset(seed=1)
    env.step("hm")
    before = env.step("99")
    kept = json.loads(json.dumps(env.snapshot()))
    after = env.step("2, 3" if env_id != PICK else "2")
    other.reset(seed=9)
    prompt, info = other.restore(kept)
    assert prompt == before[0]
    assert info["messages"] == before[4]["messages"]
    again = other.step("2, 3" if env_id != PICK else "2")
    np.testing.assert_equal(again, after)


def test_what_the_environment_offers_works_below_and_its_spec_makes_it_again():
    env = _wrapped(split="test")
    _, info = env.reset(options={"instance": 5})
    assert info["instance"] == 5
    mask = flat_mask(env.unwrapped.action_space, info["action_mask"])
    assert (env.unwrapped.action_masks() == mask).all()
    total, terminated = 0.0, False
    while not terminated:
        answer = _answer(env, env.unwrapped.oracle_action())
        _, reward, terminated, _, _ = env.step(answer)
        total += reward
    assert total == pytest.approx(env.unwrapped.oracle_return())
    again = gymnasium.make(type(env.spec).from_json(env.spec.to_json()))
    assert isinstance(again, TextWrapper)
    assert again.reset(options={"instance": 5})[0] == env.reset(options={"instance": 5})[0]


def test_the_task_can_be_told_in_other_words():
    env = TextWrapper(gymnasium.make(PICK), task="Sum up.")
    prompt, info = env.reset(seed=0)
    assert prompt.startswith("Sum up.\n\nArticle:")
    assert info["messages"][0]["content"] == "Sum up."


def test_misuse_is_explained():
    env = _wrapped()
    with pytest.raises(ResetNeeded):
        env.step("hm")
    env.reset(seed=0)
    with pytest.raises(TypeError, match="an answer is a string, got int"):
        env.step(3)
    with pytest.raises(ValueError, match="set the environment's own illegal_penalty="):
        TextWrapper(gymnasium.make(PICK), illegal_penalty=0.1)


ANSWERS = ("3", "hm", "2", "stop", "1", "0", "stop", "5")


def _rollout(envs):
    """Returns all that N environments tell in a few steps."""
    told = [envs.reset(seed=[4, 5])]
    for first, second in zip(ANSWERS, reversed(ANSWERS), strict=True):
        told.append(envs.step((first, second)))
    envs.close()
    return told


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_vector_environments_of_gymnasium_tell_what_single_ones_do(mode):
    made = [_wrapped] * 2
    sync = _rollout(SyncVectorEnv(made, autoreset_mode=mode))
    apart = _rollout(AsyncVectorEnv(made, autoreset_mode=mode, shared_memory=False))
    np.testing.assert_equal(apart, sync)
    single = _wrapped()
    assert sync[0][0][0] == single.reset(seed=4)[0]
    for (prompts, rewards, *_, infos), answer in zip(sync[1:4], ANSWERS[:3], strict=True):
        prompt, reward, _, _, info = single.step(answer)
        assert (prompts[0], rewards[0]) == (prompt, reward)
        assert infos["messages"][0] == info["messages"]
        assert infos.get("_action", [False])[0] == ("action" in info)


def test_shared_memory_is_refused_not_filled_with_blanks():
    with pytest.raises(ValueError, match="shared_memory=False"):
        AsyncVectorEnv([_wrapped] * 2)


def test_make_vec_wraps_each_environment():
    envs = gymnasium.make_vec(PICK, num_envs=2, vectorization_mode="sync", wrappers=[TextWrapper])
    prompts, _ = envs.reset(seed=[4, 5])
    assert prompts[1] == _wrapped().reset(seed=5)[0]


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_and_its_settings_make_the_same_as_wrapping_by_hand(env_id):
    env = make_text_env(env_id, num_instances=7)
    assert (
        env.spec
        == TextWrapper(gymnasium.make(env_id, num_instances=7, disable_env_checker=True)).spec
    )
    prompt, info = env.reset(seed=0)
    assert prompt == _wrapped(env_id, num_instances=7).reset(seed=0)[0]
    assert env.task == info["messages"][0]["content"]


@pytest.mark.parametrize("wrong", [-1, "x"])
def test_a_first_reset_that_is_refused_spoils_no_later_one(wrong):
    env = make_text_env(PICK)
    with pytest.raises(ValueError, match="instance"):
        env.reset(options={"instance": wrong})
    env.reset(options={"instance": 0})
    assert env.step("stop")[2]


@pytest.mark.parametrize(
    ("env_id", "message"),
    [
        ("Lightbulb/NewsSummarizer-v0", "Did you mean: `NewsSummariser`?"),
        ("Lightbulb/NewsSummariser-v9", "there are Lightbulb/NewsSummariser-Easy-v0"),
        ("CartPole-v1", "is not one of Lightbulb's environments, which are Lightbulb/News"),
    ],
)
def test_an_id_that_is_not_ours_is_refused_with_those_there_are(env_id, message):
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        make_text_env(env_id)
    assert "Lightbulb/SentimentAnalysis-v0" in str(error.value)


class Corridor(gymnasium.Env):
    """Somebody else's environment in text, with actions from 1 on, that raises for illegal ones."""

    observation_space = Dict({"scene": Text(200), "steps": Discrete(9)})
    action_space = Discrete(3, start=1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 0
        return self._seen(), {"action_mask": np.array([1, 0, 1], dtype=np.int8)}

    def step(self, action):
        if action not in (1, 3):
            raise ValueError("there is a wall")
        self.place += action
        mask = np.array([1, 0, 1], dtype=np.int8)
        return self._seen(), float(action), self.place > 4, False, {"action_mask": mask}

    def _seen(self):
        return {"scene": f"At {self.place}.\nLegal answers: 2", "steps": self.place}


def test_somebody_elses_environment_is_told_by_its_observation():
    env = TextWrapper(Corridor(), illegal_penalty=0.5)
    prompt, info = env.reset(seed=0)
    assert prompt.endswith("\n\nscene:\n| At 0.\n| Legal answers: 2\nsteps: 0\nLegal answers: 1, 3")
    for text, error in (
        ("2", "2 is not legal now"),
        ("stop", "nothing stops this environment: answer with a number"),
        ("0", "there is no 0: they go from 1 to 3"),
    ):
        _, reward, terminated, _, info = env.step(text)
        assert (reward, terminated, info["answer_error"]) == (-0.5, False, error)
        assert info["illegal_action"]
    prompt, reward, terminated, _, info = env.step("3")
    assert (reward, terminated, info["action"], info["illegal_action"]) == (3.0, False, 3, False)
    prompt, *_, terminated, _, info = env.step("3")
    assert terminated
    assert prompt.endswith(ENDED)


def test_an_environment_that_cannot_be_told_is_refused():
    with pytest.raises(ValueError, match="give illegal_penalty="):
        TextWrapper(Corridor())
    image = Corridor()
    image.observation_space = gymnasium.spaces.Box(0, 255, (96, 96, 3), np.uint8)
    with pytest.raises(ValueError, match="cannot be told in words"):
        TextWrapper(image, illegal_penalty=0.5)
    real = Corridor()
    real.action_space = gymnasium.spaces.Box(0, 1)
    with pytest.raises(ValueError, match="answer where actions are Discrete"):
        TextWrapper(real, illegal_penalty=0.5)
