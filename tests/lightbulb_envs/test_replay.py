"""Replays recompute what was paid, and find the first step that differs."""

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs import replay as replay_module
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.record import read_records, records_of, write_records
from lightbulb_envs.replay import main, replay
from lightbulb_envs.rollout import Episode, roll_out
from lightbulb_envs.splits import HELDOUT_SALT_VARIABLE
from lightbulb_envs.summation import add_in_order

ID = "Lightbulb/NewsSummariser-v0"
SLATE = "Lightbulb/NewsSummariser-Slate-v0"
SETTINGS = {"split": "test"}


def play(env_id=ID, count=4, actor=None, first=0, **settings):
    """Returns records of an actor, by default random."""
    settings = {**SETTINGS, **settings}
    engine = lightbulb_envs.make_engine(env_id, count, **settings)
    actor = Random(engine.action_space) if actor is None else actor
    episodes = roll_out(actor, engine, np.arange(first, first + count), 0)
    return records_of(env_id, settings, engine, episodes)


@pytest.fixture(scope="module")
def played():
    """Four records of lead-3, four steps each: the first three pick and the last stops."""
    return play(actor=Lead(3))


def changed(record, name, step, value):
    """Returns a record with another action or reward at a step, counted from 1."""
    values = list(getattr(record, name))
    values[step - 1] = value
    return dataclasses.replace(record, **{name: tuple(values)})


def cut(record, steps):
    """Returns a record with its first so many steps alone."""
    return dataclasses.replace(
        record, actions=record.actions[:steps], rewards=record.rewards[:steps]
    )


@pytest.mark.parametrize("env_id", tuple(lightbulb_envs.ROWS))
def test_episodes_of_every_id_replay_to_the_same_rewards(env_id):
    report = replay(play(env_id, 6))
    assert report.differences == report.notes == ()
    assert (report.episodes, report.ids) == (6, (env_id,))


def test_records_of_many_ids_settings_and_lengths_replay_in_any_order(monkeypatch, news_file):
    records = [
        *play(count=7),
        *play(count=5, actor=Lead(2)),  # the same instances again
        *play(SLATE, 6),
        *play(count=5, first=20, budget=2),
        *play(count=3, split=None, source=f"jsonl:{news_file}"),
    ]
    order = np.random.default_rng(0).permutation(len(records))
    shuffled = [records[place] for place in order]
    assert len({len(record.actions) for record in records}) > 2
    for rows in (1, 4, 256):
        monkeypatch.setattr(replay_module, "ROWS", rows)
        report = replay(shuffled)
        assert report.differences == ()
        assert report.steps == sum(len(record.actions) for record in records)
        assert set(report.ids) == {ID, SLATE}
    wrong = [changed(record, "rewards", 1, 9.0) for record in shuffled]
    names = [f"file, line {place}" for place in range(len(records))]
    report = replay(wrong, names)
    assert [difference.name for difference in report.differences] == names
    instances = [record.instance for record in shuffled]
    assert [difference.instance for difference in report.differences] == instances


def test_parts_are_added_up_in_the_order_that_the_settings_name_them_in():
    weights = {"rouge1": 0.3, "length": 0.1, "rouge2": 0.4, "fact_f1": 0.7}
    forwards = play(count=20, actor=Lead(3), reward=weights)
    backwards = play(count=20, actor=Lead(3), reward=dict(reversed(weights.items())))
    assert [record.rewards for record in forwards] != [record.rewards for record in backwards]
    assert replay([*forwards, *backwards]).differences == ()


def test_documents_are_made_once_and_in_blocks(monkeypatch):
    records = play(count=6) + play(count=6, actor=Lead(1)) + play(count=3, first=3, actor=Lead(2))
    blocks = []
    load = SummariseEngine._load

    def count(self, rows, instances):
        blocks.append(instances.tolist())
        load(self, rows, instances)

    monkeypatch.setattr(SummariseEngine, "_load", count)
    monkeypatch.setattr(replay_module, "ROWS", 4)
    assert replay(records).differences == ()
    assert blocks == [[0, 1, 2, 3], [4, 5]]


def test_the_first_step_with_another_reward_is_named(played):
    wrong = changed(changed(played[2], "rewards", 2, 0.5), "rewards", 3, 0.5)
    (difference,) = replay([*played[:2], wrong, played[3]]).differences
    assert (difference.name, difference.instance) == ("record 3", 2)
    assert (difference.step, difference.action, difference.what) == (2, 1, "reward")
    assert difference.recorded == 0.5
    assert difference.recomputed == played[2].rewards[1]
    assert add_in_order(difference.parts.values()) == played[2].rewards[1]
    assert next(iter(difference.parts)) == "fact_f1"
    assert str(difference).startswith(
        f"record 3: {ID}, instance 2, step 2, action 1: reward recorded 0.5, recomputed "
        f"{played[2].rewards[1]} (fact_f1 "
    )


def test_a_reward_may_not_be_off_by_its_last_bit_unless_it_is_asked_for(played):
    reward = played[0].rewards[0]
    wrong = changed(played[0], "rewards", 1, math.nextafter(reward, 1.0))
    assert replay([wrong]).differences[0].what == "reward"
    assert replay([wrong], tolerance=1e-12).differences == ()
    assert len(replay([changed(played[0], "rewards", 1, 9.0)], tolerance=1.0).differences) == 1
    for tolerance in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="tolerance must be 0 or more"):
            replay([wrong], tolerance=tolerance)


def test_a_reward_that_is_not_a_number_differs(played, monkeypatch):
    step = SummariseEngine.step

    def step_to_nan(self, rows, actions):
        return dataclasses.replace(step(self, rows, actions), reward=np.full(len(rows), np.nan))

    monkeypatch.setattr(SummariseEngine, "step", step_to_nan)
    assert len(replay(played, tolerance=1.0).differences) == 4


@given(st.data())
def test_no_change_of_a_record_goes_unnoticed(played, data):
    place = data.draw(st.integers(0, 3))
    record = played[place]
    step = data.draw(st.integers(1, len(record.actions)))
    name = data.draw(st.sampled_from(["rewards", "actions", "instance"]))
    if name == "rewards":
        value = data.draw(st.floats(allow_nan=False, allow_infinity=False))
        wrong = changed(record, "rewards", step, value)
    elif name == "actions":
        wrong = changed(record, "actions", step, data.draw(st.integers(0, 40)))
    else:
        wrong = dataclasses.replace(record, instance=data.draw(st.integers(0, 50)))
    report = replay([*played[:place], wrong, *played[place + 1 :]])
    expected = ["record " + str(place + 1)] if wrong != record else []
    assert [difference.name for difference in report.differences] == expected


def test_an_episode_must_end_where_its_record_ends(played):
    early = cut(played[1], 3)
    late = dataclasses.replace(
        played[2], actions=(*played[2].actions, 0), rewards=(*played[2].rewards, 0.0)
    )
    nothing = cut(played[3], 0)
    report = replay([played[0], early, late, nothing])
    told = [(d.step, d.action, d.what, d.recorded, d.recomputed) for d in report.differences]
    assert told == [
        (3, 2, "end", "after step 3", "later, if at all"),
        (4, played[2].actions[3], "end", "after step 5", "after step 4"),
        (0, None, "end", "after step 0", "later, if at all"),
    ]


def test_whether_a_time_limit_ended_the_episode_is_compared(played):
    wrong = dataclasses.replace(played[0], truncated=True)
    (difference,) = replay([wrong, played[1]]).differences
    assert (difference.step, difference.what) == (4, "truncated")
    assert (difference.recorded, difference.recomputed) == (True, False)
    engine = lightbulb_envs.make_engine(ID, 1, split="test")
    illegal = Episode(0, (0, *[0] * 63), (played[0].rewards[0], *[-0.01] * 63), truncated=True)
    records = records_of(ID, SETTINGS, engine, [illegal])
    assert replay(records).differences == ()
    (difference,) = replay([dataclasses.replace(records[0], truncated=False)]).differences
    assert (difference.step, difference.what, difference.recomputed) == (64, "truncated", True)


@pytest.mark.parametrize("action", [-1, 10**30, 99, [1], [1, 2, 3, 4]])
def test_an_action_that_the_space_does_not_hold_is_named(played, action):
    wrong = changed(played[1], "actions", 2, action)
    (difference,) = replay([played[0], wrong, played[2]]).differences
    assert (difference.name, difference.step, difference.what) == ("record 2", 2, "action")
    assert difference.recorded == difference.action == action
    assert difference.recomputed.startswith("none, for actions must")
    assert difference.parts == {}


@pytest.mark.parametrize("action", [0, [0, 1], [0, 1, 2, 99], [0, 1, 2, -1]])
def test_a_slate_that_the_space_does_not_hold_is_named(action):
    records = play(SLATE, 2)
    wrong = changed(records[0], "actions", 1, action)
    (difference,) = replay([wrong, records[1]]).differences
    assert (difference.name, difference.what, difference.action) == ("record 1", "action", action)


def test_an_earlier_difference_comes_before_an_impossible_action(played):
    wrong = changed(changed(played[1], "actions", 3, 99), "rewards", 1, 9.0)
    (difference,) = replay([wrong]).differences
    assert (difference.step, difference.what) == (1, "reward")


def test_an_id_that_nobody_registered_is_refused(played):
    wrong = dataclasses.replace(played[0], env_id="Other/News-v0")
    message = r"^record 2: no environment is called 'Other/News-v0': .* with --import MODULE"
    with pytest.raises(ValueError, match=message):
        replay([played[0], wrong])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": 1}, "unknown keyword 'speed': there are level=2"),
        ({"num_envs": 3}, "num_envs"),
        ({"budget": 99}, r"budget must be in \[1, "),
        ({"reward": {"rouge1": None}}, "must be"),
        ({"source": "jsonl:nowhere.jsonl"}, "'nowhere.jsonl', which is no file"),
    ],
)
def test_settings_that_the_id_does_not_take_are_refused(played, settings, message):
    with pytest.raises(ValueError, match=rf"^record 1: '{ID}' cannot be made: .*{message}"):
        replay([dataclasses.replace(played[0], settings=settings)])


def test_another_version_of_the_suite_is_refused_and_of_others_only_noted(played):
    other = {**played[0].versions, "suite": "99", "lightbulb": "7.1"}
    with pytest.raises(ValueError, match="version '99' of the suite.* with lightbulb 7.1, not"):
        replay([dataclasses.replace(played[0], versions=other)])
    other = {**played[0].versions, "numpy": "1.0", "torch": "2"}
    report = replay([dataclasses.replace(record, versions=other) for record in played])
    assert report.differences == ()
    assert report.notes == (
        f"the version of 'numpy' was '1.0' when played, and is {np.__version__!r} here",
        "the version of 'torch' was '2' when played, and is None here",
    )


def test_heldout_episodes_need_the_salt_that_they_were_played_with(tmp_path, monkeypatch, played):
    for name in ("first", "second"):
        (tmp_path / name).write_text(f"the {name} secret salt")
    monkeypatch.setenv(HELDOUT_SALT_VARIABLE, str(tmp_path / "first"))
    records = play(split="heldout")
    assert replay(records).differences == ()
    monkeypatch.setenv(HELDOUT_SALT_VARIABLE, str(tmp_path / "second"))
    with pytest.raises(ValueError, match=f"was played with the salt '{records[0].salt}'"):
        replay(records)
    monkeypatch.delenv(HELDOUT_SALT_VARIABLE)
    with pytest.raises(ValueError, match=f"set {HELDOUT_SALT_VARIABLE} to the path"):
        replay(records)
    for record in (played[0], dataclasses.replace(records[0], settings=SETTINGS)):
        with pytest.raises(ValueError, match="its settings give 'public' here"):
            replay([dataclasses.replace(record, salt=records[0].salt)])


def test_other_documents_of_the_same_name_are_refused(write_jsonl):
    rows = [
        {"article": f"The town {n} has a bridge. It cost {n}.", "summary": f"A bridge for {n}."}
        for n in range(4)
    ]
    path = write_jsonl(rows)
    records = play(source=f"jsonl:{path}", split=None)
    assert replay(records).differences == ()
    with pytest.raises(ValueError, match=r"its instance must be in \[0, 4\), .* got 4"):
        replay([records[0], dataclasses.replace(records[1], instance=4)])
    write_jsonl([*rows[:-1], {**rows[-1], "summary": "A bridge for 4."}])
    with pytest.raises(
        ValueError, match="record 1: it was played on the documents .* were changed"
    ):
        replay(records)


def run_main(monkeypatch, *arguments):
    """Returns the exit code of the command, and what it exits with."""
    monkeypatch.setattr(sys, "argv", ["replay", *map(str, arguments)])
    try:
        main()
    except SystemExit as error:
        return error.code
    return 0


def test_the_command_sums_up_files_in_which_all_is_as_recorded(
    played, tmp_path, monkeypatch, capsys
):
    write_records(tmp_path / "a.jsonl", played)
    write_records(tmp_path / "b.jsonl", play(SLATE, 3))
    assert run_main(monkeypatch, tmp_path / "a.jsonl", tmp_path / "b.jsonl") == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"7 episodes, 19 steps of {ID}, {SLATE} in ")
    assert first.endswith(" episodes a second")
    assert last == "Every episode is as recorded"


def test_the_command_names_file_and_line_of_what_differs(played, tmp_path, monkeypatch, capsys):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write_records(first, played)
    write_records(second, [played[0], changed(played[1], "rewards", 2, 0.5)])
    assert run_main(monkeypatch, first, second) == "1 of 6 episodes differ"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{second}, line 2: {ID}, instance 1, step 2, action 1: reward ")
    assert len(lines) == 2
    off = changed(played[1], "rewards", 2, played[1].rewards[1] + 1e-9)
    write_records(second, [off])
    assert run_main(monkeypatch, second, "--tolerance", "1e-6") == 0
    write_records(second, [off] * 23)
    capsys.readouterr()
    assert run_main(monkeypatch, second) == "23 of 23 episodes differ"
    lines = capsys.readouterr().out.splitlines()
    assert lines[19].startswith(f"{second}, line 20: ")
    assert lines[20] == "and 3 more"


def test_the_command_refuses_bad_input_in_one_line(played, tmp_path, monkeypatch, capsys):
    path = tmp_path / "episodes.jsonl"
    write_records(path, [played[0], dataclasses.replace(played[1], env_id="Bad\nName-v0")])
    missing = tmp_path / "missing.jsonl"
    for file, beginning in (
        (path, f"lightbulb: {path}, line 2: no environment is called 'Bad\\nName-v0'"),
        (missing, f"lightbulb: {missing} cannot be read"),
    ):
        assert run_main(monkeypatch, file) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(beginning)
        assert told.err.count("\n") == 1


def test_the_command_exits_as_it_says(played, tmp_path):
    path = tmp_path / "episodes.jsonl"
    command = [sys.executable, "-m", "lightbulb_envs.replay", str(path)]
    for records, code in ((played, 0), ([cut(played[0], 1)], 1), ([], 2)):
        path.write_text("".join(record.to_json() + "\n" for record in records))
        assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_a_record_without_our_writer_replays_too(played, tmp_path):
    path = tmp_path / "episodes.jsonl"
    data = json.loads(played[0].to_json())
    path.write_text(json.dumps(dict(reversed(data.items())), ensure_ascii=False, indent=None))
    assert replay(read_records(path)).differences == ()


def test_a_record_cannot_make_a_replay_import_a_module(played):
    (first, *_) = played
    named = dataclasses.replace(first, env_id=f"antigravity:{first.env_id}")
    with pytest.raises(ValueError, match="would import a module"):
        replay([named])


def test_an_id_with_its_module_is_recorded_as_the_id_alone():
    (record,) = play(f"lightbulb_envs:{ID}", count=1)
    assert record.env_id == ID
