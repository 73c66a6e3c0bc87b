"""The single environment, through `gymnasium.make`, as other people's code uses it."""

import hashlib
import json
import pickle
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.summation import add_in_order

ID = "Lightbulb/NewsSummariser-v0"
# Digests of the rewards of three picks and STOP, and the oracle's draft, of test documents 0 to 7.
GOLDEN = {
    "Lightbulb/NewsSummariser-Easy-v0": "a7ed422f0d9eedeb",
    "Lightbulb/NewsSummariser-v0": "3a316925ae707750",
    "Lightbulb/NewsSummariser-Hard-v0": "719b223638b25f19",
}


@pytest.mark.parametrize("env_id", GOLDEN)
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


def test_a_pickled_environment_of_files_pays_the_same_in_another_process(
    news_file, write_jsonl, tmp_path
):
    env = gymnasium.make(ID, source=f"jsonl:{news_file}")
    env.reset(options={"instance": 1})
    env.step(1)
    (tmp_path / "env.pickle").write_bytes(pickle.dumps(env))
    other = write_jsonl(
        [{"article": "Quite other words. Dollars.", "summary": "Monday."}], "o.jsonl"
    )
    code = (
        "import pickle, sys, lightbulb_envs, gymnasium;"
        f"gymnasium.make({ID!r}, source='jsonl:{other}').reset(seed=0);"
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


def test_a_snapshot_goes_back_and_on(tmp_path):
    env = gymnasium.make(ID).unwrapped
    env.reset(seed=1)
    env.step(3)
    snapshot = json.loads(json.dumps(env.snapshot()))
    ahead = [env.step(5)[1], env.reset()[1]["instance"]]
    observation, info = env.restore(snapshot)
    assert observation["selected"][3] == 1
    assert info["action_mask"][3] == 0
    assert [env.step(5)[1], env.reset()[1]["instance"]] == ahead


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
