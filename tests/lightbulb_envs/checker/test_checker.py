"""Every law catches an environment that breaks it, and says what to do; ours keep them all."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.adapters.gym_env import TextEnv
from lightbulb_envs.checker import LAWS, BrokenLawError, check_text_env
from lightbulb_envs.checker.episode_laws import _each_kind
from lightbulb_envs.checker.moves import Move
from lightbulb_envs.checker.subject import filled, write_files
from lightbulb_envs.keywords import example_of
from lightbulb_envs.registry import keywords_of, make_engine

BROKEN = {
    # law: [(engine, what the message says of it, what it says to do)]
    "row": [
        ("NoHeuristic", "no baseline 'centrality'", "it needs 'random', 'oracle' and"),
        ("StopFirst", "that sentence has no tokens", "action i is sentence i"),
        ("OneActionMore", "needs Discrete", "scores S sentences and STOP"),
        ("ArticleOfNothing", "`article` names action 135, which is illegal", "counted from 1"),
        ("NoArticle", "so must be `article`", "the text in actions"),
    ],
    "gymnasium": [("NarrowSpace", "check_env says", "observation")],
    "observations": [
        ("NarrowSpace", "'tokens' with shape", "space as wide"),
        ("SharedArrays", "writing into a returned observation", "return copies"),
    ],
    "endings": [("GoesOn", "is taken", "raise RuntimeError")],
    "masks": [
        ("LyingMask", "the mask says that action", "must come from one place"),
        ("NothingLegal", "no action is legal", "end it instead"),
    ],
    "illegal": [
        ("RaisesOnIllegal", "raises ValueError", "is a no-op, never an error"),
        ("IllegalStops", "it ends", "an illegal action is a no-op"),
        ("IllegalPays", "is paid 0.5", "its price must be the part 'illegal_action'"),
        ("TakesAnything", "action -1 lies outside", "`check_actions` of"),
        ("RefusesTooLate", "is refused, and changes the episode", "all the same"),
    ],
    "rewards": [
        ("InfiniteReward", "a reward is inf", "must be a finite"),
        ("PartsThatDoNotAddUp", "add up to", "`add_in_order` of the parts"),
    ],
    "gains": [
        ("GainsThatDoNotTelescope", "its score rose by", "pay the difference"),
        ("ScoresOfOtherNames", "`scores` names 'F1'", "as `part_names` does"),
    ],
    "snapshots": [
        ("ForgetfulSnapshot", "restored episode", "into the snapshot"),
        ("SnapshotOfArrays", "no plain data", "use dicts, lists and numbers"),
        ("SnapshotWithoutSteps", "not cut off when", "put the number of steps"),
    ],
    "batches": [
        ("RowsShareState", "is not the single environments", "must not share state"),
        ("NeverTruncates", "with a limit of", "last step is truncated"),
    ],
    "options": [("StrictOptions", "raises ValueError (no such option)", "ignore options")],
    "keywords": [
        ("IdleKeyword", "idle=2 changes nothing", "or do not accept it"),
        ("UntoldKeyword", "'budget' has no example", "declare it as"),
        ("RefusedExample", "is refused", "give an example that works"),
    ],
    "specs": [("ReadsAClock", "plays another episode", "must be plain data")],
    "pickles": [("HoldsALambda", "cannot be pickled", "no lambdas")],
    "seeds": [
        ("ReadsAClock", "with the same seed", "draw from the instance alone"),
        ("ReadsTheHashSeed", "PYTHONHASHSEED", "the order of sets"),
        ("ReadsTheThreads", "threads) gives another", "depends on threads"),
        ("OneInstance", "the same instance", "draw it from the seed"),
    ],
    "splits": [
        ("SplitsShareDocuments", "share a document", "by its split"),
        ("AHundredDocuments", "are the same document", "say how many there are"),
    ],
    "rendering": [
        ("RendersNothing", "renders str", "must return text"),
        ("PageFromElsewhere", "'<script'", "must need nothing from elsewhere"),
    ],
    "oracle": [
        ("WeakOracle", "returns more", "misses something|widen the oracle"),
        ("OracleThatPromises", "returns up to 0.1", "must follow one plan"),
        ("OracleThatPromisesOnAverage", "on average over 32", "must follow one plan"),
        ("OracleThatDallies", "does not end instance", "raise the limit"),
    ],
    "heuristic": [("PoorHeuristic", "and random", "name a heuristic that beats random")],
}
CASES = [(law, *case) for law, cases in BROKEN.items() for case in cases]


class StrictOptionsEnv(TextEnv):
    """Refuses options that it does not know."""

    def reset(self, *, seed=None, options=None):
        if options and "instance" not in options:
            raise ValueError("no such option")
        return super().reset(seed=seed, options=options)


@pytest.fixture(autouse=True)
def _broken_engines_can_be_imported(monkeypatch):
    """Here, and in the processes that the law of seeds starts."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv("LIGHTBULB_TEST_ELSEWHERE", "1")


@pytest.fixture
def register():
    made = []

    def make(engine):
        import broken_engines

        env_id = broken_engines.register_broken(engine)
        made.append(env_id)
        if engine == "StrictOptions":
            gymnasium.registry[env_id].entry_point = StrictOptionsEnv
        return env_id

    yield make
    for env_id in made:
        del lightbulb_envs.ROWS[env_id]
        del gymnasium.registry[env_id]


def test_every_law_has_an_environment_that_breaks_it():
    assert set(BROKEN) == set(LAWS)


@pytest.mark.parametrize(("law", "engine", "how", "advice"), CASES)
def test_a_law_catches_what_breaks_it_and_says_what_to_do(law, engine, how, advice, register):
    env_id = register(engine)
    with pytest.raises(BrokenLawError) as caught:
        check_text_env(env_id, laws=[law])
    message = str(caught.value)
    assert message.startswith(f"{env_id} breaks the law {law!r} (")
    assert how in message
    assert any(part in message for part in advice.split("|"))


@pytest.mark.parametrize("actions", [3, 64, 65, 280])
def test_of_many_actions_some_are_tried_at_a_step_and_all_at_several(actions):
    space, mask = gymnasium.spaces.Discrete(actions), np.ones(actions, dtype=np.int8)
    tried = [_each_kind(space, mask, Move(number)) for number in range(10)]
    assert all(len(some) <= 64 for some in tried)
    assert {action for some in tried for action in some} == set(range(actions))


def test_what_an_engine_raises_is_told_with_its_place(register):
    with pytest.raises(BrokenLawError) as caught:
        check_text_env(register("RaisesSomething"), laws=["rewards"])
    message = str(caught.value)
    assert "cannot be tried on the law 'rewards'" in message
    assert "KeyError ('token')" in message
    assert "broken_engines.py, line" in message
    assert message.endswith('return observation | {"tokens": observation["token"]}')
    with pytest.raises(BrokenLawError, match=r"cannot be made: AttributeError .*num_env'"):
        check_text_env(register("CannotBeMade"))


def test_of_several_ways_to_break_a_law_one_is_told(register):
    with pytest.raises(BrokenLawError, match="breaks the law 'rewards'"):
        check_text_env(register("FailsInTwoWays"), laws=["rewards"])


def test_the_toy_that_the_broken_ones_are_made_of_keeps_every_law(register):
    assert all(outcome.is_checked for outcome in check_text_env(register("Sound")))


def _not_about(env_id):
    """Returns the laws that are not about an id: of gains where a step is paid none, and of what
    is illegal where any text may be written."""
    gains = set() if hasattr(make_engine(env_id, 1), "scores") else {"gains"}
    return gains | ({"illegal"} if lightbulb_envs.ROWS[env_id].head == "text" else set())


def _of_each_engine():
    """Returns an id of each engine and form: they differ in nothing but the level besides."""
    first = {}
    for env_id, row in lightbulb_envs.ROWS.items():
        first.setdefault((row.engine, row.head), env_id)
    return tuple(first.values())


EACH = tuple(
    pytest.param(one, marks=() if one in _of_each_engine() else pytest.mark.slow)
    for one in lightbulb_envs.ROWS
)
"""Every id; those that share an engine with one before are slow."""


@pytest.mark.parametrize("env_id", EACH)
def test_our_environments_keep_every_law(env_id):
    outcomes = check_text_env(env_id)
    assert [outcome.law for outcome in outcomes] == list(LAWS)
    not_checked = {outcome.law for outcome in outcomes if not outcome.is_checked}
    assert not_checked == _not_about(env_id)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0, 4])  # the plainest, and what has most in it
@pytest.mark.parametrize("env_id", _of_each_engine())
def test_our_environments_keep_every_law_at_the_plainest_and_the_hardest_level(env_id, level):
    outcomes = check_text_env(env_id, level=level)
    not_checked = {outcome.law for outcome in outcomes if not outcome.is_checked}
    is_own = level == lightbulb_envs.ROWS[env_id].settings["level"]
    assert not_checked == _not_about(env_id) | (set() if is_own else {"heuristic"})


def test_the_law_of_the_heuristic_is_about_the_id_as_it_is_registered():
    env_id = "Lightbulb/NewsSummariser-Easy-v0"
    (own,) = check_text_env(env_id, laws=["heuristic"], level=1, budget=2)
    assert own.is_checked
    (other,) = check_text_env(env_id, laws=["heuristic"], level=4)
    assert not other.is_checked
    assert other.note.startswith("not checked: the id names its heuristic for level=1 (lead-3 ")


PLAYING = (
    "gymnasium",
    "observations",
    "masks",
    "illegal",
    "rewards",
    "gains",
    "snapshots",
    "batches",
    "specs",
    "pickles",
)
"""Laws that a keyword may make a difference to; the law of keywords is about all of them."""
FEW, FEWER = 8, 4
"""Episodes for a keyword, and for a pair of them: there are hundreds of these."""
IDS = tuple(lightbulb_envs.ROWS)
PLAYED = tuple(
    (env_id, name)
    for env_id in _of_each_engine()
    for name in keywords_of(env_id)
    if name != "vocabulary_digest"
)
PAIRS = {
    pair: tuple(env_id for env_id in IDS if set(pair) <= keywords_of(env_id).keys())
    for env_id in IDS
    for pair in itertools.combinations(keywords_of(env_id), 2)
    if "vocabulary_digest" not in pair
}
"""Pairs of keywords → the ids that take both."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"))


def _example(env_id, name, files):
    """Returns settings with a keyword's example and what it needs; none if the id lacks it."""
    known = keywords_of(env_id).get(name)
    if known is None:
        return {}
    example = example_of(known.metadata)
    value = filled(example.value, files)
    if lightbulb_envs.find_row(env_id).settings.get(name) == value:
        value = known.default
    return {**filled(example.given, files), name: value}


@pytest.mark.slow
@pytest.mark.parametrize(("env_id", "name"), PLAYED)
def test_our_environments_keep_the_laws_with_every_keyword(env_id, name, files):
    check_text_env(env_id, laws=PLAYING, examples=FEW, **_example(env_id, name, files))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "pair"), list(enumerate(PAIRS)))
def test_our_environments_keep_the_laws_with_keywords_in_pairs(number, pair, files):
    env_id = PAIRS[pair][number % len(PAIRS[pair])]
    settings = _example(env_id, pair[0], files) | _example(env_id, pair[1], files)
    if "split" in settings and str(settings.get("source", "")).startswith("jsonl:"):
        # A file needs to be told which of its rows are of a split.
        with pytest.raises(ValueError, match="which rows those are"):
            gymnasium.make(env_id, **settings)
        return
    check_text_env(env_id, laws=PLAYING, examples=FEWER, **settings)


def test_real_text_keeps_the_laws(news_file):
    outcomes = check_text_env("Lightbulb/NewsSummariser-v0", source=f"jsonl:{news_file}")
    unchecked = {outcome.law: outcome.note for outcome in outcomes if not outcome.is_checked}
    assert set(unchecked) == {"splits"}
    assert "no split" in unchecked["splits"]


def test_an_unknown_law_or_id_is_refused():
    with pytest.raises(ValueError, match="no law is called 'gravity'"):
        check_text_env("Lightbulb/NewsSummariser-v0", laws=["gravity"])
    with pytest.raises(ValueError, match="no environment is called"):
        check_text_env("Lightbulb/Nothing-v0")
    with pytest.raises(ValueError, match="cannot be imported"):
        check_text_env("no_such_module:Lightbulb/Nothing-v0")


def _run(*arguments):
    command = [sys.executable, "-m", "lightbulb_envs.checker", *arguments]
    folder = Path(__file__).parent
    surroundings = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)


def test_how_many_episodes_are_tried_can_be_said():
    env_id = "Lightbulb/NewsSummariser-Easy-v0"
    (outcome,) = check_text_env(env_id, laws=["rewards"], examples=3)
    assert outcome.note == "3 drawn episodes"
    with pytest.raises(ValueError, match="examples must be 1 or more, got 0"):
        check_text_env(env_id, examples=0)
    done = _run(env_id, "--laws", "rewards", "--examples", "2")
    assert "2 drawn episodes" in done.stdout


def test_the_command_prints_what_was_checked():
    done = _run(
        "Lightbulb/NewsSummariser-Easy-v0", "--laws", "row", "rewards", "--settings", "level=3"
    )
    assert done.returncode == 0
    assert "held   rewards" in done.stdout
    assert "2 laws held, 0 broken, 0 not checked" in done.stdout


def test_the_command_goes_on_after_a_broken_law():
    laws = ("--laws", "snapshots", "rewards")
    done = _run("broken_engines:Test/ForgetfulSnapshot-v0", *laws)
    assert done.returncode == 1
    assert "BROKEN snapshots" in done.stdout
    assert "held   rewards" in done.stdout
    assert "1 laws held, 1 broken" in done.stdout


def test_the_command_ends_in_one_line_at_bad_input():
    done = _run("Lightbulb/NewsSummariser-v0", "--settings", "level=9")
    assert done.returncode == 2
    assert done.stderr.startswith("lightbulb: level must be one of 0 to 5")
    assert len(done.stderr.splitlines()) == 1
