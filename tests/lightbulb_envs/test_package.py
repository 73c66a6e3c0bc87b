"""Importing the package is cheap and brings nothing heavy along; the table of ids is sound."""

import re
import subprocess
import sys

import gymnasium
import pytest

import lightbulb_envs
from lightbulb_envs.engines.engine import load_engine
from lightbulb_envs.registry import SUMMARISE, Row, check_head, make_engine, register
from lightbulb_envs.show import main as show_main
from lightbulb_envs.show import show
from lightbulb_envs.sources.newsroom.source import NewsroomSource

HEAVY = (
    "torch",
    "transformers",
    "tianshou",
    "numba",
    "nltk",
    "tokenizers",
    "sentencex",
    "tyro",
    "datasets",
    "pyarrow",
    "hypothesis",
)


def test_importing_loads_nothing_heavy():
    code = f"import sys, lightbulb_envs; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_playing_the_newsroom_loads_nothing_heavy():
    code = (
        "import sys, gymnasium, lightbulb_envs;"
        "e = gymnasium.make('Lightbulb/NewsSummariser-v0'); e.reset(seed=0); e.step(0);"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_id_is_registered_with_gymnasium_by_strings():
    for env_id, row in lightbulb_envs.ROWS.items():
        spec = gymnasium.spec(env_id)
        assert isinstance(spec.entry_point, str)
        assert isinstance(spec.vector_entry_point, str)
        assert spec.max_episode_steps == row.max_episode_steps
        check_head(row, make_engine(env_id, 1))
        assert row.agent == "actor_critic"


def test_other_people_can_register_an_environment():
    row = Row(
        id="Test/Tiny-v0",
        engine=SUMMARISE,
        head="pointer",
        heuristic="lead-3",
        agent="actor_critic",
        max_episode_steps=9,
        settings={"level": 0},
    )
    register(row)
    try:
        assert gymnasium.make("Test/Tiny-v0").reset(seed=0)
        with pytest.raises(ValueError, match="registered already"):
            register(row)
    finally:
        del lightbulb_envs.ROWS["Test/Tiny-v0"]
        del gymnasium.registry["Test/Tiny-v0"]


def test_an_unknown_id_names_those_there_are():
    with pytest.raises(ValueError, match="there are Lightbulb/NewsSummariser-Easy-v0"):
        lightbulb_envs.find_row("Lightbulb/NewsSummarizer-v0")


def test_show_prints_documents():
    command = [
        sys.executable,
        "-m",
        "lightbulb_envs.show",
        "--level",
        "1",
        "--count",
        "2",
        "--facts",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    document = NewsroomSource(1, "train").document(1)
    assert show(document, with_facts=True) in done.stdout
    assert done.stdout.count("Reference: ") == 2
    assert " key weight " in done.stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--first", "-1"], "must be 0 or more"),
        (["--count", "-1"], "must be 0 or more"),
        (["--first", "9" * 30], "documents end before"),
        (["--split", "heldout"], "LIGHTBULB_HELDOUT_SALT"),
    ],
)
def test_show_refuses_what_it_cannot_print(flags, message, monkeypatch, capsys):
    monkeypatch.delenv("LIGHTBULB_HELDOUT_SALT", raising=False)
    monkeypatch.setattr(sys, "argv", ["show", *flags])
    with pytest.raises(SystemExit):
        show_main()
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"head": "pointers"}, "the head of 'Test/Wrong-v0' must be one of pointer, slate"),
        ({"agent": "ppo"}, "the agent of 'Test/Wrong-v0' must be one of actor_critic, dqn"),
        ({"engine": "here.Engine"}, "must be written \"module:Class\", got 'here.Engine'"),
        ({"max_episode_steps": 1}, "must be 2 or more, got 1"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(wrong, message):
    sound = {
        "id": "Test/Wrong-v0",
        "engine": SUMMARISE,
        "head": "pointer",
        "heuristic": "centrality",
        "agent": "actor_critic",
        "max_episode_steps": 64,
    }
    with pytest.raises(ValueError, match=re.escape(message)):
        Row(**{**sound, **wrong})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere:Engine", "engine is 'nowhere:Engine', and that module cannot be imported"),
        (SUMMARISE + "r", "has no attribute 'SummariseEnginer'"),
    ],
)
def test_an_engine_that_is_not_there_is_explained(path, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_engine(path)
