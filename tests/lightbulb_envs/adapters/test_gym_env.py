"""The single environment, through `gymnasium.make`, as other people's code uses it."""

import dataclasses
import hashlib
import pickle
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

import lightbulb_envs
from lightbulb_envs.engines.summarise import SummariseConfig
from lightbulb_envs.sources.source import SourceConfig, open_source
from lightbulb_envs.summation import add_in_order

IDS = tuple(lightbulb_envs.ROWS)
SETTINGS = {
    "level": 0,
    "split": "ood",
    "reward": {"rouge1": 1.0, "length": 0.5},
    "budget": 2,
    "budget_unit": "words",
    "illegal_penalty": 0.3,
    "num_instances": 5,
    "max_sentences": 40,
}
"""A value other than the default for every keyword that needs no file."""
FILE_SETTINGS = ("source", "fields", "on_error", "tokenizer", "max_tokens", "vocabulary_digest")
"""Keywords of files."""
# Digests of the rewards of three picks and STOP, and the oracle's draft, of test documents 0 to 7.
GOLDEN = {
    "Lightbulb/NewsSummariser-Easy-v0": "a7ed422f0d9eedeb",
    "Lightbulb/NewsSummariser-v0": "3a316925ae707750",
    "Lightbulb/NewsSummariser-Hard-v0": "719b223638b25f19",
}


def _settings(name: str) -> dict[str, object]:
    return {name: SETTINGS[name], **({"budget": 60} if name == "budget_unit" else {})}


@pytest.mark.parametrize("env_id", IDS)
def test_every_id_passes_gymnasiums_check_without_a_warning(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(env_id, render_mode="ansi").unwrapped)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("name", SETTINGS)
def test_every_keyword_passes_gymnasiums_check_and_has_an_effect(env_id, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(env_id, **_settings(name)).unwrapped, skip_render_check=True)

    def trace(**settings):
        env = gymnasium.make(env_id, **settings)
        observation, info = env.reset(seed=1)
        told = [info["instance"], env.observation_space, observation]
        for action in (1, 1, 2, 3, 4):
            observation, reward, terminated, truncated, info = env.step(action)
            told += [observation, reward, terminated, info]
            if terminated or truncated:
                break
        return repr(told)

    assert trace(**_settings(name)) != trace()


def test_every_keyword_is_tested_above_or_below():
    names = {field.name for field in dataclasses.fields(SummariseConfig)}
    assert names == {*SETTINGS, *FILE_SETTINGS}


def _file_settings(name, news_file, tmp_path):
    """Returns settings without and with a keyword of files."""
    vocabulary = open_source(SourceConfig(source=f"jsonl:{news_file}")).vocabulary
    vocabulary.save(tmp_path / "tokenizer.json")
    settings = {"tokenizer": str(tmp_path / "tokenizer.json")}
    files = {"source": f"jsonl:{news_file}"}
    return {
        "source": ({}, files),
        "fields": (files, {**files, "fields": {"summary": "article"}}),
        "on_error": (files, {**files, "on_error": "skip"}),
        "tokenizer": ({}, settings),
        "max_tokens": (settings, {**settings, "max_tokens": 9}),
        "vocabulary_digest": (settings, {**settings, "vocabulary_digest": vocabulary.digest}),
    }[name]


@pytest.mark.parametrize("name", FILE_SETTINGS)
def test_every_keyword_of_files_passes_gymnasiums_check(name, news_file, tmp_path):
    _, settings = _file_settings(name, news_file, tmp_path)
    for env_id in IDS:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(gymnasium.make(env_id, **settings).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("name", ["source", "fields", "tokenizer", "max_tokens"])
def test_every_keyword_of_files_has_an_effect(name, news_file, tmp_path):
    def trace(settings):
        env = gymnasium.make(IDS[0], **settings)
        return repr((env.observation_space, env.reset(seed=1), env.step(0)))

    without, with_it = _file_settings(name, news_file, tmp_path)
    assert trace(without) != trace(with_it)


@pytest.mark.parametrize("env_id", IDS)
def test_rewards_and_oracle_are_those_of_the_ids_version(env_id):
    engine = lightbulb_envs.make_engine(env_id, 1, split="test")
    row, told = np.zeros(1, dtype=np.int64), []
    for instance in range(8):
        engine.reset(row, np.array([instance]))
        plan = engine.oracle(0)
        rewards = [float(engine.step(row, np.array([a])).reward[0]) for a in (2, 0, 2, engine.stop)]
        told.append((plan.draft, plan.value, plan.method, rewards))
    digest = hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()
    assert digest == GOLDEN[env_id]


def test_a_seed_draws_the_instances_that_it_always_drew():
    env = gymnasium.make("Lightbulb/NewsSummariser-v0")
    drawn = [env.reset(seed=7)[1]["instance"], env.reset()[1]["instance"]]
    assert drawn == [8123478727702694, 1292719624277768]
    together = gymnasium.make_vec("Lightbulb/NewsSummariser-v0", num_envs=2)
    _, infos = together.reset(seed=7)
    assert infos["instance"].tolist() == [8123478727702694, 6865176849435269]


@pytest.mark.parametrize("name", ["source", "tokenizer", "level"])
def test_a_pickled_environment_pays_the_same_in_another_process(name, news_file, tmp_path):
    settings = _file_settings(name, news_file, tmp_path)[1] if name != "level" else {"level": 3}
    env = gymnasium.make(IDS[1], **settings)
    env.reset(options={"instance": 1})
    env.step(1)
    (tmp_path / "env.pickle").write_bytes(pickle.dumps(env))
    other = tmp_path / "other.jsonl"
    other.write_text('{"article": "Quite other words. Dollars.", "summary": "Monday said."}\n')
    code = (
        "import pickle, sys, lightbulb_envs, gymnasium;"
        f"gymnasium.make({IDS[0]!r}, source='jsonl:{other}').reset(seed=0);"
        f"env = pickle.load(open({str(tmp_path / 'env.pickle')!r}, 'rb'));"
        "print(env.step(4)[1]); env.reset(options={'instance': 2}); print(env.step(3)[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = [env.step(4)[1]]
    env.reset(options={"instance": 2})
    expected.append(env.step(3)[1])
    assert [float(line) for line in done.stdout.split()] == expected


@pytest.mark.parametrize(
    "settings",
    [{"level": 2.0}, {"level": True}, {"budget": 2.5}, {"budget": "3"}, {"num_instances": 2.5}],
)
def test_what_must_be_an_integer_is_one(settings):
    with pytest.raises(TypeError, match="must be an integer"):
        gymnasium.make("Lightbulb/NewsSummariser-v0", **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reward": {}}, "at least one part"),
        ({"reward": ""}, "one of the presets"),
        ({"reward": 5}, "one of the presets"),
        ({"max_sentences": 200}, "127 or less"),
    ],
)
def test_what_is_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        gymnasium.make("Lightbulb/NewsSummariser-v0", **settings)


@pytest.mark.parametrize("env_id", IDS)
def test_a_spec_survives_json_and_makes_the_same_episode(env_id):
    env = gymnasium.make(env_id, reward={"rouge2": 1.0}, split="test")
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    one, two = env.reset(seed=5), again.reset(seed=5)
    assert one[1]["instance"] == two[1]["instance"]
    assert all(np.array_equal(one[0][name], two[0][name]) for name in one[0])
    assert env.step(3)[1] == again.step(3)[1]


def test_options_replay_an_instance_and_leave_the_seed_alone():
    env = gymnasium.make("Lightbulb/NewsSummariser-v0")
    first, info = env.reset(seed=1)
    _, after = env.reset()
    env.reset(seed=1)
    replayed, again = env.reset(options={"instance": info["instance"], "unknown": 1})
    assert again["instance"] == info["instance"]
    assert np.array_equal(replayed["tokens"], first["tokens"])
    assert env.reset()[1]["instance"] == after["instance"]


@pytest.mark.parametrize("wrong", ["three", 1.5, [1, 2], [[1]]])
def test_a_wrong_instance_option_is_refused(wrong):
    env = gymnasium.make("Lightbulb/NewsSummariser-v0")
    with pytest.raises(ValueError, match=r'options\["instance"\]'):
        env.reset(options={"instance": wrong})


def test_info_holds_the_parts_the_mask_and_the_instance():
    env = gymnasium.make("Lightbulb/NewsSummariser-v0")
    observation, info = env.reset(seed=2)
    assert set(info) == {"instance", "action_mask"}
    assert np.array_equal(info["action_mask"], observation["action_mask"])
    observation, reward, _, _, info = env.step(0)
    assert add_in_order(info["reward_parts"].values()) == reward
    assert info["illegal_action"] is False
    _, reward, _, _, info = env.step(0)
    assert info["illegal_action"] is True
    assert info["reward_parts"]["illegal_action"] == reward == -0.01


def test_what_is_returned_is_the_callers_to_change():
    env = gymnasium.make("Lightbulb/NewsSummariser-v0")
    observation, info = env.reset(seed=2)
    observation["tokens"][:] = 0
    observation["action_mask"][:] = 0
    info["action_mask"][:] = 0
    after, *_ = env.step(0)
    assert after["tokens"].any()
    assert after["action_mask"].any()


def test_the_oracle_is_at_hand():
    env = gymnasium.make("Lightbulb/NewsSummariser-Easy-v0")
    env.reset(seed=4)
    best, total, ended = env.unwrapped.oracle_return(), 0.0, False
    while not ended:
        _, reward, terminated, truncated, _ = env.step(env.unwrapped.oracle_action())
        total += reward
        ended = terminated or truncated
    assert total == pytest.approx(best)
    assert env.unwrapped.oracle_method() == "exact"
    harder = gymnasium.make("Lightbulb/NewsSummariser-v0").unwrapped
    harder.reset(seed=4)
    assert harder.oracle_method() == "beam-16"


def test_rendering_marks_the_picks(capsys):
    env = gymnasium.make("Lightbulb/NewsSummariser-v0", render_mode="ansi")
    env.reset(seed=0)
    env.step(2)
    env.step(0)
    lines = env.render().splitlines()
    assert lines[1].startswith("[2]  0  ")
    assert lines[3].startswith("[1]  2  ")
    assert lines[-1].startswith("reference: ")
    human = gymnasium.make("Lightbulb/NewsSummariser-v0", render_mode="human")
    human.reset(seed=0)
    human.step(2)
    assert capsys.readouterr().out.count("reference: ") == 2
    assert human.render() is None


def test_an_unknown_render_mode_is_refused():
    with (
        pytest.warns(UserWarning, match="not in the possible"),
        pytest.raises(ValueError, match="ansi"),
    ):
        gymnasium.make("Lightbulb/NewsSummariser-v0", render_mode="rgb_array")


def test_ids_can_be_made_by_module_name():
    assert gymnasium.make("lightbulb_envs:Lightbulb/NewsSummariser-v0").reset(seed=0)


def test_action_masks_go_by_the_name_that_sb3_contrib_calls():
    env = gymnasium.make("Lightbulb/NewsSummariser-v0")
    observation, _ = env.reset(seed=0)
    masks = env.unwrapped.action_masks()
    assert masks.dtype == bool
    assert np.array_equal(masks, observation["action_mask"].astype(bool))
