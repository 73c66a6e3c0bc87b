"""Records hold what a replay needs, and no secret; files of them are read strictly."""

import dataclasses
import errno
import json
import math
import os

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.record import EpisodeRecord, read_records, records_of, write_records
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.splits import HELDOUT_SALT_VARIABLE, salt_digest

ID = "Lightbulb/NewsSummariser-v0"


SLATES = "Lightbulb/NewsSummariser-Slate-v0"
RECORD = EpisodeRecord(
    env_id=ID,
    settings={"split": "test"},
    instance=3,
    actions=(1, [2, 0]),
    rewards=(0.1, -0.0),
    truncated=False,
    documents="newsroom-0",
    versions={"suite": "0", "numpy": "2.1"},
)
texts = st.text(st.characters(codec=None), max_size=5)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
steps = st.lists(
    st.tuples(
        st.integers() | st.lists(st.integers(), max_size=3),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    max_size=4,
)


@st.composite
def records(draw):
    """Draws any record that is allowed."""
    taken = draw(steps)
    return EpisodeRecord(
        env_id=draw(texts),
        settings=draw(st.dictionaries(texts, plain, max_size=3)),
        instance=draw(st.integers(0, 2**53 - 1)),
        actions=tuple(action for action, _ in taken),
        rewards=tuple(reward for _, reward in taken),
        truncated=draw(st.booleans()),
        documents=draw(texts),
        salt=draw(texts),
        versions={"suite": "0", **draw(st.dictionaries(texts, texts, max_size=2))},
    )


@given(st.lists(records(), min_size=1, max_size=3))
def test_records_come_back_as_they_were_written(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("records") / "episodes.jsonl"
    write_records(path, written)
    read = read_records(path)
    assert read == written
    assert list(map(repr, read)) == list(map(repr, written))  # the order of names, and -0.0


def test_records_of_episodes_come_back_and_say_what_they_were_played_on(tmp_path):
    for env_id, action in ((ID, int), (SLATES, list)):
        engine = lightbulb_envs.make_engine(env_id, 4, split="test")
        episodes = roll_out(Random(engine.action_space), engine, np.arange(4), 0)
        path = tmp_path / "episodes.jsonl"
        written = records_of(env_id, {"split": "test"}, engine, episodes)
        write_records(path, written)
        read = read_records(path)
        assert read == written
        assert [record.rewards for record in read] == [episode.rewards for episode in episodes]
        assert {type(step) for record in read for step in record.actions} == {action}
        assert {record.documents for record in read} == {engine.source.digest}
        assert {"suite", "numpy", "gymnasium", "python"} <= read[0].versions.keys()


def test_settings_of_a_record_are_plain_data():
    engine = lightbulb_envs.make_engine(ID, 1)
    episodes = roll_out(Lead(1), engine, np.array([0]))
    (record,) = records_of(ID, {"source": ("newsroom",)}, engine, episodes)
    assert record.settings == {"source": ["newsroom"]}
    with pytest.raises(TypeError, match="not JSON serializable"):
        records_of(ID, {"level": np.int64(2)}, engine, episodes)


def _line(**changes):
    return json.dumps({**json.loads(RECORD.to_json()), **changes})


def _lacking(name):
    data = json.loads(RECORD.to_json())
    del data[name]
    return json.dumps(data)


LINES = {
    "broken": (RECORD.to_json()[:-1], r"not JSON \(Expecting ',' delimiter at column"),
    "two on a line": (RECORD.to_json() * 2, "not JSON .Extra data"),
    "too deep": ("[" * 100_000, "brackets too deep"),
    "blank": ("", "the line is blank"),
    "no object": ("[1]", "a record must be an object, got list"),
    "a field twice": ('{"salt": "a", ' + RECORD.to_json()[1:], "'salt' comes more than once"),
    "a setting twice": (
        RECORD.to_json().replace('"split"', '"split": "ood", "split"'),
        "'split' comes more than once",
    ),
    "NaN": (_line(rewards=[math.nan, 0.0]), "NaN is no number of JSON"),
    "infinity": (_line(rewards=[-math.inf, 0.0]), "-Infinity is no number of JSON"),
    "overflow": (RECORD.to_json().replace("0.1", "1e999"), "reward 1 must be finite, got inf"),
    "a long number": (_line(rewards=[10**400, 0.0]), "a reward must be a finite float"),
    "infinity in settings": (
        RECORD.to_json().replace('"test"', "[1e999]"),
        r"settings\['split'\]\[0\] must be finite",
    ),
    "unknown": (_line(score=1, seed=2), "has unknown 'score', 'seed'$"),
    "missing": (_lacking("documents"), "versions, and this one lacks 'documents'$"),
    "env_id": (_line(env_id=None), "env_id must be of type str, got None, which is NoneType"),
    "documents": (_line(documents=1), "documents must be of type str, got 1"),
    "salt": (_line(salt=[]), "salt must be of type str"),
    "settings": (_line(settings=[]), "settings must be of type dict"),
    "bool instance": (_line(instance=True), "instance must be of type int, got True"),
    "float instance": (_line(instance=1.0), "instance must be of type int, got 1.0"),
    "negative": (_line(instance=-1), r"instance must be in \[0, 9007199254740992\), got -1"),
    "too large": (_line(instance=2**53), r"instance must be in \[0, 9007199254740992\)"),
    "actions": (_line(actions="12"), "actions must be of type list"),
    "bool action": (
        _line(actions=[1, True]),
        "action 2 must be an int, a string, a list of ints or a list of floats, got True",
    ),
    "float action": (
        _line(actions=[1.0, 2]),
        "action 1 must be an int, a string, a list of ints or a list",
    ),
    "bool place": (
        _line(actions=[1, [False]]),
        "action 2 must be an int, a string, a list of ints or",
    ),
    "mixed places": (
        _line(actions=[1, [0.5, 1]]),
        "action 2 must be an int, a string, a list of ints or",
    ),
    "places too large": (
        RECORD.to_json().replace("[2, 0]", "[1e999]"),
        "action 2 must be of finite floats",
    ),
    "rewards": (_line(rewards={}), "rewards must be of type list"),
    "bool reward": (_line(rewards=[0.5, True]), "reward 2 must be of type float, got True"),
    "text reward": (_line(rewards=["0.5", 1.0]), "reward 1 must be of type float, got '0.5'"),
    "lengths": (_line(rewards=[0.5]), "got 2 actions and 1 rewards"),
    "truncated": (_line(truncated=0), "truncated must be of type bool, got 0"),
    "versions": (_line(versions=None), "versions must be of type dict"),
    "version": (_line(versions={"suite": 0}), r"versions\['suite'\] must be of type str, got 0"),
    "no suite": (_line(versions={}), 'versions must hold that of "suite"'),
}


@pytest.mark.parametrize("name", LINES)
def test_what_is_no_record_is_refused_by_file_and_line(name, tmp_path):
    line, message = LINES[name]
    path = tmp_path / "episodes.jsonl"
    path.write_text(f"{RECORD.to_json()}\n{line}\n{RECORD.to_json()}\n")
    with pytest.raises(ValueError, match=message) as caught:
        read_records(path)
    assert str(caught.value).startswith(f"{path}, line 2: ")
    assert len(str(caught.value)) < 300 + len(str(path))


def test_text_that_is_not_utf8_is_refused_by_file_and_line(tmp_path):
    path = tmp_path / "episodes.jsonl"
    path.write_bytes(RECORD.to_json().encode() + b"\n\xff\xfe\n")
    with pytest.raises(ValueError, match=r"line 2: not UTF-8 \(invalid start byte at byte 0\)"):
        read_records(path)


def test_a_whole_number_is_a_reward_too(tmp_path):
    path = tmp_path / "episodes.jsonl"
    path.write_text(_line(rewards=[1, 0]))
    (record,) = read_records(path)
    assert list(map(repr, record.rewards)) == ["1.0", "0.0"]


def test_files_that_hold_no_records_are_refused(tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(ValueError, match=r"empty\.jsonl is empty: "):
        read_records(empty)
    with pytest.raises(IsADirectoryError, match=f"^{tmp_path} cannot be read"):
        read_records(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"^nowhere\.jsonl cannot be read"):
        read_records(type(tmp_path)("nowhere.jsonl"))


def test_who_reads_a_file_while_it_is_written_anew_reads_the_old_one(tmp_path):
    path = tmp_path / "episodes.jsonl"
    write_records(path, [RECORD, RECORD])
    with path.open() as file:
        write_records(path, [RECORD])
        assert file.read() == 2 * (RECORD.to_json() + "\n")
    assert read_records(path) == [RECORD]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "the disk is full: make room"),
        (errno.EROFS, "the disk is read-only: choose another folder"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch, code, message):
    path = tmp_path / "episodes.jsonl"
    write_records(path, [RECORD])

    def fail(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=f"{path} cannot be written: {message}"):
        write_records(path, [RECORD, RECORD])
    assert read_records(path) == [RECORD]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_stays_as_it_was_when_a_record_cannot_be_made(tmp_path):
    path = tmp_path / "episodes.jsonl"
    write_records(path, [RECORD])
    with pytest.raises(ZeroDivisionError):
        write_records(path, (RECORD for number in range(2) if 1 / (1 - number)))
    assert read_records(path) == [RECORD]
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_file_can_be_the_reason_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="its folder is not there: create it"):
        write_records(tmp_path / "none" / "episodes.jsonl", [RECORD])
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder: choose another name"):
        write_records(tmp_path / "folder", [RECORD])


def test_a_record_of_heldout_holds_the_digest_of_the_salt_alone(tmp_path, monkeypatch):
    salt = tmp_path / "salt"
    salt.write_text("the secret salt of the year")
    monkeypatch.setenv(HELDOUT_SALT_VARIABLE, str(salt))
    engine = lightbulb_envs.make_engine(ID, 1, split="heldout")
    (record,) = records_of(
        ID, {"split": "heldout"}, engine, roll_out(Lead(1), engine, np.array([0]))
    )
    assert "secret" not in record.to_json()
    assert len(record.salt) == 16
    for source in (["newsroom"], {"heldout": "newsroom"}):
        settings = {"split": "heldout", "source": source}
        engine = lightbulb_envs.make_engine(ID, 1, **settings)
        (named,) = records_of(ID, settings, engine, roll_out(Lead(1), engine, np.array([0])))
        assert named.salt == record.salt


def test_real_text_has_no_secret_salt_and_an_id_may_be_heldout_by_itself(
    tmp_path, monkeypatch, news_file
):
    settings = {"split": "heldout", "source": {"heldout": f"jsonl:{news_file}"}}
    engine = lightbulb_envs.make_engine(ID, 1, **settings)
    monkeypatch.delenv(HELDOUT_SALT_VARIABLE, raising=False)
    (record,) = records_of(ID, settings, engine, roll_out(Lead(1), engine, np.array([0])))
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
        (record,) = records_of(row.id, {}, engine, roll_out(Lead(1), engine, np.array([0])))
    finally:
        del lightbulb_envs.ROWS[row.id]
        del gymnasium.registry[row.id]
    assert record.salt == salt_digest("heldout")


def test_a_record_says_whether_a_time_limit_ended_the_episode():
    made = lightbulb_envs.make_engine(ID, 1)
    for limit, expected in ((2, True), (None, False)):
        engine = type(made)(made.config, 1, limit)
        (episode,) = roll_out(Lead(3), engine, np.array([0]))
        assert records_of(ID, {}, engine, [episode])[0].truncated is expected
