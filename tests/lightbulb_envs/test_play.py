"""Games in the terminal: moves, takebacks, hints, endings, and lines that are no moves."""

import itertools
import os
import re
import signal
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.answers import RefusedError
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.boards import Look
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.play import COMMANDS, Game, instances_from, play
from lightbulb_envs.registry import ROWS, make_engine
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/NewsSummariser-v0"
SLATE, SUBSET = "Lightbulb/NewsSummariser-Slate-v0", "Lightbulb/NewsSummariser-Subset-v0"
ROW = np.zeros(1, dtype=np.int64)
TEXT_ID = "Test/Text-v0"


class TextEngine:
    """Somebody else's engine: all that the protocol asks for, and no article to show."""

    Config = SummariseConfig
    baselines = SummariseEngine.baselines

    def __init__(self, config, num_envs, max_steps=None):
        self._inner = SummariseEngine(config, num_envs, max_steps)

    def __getattr__(self, name):
        if name in ("document", "draft", "taken", "scores", "oracle", "stop", "task"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    def render(self, row, mode):
        return f"a picture of row {row}"


@pytest.fixture
def text_id():
    """The id of an engine that shows text alone."""
    lightbulb_envs.register(
        lightbulb_envs.Row(
            id=TEXT_ID,
            engine=f"{__name__}:TextEngine",
            head="categorical",
            heuristic="lead-3",
            agent="actor_critic",
            max_episode_steps=3,
        )
    )
    yield TEXT_ID
    del ROWS[TEXT_ID]
    del gymnasium.registry[TEXT_ID]


def _engine(env_id=ID, **settings) -> Engine:
    return make_engine(env_id, 1, **{"split": "train", **settings})


def _answers(lines, env_id=ID, instances=(0,), **settings):
    """Plays lines; returns what was written: the opening, an answer a line, the farewell."""
    written = []
    game = Game(_engine(env_id, **settings), iter(instances))
    play(game, lines, written.append)
    assert all(text.endswith("\n") for text in written)
    return written


def test_a_game_shows_the_numbered_article_and_keeps_lines_short():
    game = Game(_engine(), iter([0]), Look(width=50))
    lines = game.opening()
    assert max(map(len, lines[:-1])) <= 50
    text = " ".join(" ".join(lines).split())
    for number, sentence in enumerate(_engine().source.document(0).sentences):
        assert f"{number} {sentence}" in text


def test_picks_are_paid_as_the_engine_pays_them_and_the_end_tells_all():
    _, first, second, end, farewell = _answers(["6", " 12 ", "STOP"])
    assert first.startswith("+0.626  (fact_f1 +0.404, ")
    assert "budget: 3 of 4 sentences left" in first
    assert "budget: 2 of 4 sentences left" in second
    for words in (
        "the episode has ended",
        "your draft:",
        "oracle's draft (beam-16 search):",
        "reference:",
        "Three people died.",
        "key facts covered: 2 of 3",
        "missed",
        "not key in 12",
        "they cost",
        "oracle  +0.731",
        "0 hints, 0 moves taken back",
    ):
        assert words in end, words
    assert "1 episode finished" in farewell


@pytest.mark.parametrize("env_id", lightbulb_envs.ROWS)
def test_every_id_can_be_played_by_hints_alone_for_the_oracles_return(env_id):
    engine = _engine(env_id)
    game, answer = Game(engine, iter([3])), ""
    for _ in range(20):
        (hint,) = game.obey("h")
        typed = hint.partition("type ")[2]
        if ROWS[env_id].head != "text":
            typed = typed.partition(",")[0]
        answer = "\n".join(game.obey(typed))
        if "the episode has ended" in answer:
            break
    (episode,) = roll_out(make_baseline("oracle", engine), _engine(env_id), np.array([3]))
    if isinstance(engine.action_space, gymnasium.spaces.Box):  # typed in whole per cent
        told = float(re.search("return  ([-+.0-9]+)", answer)[1])
        assert told == pytest.approx(episode.episode_return, abs=0.02)
        return
    assert f"return  {episode.episode_return:+.3f}" in answer
    assert f"oracle  {engine.oracle_return(0):+.3f}" in answer
    if engine.oracle_method(0) != "expected":  # which is what it returns on average
        assert "score   100.0" in answer
    assert "hint" in answer.splitlines()[-3]


@settings(max_examples=10)
@given(st.lists(st.sampled_from([*"0123456789ush", "n", "6 7", "x"]), max_size=25))
def test_taking_everything_back_leads_to_the_start_whatever_was_typed(lines):
    engine = _engine()
    game = Game(engine, iter([5]))
    before = engine.snapshot(0)
    for line in lines:
        if line != "n":
            _obey(game, line)
    while _obey(game, "u"):
        pass
    assert engine.snapshot(0) == before


def _obey(game, line):
    """Returns whether a game takes a line."""
    try:
        game.obey(line)
    except RefusedError:
        return False
    return True


def test_a_move_after_a_takeback_is_paid_as_if_nothing_had_been():
    plain = _answers(["11", "7", "s"])[-2]
    after = _answers(["6", "13", "u", "u", "11", "s", "u", "7", "s"])[-2]
    told = plain.replace("0 moves taken", "3 moves taken")
    assert after == told


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "a number to pick"),
        (",", "a number to pick"),
        ("foo", "'foo' is no answer"),
        ("\x1b[2J", "is no answer"),
        ("y" * 5000, "is no answer"),
        ("9" * 5000, "is no answer"),
        ("99", "there is no sentence 99: they go from 0 to 13"),
        ("-1", "'-1' is no answer"),
        ("22", "there is no sentence 22"),
        ("1 2", "has 2 numbers, and one is asked for"),
        ("1.5", "is no answer"),
        ("u", "no move to take back"),
        ("n", "has not ended"),
    ],
)
def test_lines_that_are_no_moves_are_explained_in_one_line_and_cost_nothing(line, reason):
    engine = _engine()
    game = Game(engine, iter([0]))
    before = engine.snapshot(0)
    with pytest.raises(RefusedError, match="^[^\n\x1b]{1,120}$") as refusal:
        game.obey(line)
    assert reason in str(refusal.value)
    assert engine.snapshot(0) == before


def test_what_is_in_the_draft_or_over_the_budget_is_explained():
    assert "3 is in the draft already" in _answers(["3", "3"])[2]
    answers = _answers(["6", "11"], budget=24, budget_unit="words")
    assert " 6  19w  Firefighters" in answers[0]
    assert "that is more than the 5 words left" in answers[2]


def test_after_the_end_moves_wait_for_the_next_article_which_there_may_be():
    answers = _answers(["s", "3", "h", "s", "n", "s", "n"], instances=[0, 1])
    for answer in answers[2:5]:
        assert answer.startswith("the episode has ended: n is the next")
    assert "newsroom-train-2-1" in answers[5]
    assert "that was the last article" in answers[7]
    assert "2 episodes finished" in answers[8]


def test_an_end_that_is_taken_back_counts_no_more():
    assert _answers(["s", "u"])[-1] == "Nothing was finished.\n"


def test_help_names_every_command_and_the_article_comes_again():
    answers = _answers(["3", "?", "a"])
    for name in COMMANDS:
        assert f"  {name} " in answers[2]
    assert "[1]  3  The last disaster" in answers[3]


def test_a_slate_is_one_line_and_is_told_in_its_order():
    answers = _answers(["1 1", "5 6 7 8 9", "7 40", "7, 6"], SLATE)
    assert "named twice" in answers[1]
    assert "has 5 numbers, and at most 4 are asked for" in answers[2]
    assert "no sentence 40" in answers[3]
    end = answers[4]
    assert end.index("     7  The bill") < end.index("     6  Firefighters")


def test_a_subset_is_told_in_the_articles_order_and_what_is_left_out_is_named():
    end = _answers(["7 6 13 1 2 3"], SUBSET)[1]
    assert end.index("     3  The last") < end.index("     6  Firefighters")
    assert "left out, for the budget: 7, 13" in end


def test_real_text_is_played_without_facts(news_file):
    answers = _answers(
        ["1", "s"], source=f"jsonl:{news_file}", split=None, max_sentences=3, budget=2
    )
    assert "(the article goes on for 3 more sentences)" in answers[0]
    assert "reference:" in answers[2]
    assert "key facts" not in answers[2]


def test_somebody_elses_engine_shows_its_own_text_and_its_legal_actions(text_id):
    answers = _answers(["s", "21", "2 3", "2", "h", "u", "2", "2", "1", "0"], text_id, split="test")
    assert answers[0].startswith("a picture of row 0\nlegal actions: 0-")
    assert "nothing stops this environment" in answers[1]
    assert "not legal now: legal actions are 0-" in answers[2]
    assert "has 2 numbers, and one is asked for" in answers[3]
    assert "legal actions: 0-1, 3-" in answers[4]
    assert "hint 1: the oracle would type" in answers[5]
    assert "2 is not legal now" in answers[8]
    assert "that was the last step allowed" in answers[10]
    assert "1 hint, 1 move taken back" in answers[10]


def test_actions_that_nobody_can_type_are_refused_when_the_game_starts(text_id):
    engine = _engine(text_id)
    engine.action_space = gymnasium.spaces.Box(-1.0, 1.0, (3,))
    with pytest.raises(ValueError, match="actions are Discrete, and here they are Box"):
        Game(engine, iter([0]))


def test_colours_are_there_only_when_asked_for():
    look = Look(has_colour=True)
    game = Game(_engine(), iter([0]), look)
    assert "\x1b[1m" in "\n".join(game.opening())
    assert "\x1b" not in "".join(_answers(["6", "h", "s"]))


def test_instances_follow_a_first_one_or_a_seed(news_file):
    engine = _engine()
    assert list(itertools.islice(instances_from(engine, 7, None), 3)) == [7, 8, 9]
    one, other = (list(itertools.islice(instances_from(engine, None, 4), 5)) for _ in range(2))
    assert one == other
    env = gymnasium.make(ID)
    assert env.reset(seed=4)[1]["instance"] == one[0]
    text = _engine(source=f"jsonl:{news_file}", split=None)
    assert list(instances_from(text, 10, None)) == [10, 11]
    with pytest.raises(ValueError, match="--instance must be in"):
        next(instances_from(engine, 10**30, None))


def _run(*arguments, text="", **environment):
    return subprocess.run(
        [sys.executable, "-m", "lightbulb_envs.play", *arguments],
        input=text.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_command_plays_and_ends_politely_with_its_input():
    done = _run("--instance", "0", "--split", "test", text="0\nfoo\n\udcff\ns\n", COLUMNS="60")
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode()
    assert "newsroom-test-2-0" in shown
    assert "score" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("Nope-v0",), "no environment is called 'Nope-v0'"),
        (("no_such_package:Some-v0",), "No module named 'no_such_package'"),
        (("--settings", "level=9"), "level must be one of 0 to 5"),
        (("--settings", "colour=1"), "unknown keyword 'colour'"),
        (("--settings", "split=test"), "--settings takes no split: name it with --split"),
        (("--instance", "-1"), "--instance must be in"),
        (("--seed", "-1"), "seed must be 0 or more"),
    ],
)
def test_the_command_explains_what_is_wrong_in_one_line(arguments, reason, monkeypatch, capsys):
    from lightbulb_envs.play import main

    monkeypatch.setattr(sys, "argv", ["play", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_command_ends_politely_when_it_is_interrupted():
    game = subprocess.Popen(
        [sys.executable, "-m", "lightbulb_envs.play", "--instance", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert game.stdout is not None
    game.stdout.readline()
    game.send_signal(signal.SIGINT)
    _, errors = game.communicate(timeout=30)
    assert (game.returncode, errors) == (130, b"")
