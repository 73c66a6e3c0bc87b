"""Records hold what a replay needs, and no secret."""

import dataclasses
import json

import gymnasium
import numpy as np

import lightbulb_envs
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.record import records_of, write_records
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.splits import HELDOUT_SALT_VARIABLE, salt_digest

ID = "Lightbulb/NewsSummariser-v0"


def test_a_record_replays_to_the_same_rewards(tmp_path):
    settings = {"split": "test", "reward": {"rouge1": 1.0}}
    engine = lightbulb_envs.make_engine(ID, 4, **settings)
    episodes = roll_out(Lead(2), engine, np.arange(4))
    path = tmp_path / "episodes.jsonl"
    write_records(path, records_of(ID, settings, episodes))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 4
    row = np.zeros(1, dtype=np.int64)
    for line in lines:
        again = lightbulb_envs.make_engine(line["env_id"], 1, **line["settings"])
        again.reset(row, np.array([line["instance"]]))
        rewards = [float(again.step(row, np.array([a])).reward[0]) for a in line["actions"]]
        assert rewards == line["rewards"]
        assert {"suite", "numpy", "gymnasium", "python"} <= line["versions"].keys()


def test_a_record_of_heldout_holds_the_digest_of_the_salt_alone(tmp_path, monkeypatch):
    salt = tmp_path / "salt"
    salt.write_text("the secret salt of the year")
    monkeypatch.setenv(HELDOUT_SALT_VARIABLE, str(salt))
    engine = lightbulb_envs.make_engine(ID, 1, split="heldout")
    (record,) = records_of(ID, {"split": "heldout"}, roll_out(Lead(1), engine, np.array([0])))
    assert "secret" not in record.to_json()
    assert len(record.salt) == 16


def test_real_text_has_no_secret_salt_and_an_id_may_be_heldout_by_itself(
    tmp_path, monkeypatch, news_file
):
    settings = {"split": "heldout", "source": {"heldout": f"jsonl:{news_file}"}}
    engine = lightbulb_envs.make_engine(ID, 1, **settings)
    monkeypatch.delenv(HELDOUT_SALT_VARIABLE, raising=False)
    (record,) = records_of(ID, settings, roll_out(Lead(1), engine, np.array([0])))
    assert record.salt == "public"
    salt = tmp_path / "salt"
    salt.write_text("the secret salt of the year")
    monkeypatch.setenv(HELDOUT_SALT_VARIABLE, str(salt))
    row = dataclasses.replace(
        lightbulb_envs.find_row(ID), id="Test/Heldout-v0", settings={"split": "heldout"}
    )
    lightbulb_envs.register(row)
    try:
        engine = lightbulb_envs.make_engine(row.id, 1)
        (record,) = records_of(row.id, {}, roll_out(Lead(1), engine, np.array([0])))
    finally:
        del lightbulb_envs.ROWS[row.id]
        del gymnasium.registry[row.id]
    assert record.salt == salt_digest("heldout")


def test_a_record_says_whether_a_time_limit_ended_the_episode():
    engine = lightbulb_envs.make_engine(ID, 1)
    for limit, expected in ((2, True), (None, False)):
        engine.max_steps = limit
        (episode,) = roll_out(Lead(3), engine, np.array([0]))
        assert records_of(ID, {}, [episode])[0].truncated is expected
