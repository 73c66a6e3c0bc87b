"""What every id is has been frozen, and a digest watches all of it."""

import dataclasses
import json
import os
import signal
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiBinary, MultiDiscrete

import lightbulb_envs
from lightbulb_envs import golden
from lightbulb_envs.actions import are_legal
from lightbulb_envs.engines.slate import SlateEngine
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.golden import episode_digest, frozen, main, own_ids, scripted_action

EASY = "Lightbulb/NewsSummariser-Easy-v0"
SLATE = "Lightbulb/NewsSummariser-Slate-v0"


@pytest.mark.parametrize("env_id", own_ids())
def test_every_id_is_what_was_frozen(env_id):
    assert episode_digest(env_id) == frozen()[env_id]


def test_no_id_that_was_frozen_is_gone():
    assert frozen().keys() == set(own_ids())


@pytest.fixture
def variant():
    """Registers an id for one test: that of Easy with other settings."""
    row = lightbulb_envs.find_row(EASY)

    def register(**settings):
        other = dataclasses.replace(
            row, id="Test/Variant-v0", settings={**row.settings, **settings}
        )
        lightbulb_envs.ROWS.pop(other.id, None)
        gymnasium.registry.pop(other.id, None)
        lightbulb_envs.register(other)
        return other.id

    yield register
    lightbulb_envs.ROWS.pop("Test/Variant-v0", None)
    gymnasium.registry.pop("Test/Variant-v0", None)


def test_a_digest_is_that_of_what_an_id_does_not_of_its_name(variant):
    assert episode_digest(variant()) == episode_digest(EASY)
    digests = {
        episode_digest(variant(**settings))
        for settings in (
            {},
            {"level": 2},
            {"max_sentences": 40},
            {"illegal_penalty": 0.02},
            {"features": True},
            {"reward": {"fact_f1": 1.0}},
        )
    }
    assert len(digests) == 6


@pytest.mark.parametrize("engine", [SummariseEngine, SlateEngine])
@pytest.mark.parametrize("name", ["reward", "parts", "terminated", "truncated", "is_illegal"])
def test_a_digest_watches_everything_that_a_step_returns(engine, name, monkeypatch):
    env_id = EASY if engine is SummariseEngine else SLATE
    before, step, calls = episode_digest(env_id), engine.step, []

    def step_otherwise(self, rows, actions):
        result = step(self, rows, actions)
        array = getattr(result, name).copy()
        if not calls:
            calls.append(rows)
            array[-1] = ~array[-1] if array.dtype == bool else np.nextafter(array[-1], 9.0)
        return dataclasses.replace(result, **{name: array})

    monkeypatch.setattr(engine, "step", step_otherwise)
    assert episode_digest(env_id) != before


def test_a_digest_tells_a_time_limit_from_an_end(monkeypatch):
    before, step = episode_digest(EASY), SummariseEngine.step

    def step_to_a_limit(self, rows, actions):
        result = step(self, rows, actions)
        return dataclasses.replace(result, truncated=result.terminated)

    monkeypatch.setattr(SummariseEngine, "step", step_to_a_limit)
    assert episode_digest(EASY) != before


@pytest.mark.parametrize(("name", "value"), [("oracle_method", "luck"), ("oracle_return", 0.5)])
def test_a_digest_watches_the_oracle(name, value, monkeypatch):
    before = episode_digest(EASY)
    monkeypatch.setattr(SummariseEngine, name, lambda self, row: value)
    assert episode_digest(EASY) != before


def test_a_digest_watches_the_oracles_plan(monkeypatch):
    before = episode_digest(EASY)
    monkeypatch.setattr(SummariseEngine, "oracle_action", lambda self, row: self.stop)
    assert episode_digest(EASY) != before


@pytest.mark.parametrize("name", ["tokens", "action_mask", "budget", "selected"])
def test_a_digest_watches_observations(name, monkeypatch):
    before, observe = episode_digest(EASY), SummariseEngine.observe

    def observe_otherwise(self, rows):
        observation = observe(self, rows)
        if name == "action_mask":
            observation[name] = observation[name].astype(np.int16)
        else:
            observation[name][..., -1] += 1
        return observation

    monkeypatch.setattr(SummariseEngine, "observe", observe_otherwise)
    assert episode_digest(EASY) != before


SPACES = (
    (Discrete(6), [1, 0, 1, 1, 0, 1]),
    (MultiBinary(6), [1, 0, 1, 1, 0, 1]),
    (MultiDiscrete([4, 2, 4]), [[1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 0]]),
)


@pytest.mark.parametrize(("space", "mask"), SPACES)
def test_every_third_scripted_action_is_illegal_and_all_are_in_the_space(space, mask):
    mask = np.array(mask, dtype=np.int8)
    for row in range(7):
        for number in range(7):
            action = np.array(scripted_action(space, mask, row, number))
            assert space.contains(action.astype(space.dtype))
            (is_legal,) = are_legal(space, mask[None], action[None])
            assert is_legal == ((row + number) % 3 != 0)


def test_where_everything_is_legal_so_is_the_script():
    for space in (Discrete(3), MultiBinary(3)):
        mask = np.ones(3, dtype=np.int8)
        assert space.contains(np.array(scripted_action(space, mask, 0, 0), dtype=space.dtype))
    assert [scripted_action(Discrete(3), np.ones(3), row, 1) for row in range(4)] == [2, 0, 1, 2]


def _run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["golden", *arguments])
    code = 0
    try:
        main()
    except SystemExit as error:
        code = error.code
    return code, capsys.readouterr().out


def test_the_command_says_which_ids_are_what_was_frozen(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(golden, "FILE", tmp_path / "golden.json")
    monkeypatch.setattr(golden, "own_ids", lambda: [EASY, SLATE])
    assert _run(monkeypatch, capsys, "--write")[0] == 0
    digests = json.loads((tmp_path / "golden.json").read_text())
    assert list(digests) == [EASY, SLATE]
    code, told = _run(monkeypatch, capsys)
    assert code == 0
    assert told.splitlines() == [f"same     {name}  {digests[name]}" for name in digests]
    wrong = {EASY: "0" * 32, "Lightbulb/Gone-v0": "1" * 32}
    (tmp_path / "golden.json").write_text(json.dumps(wrong))
    code, told = _run(monkeypatch, capsys)
    assert code.startswith("3 differ: ")
    assert told.splitlines() == [
        f"differs  {EASY}  frozen {'0' * 32}, here {digests[EASY]}",
        f"differs  {SLATE}  frozen None, here {digests[SLATE]}",
        f"differs  Lightbulb/Gone-v0  frozen {'1' * 32}, here None",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["Prescott", "Haswell", "SkylakeX"])
def test_an_id_is_the_same_on_every_kind_of_processor(processor):
    # BLAS adds in another order on each; the oldest runs on all.
    command = [sys.executable, "-m", "lightbulb_envs.golden"]
    environment = {**os.environ, "OPENBLAS_CORETYPE": processor}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGILL:
        pytest.skip(f"this processor is no {processor}")
    assert done.returncode == 0, done.stdout + done.stderr
