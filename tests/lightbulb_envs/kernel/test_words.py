"""Writing in C is writing in Python, bit for bit, and the kernel refuses what it cannot use."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.engines.summarise_tokens import TokensConfig, TokensEngine
from lightbulb_envs.engines.tokens_oracle import WordsToWrite
from lightbulb_envs.kernel import VARIABLE, kernel_info, native
from lightbulb_envs.rewards.compose import PARTS
from lightbulb_envs.rewards.stated_facts import StatedFacts, build_matcher
from lightbulb_envs.sources.newsroom.source import NewsroomSource

pytestmark = pytest.mark.skipif(kernel_info().name != "c", reason=str(kernel_info()))

ROWS = np.arange(3)
REFUSALS = (TypeError, ValueError, IndexError, RuntimeError, OverflowError, BufferError)
parts = st.dictionaries(st.sampled_from(sorted(PARTS)), st.floats(1e-3, 10.0), min_size=1)
configs = st.fixed_dictionaries(
    {
        "level": st.integers(0, 5),
        "split": st.sampled_from(["train", "ood"]),
        "reward": st.one_of(st.none(), parts),
        "budget": st.sampled_from([1, 7, 60]),
        "illegal_penalty": st.sampled_from([0.0, 0.3]),
        "max_words": st.sampled_from([None, 20]),
    }
)
runs = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 12)), min_size=1, max_size=6)
"""Where in an article copying starts, and how many words it goes on: so facts are stated."""


def _both(config, max_steps=None) -> list[TokensEngine]:
    """Returns engines in Python and in C."""
    made = []
    for kernel in ("python", "c"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, kernel)
            made.append(TokensEngine(TokensConfig(**config), len(ROWS), max_steps))
        assert made[-1].task.is_compiled == (kernel == "c")
    return made


def _scripts(engine: TokensEngine, drawn: Any) -> list[list[int]]:
    """Returns what each row does: it copies runs of its article, odd actions in between."""
    scripts = []
    for row in ROWS.tolist():
        batch = engine.source.batch(engine.instance(np.array([row])))
        document = WordsToWrite.of(engine.task, batch, 0)
        copied = [word for line in document.sentences for word in line]
        copied += document.reference
        script = []
        for start, length in drawn[row]:
            begin = start % max(len(copied), 1)
            script += [*copied[begin : begin + length], (37 * start) % engine.stop]
        scripts.append(script)
    return scripts


def _assert_equal(plain: TokensEngine, compiled: TokensEngine) -> None:
    for name, array in plain.views().items():
        assert np.array_equal(array, compiled.views()[name]), name
    for row in ROWS.tolist():
        assert plain.draft(row) == compiled.draft(row)
        assert plain.scores(row) == compiled.scores(row)
        assert plain.taken(row) == compiled.taken(row)
        assert plain.snapshot(row) == compiled.snapshot(row)


@settings(max_examples=40)
@given(configs, st.integers(0, 10**6), st.lists(runs, min_size=3, max_size=3), st.booleans())
def test_every_word_of_any_draft_is_the_same(config, first, drawn, is_limited):
    plain, compiled = _both(config, 9 if is_limited else None)
    for engine in (plain, compiled):
        engine.reset(ROWS, first + ROWS)
    _assert_equal(plain, compiled)
    scripts = _scripts(plain, drawn)
    going, place = ROWS, 0
    while len(going := np.array([row for row in going.tolist() if place < len(scripts[row])], int)):
        actions = np.array([scripts[row][place] for row in going.tolist()])
        one, other = plain.step(going, actions), compiled.step(going, actions)
        for name, value in vars(one).items():
            assert np.array_equal(value, getattr(other, name)), name
        going, place = going[~(one.terminated | one.truncated)], place + 1
    _assert_equal(plain, compiled)
    for row in ROWS.tolist():  # across: what one of them was, the other becomes
        snapshots = plain.snapshot(row), compiled.snapshot(row)
        plain.restore(row, snapshots[1])
        compiled.restore(row, snapshots[0])
    _assert_equal(plain, compiled)


@settings(max_examples=8)
@given(st.sampled_from([None, "rouge", {"rougeLsum": 1.0}]), st.integers(0, 10**6))
def test_the_oracle_finds_the_same_drafts(reward, first):
    plain, compiled = _both({"reward": reward, "budget": 16, "level": 1})
    for engine in (plain, compiled):
        engine.reset(ROWS, first + ROWS)
    for row in ROWS.tolist():
        assert plain.oracle(row) == compiled.oracle(row)


def _arguments() -> tuple[Any, ...]:
    """Returns what compiling two documents calls the kernel with."""
    calls: list[tuple[Any, ...]] = []
    engine = TokensEngine(TokensConfig(), 1)
    module = engine.task._compiled.module

    class Listening:
        def __getattr__(self, name: str) -> Any:
            return getattr(module, name)

        def compile_words(self, *arguments: Any) -> Any:
            calls.append(arguments)
            return module.compile_words(*arguments)

    engine.task._compiled.module = Listening()
    engine.task.compile(engine.source.batch(np.arange(2)))
    return calls[0]


ARGUMENTS = _arguments() if kernel_info().name == "c" else ()
MATCHER = build_matcher(NewsroomSource(2, "train").signatures())
WRONG = [0, -1, 1, 7, 300, 2**15, 2**31 - 1, -(2**31), 2**62, -(2**63)]


@settings(max_examples=150)
@given(st.data())
def test_words_with_any_wrong_number_are_compiled_or_refused(data):
    documents, matcher, given_arrays = ARGUMENTS
    arrays = [None if one is None else one.copy() for one in given_arrays]
    place = data.draw(st.sampled_from([at for at, one in enumerate(arrays) if one is not None]))
    kind = data.draw(st.sampled_from(["number", "shape", "type", "none"]))
    if kind == "none":
        arrays[place] = data.draw(st.sampled_from([None, 3, "text", b""]))
    elif kind == "type":
        dtype = data.draw(st.sampled_from([np.int8, np.float64, np.int64, np.int32]))
        arrays[place] = arrays[place].astype(dtype)
    elif kind == "shape":
        arrays[place] = np.resize(arrays[place], (2, data.draw(st.sampled_from([0, 1, 400]))))
    else:
        flat = arrays[place].reshape(-1)
        wrong = np.array(data.draw(st.sampled_from(WRONG))).astype(flat.dtype)
        flat[data.draw(st.integers(0, flat.size - 1))] = wrong
    try:
        compiled = native().compile_words(documents, matcher, tuple(arrays))
    except REFUSALS:
        return
    draft = compiled[0].start()
    for word in range(40):
        draft = draft.extend(word)
    assert np.isfinite(draft.value())


@settings(max_examples=100)
@given(st.integers(0, 8), st.integers(0, 10**6), st.sampled_from(WRONG))
def test_an_automaton_with_any_wrong_number_is_followed_or_refused(which, place, wrong):
    arrays = [array.copy() for array in MATCHER.arrays]
    arrays[which][place % arrays[which].size] = np.array(wrong).astype(arrays[which].dtype)
    try:
        matcher = native().Matcher(tuple(arrays), 2000)
    except REFUSALS:
        return
    documents, _, told = ARGUMENTS
    draft = native().compile_words(documents, matcher, told)[0].start()
    for word in range(40):
        draft = draft.extend(word)
    assert np.isfinite(draft.value())


def test_the_kernel_says_what_it_needs():
    rows = TokensEngine(TokensConfig(), 2)._drafts._rows
    for wrong in ((), (1,), (0, 0)):
        with pytest.raises(REFUSALS):
            rows.step(*wrong)
    with pytest.raises(RuntimeError, match="call reset first"):
        rows.draft(0)
    with pytest.raises(IndexError, match="a row must be in"):
        rows.draft(9)
    with pytest.raises(TypeError, match="WordDocuments"):
        rows.load(np.zeros(1, dtype=np.int64), [None])


def test_a_draft_that_its_steps_did_not_write_is_refused():
    engine = TokensEngine(TokensConfig(), 1)
    engine.reset(ROWS[:1], ROWS[:1])
    engine.step(ROWS[:1], np.array([5]))
    snapshot = engine.snapshot(0)
    with pytest.raises(ValueError, match="did not write"):
        engine.restore(0, {**snapshot, "draft": [6]})
    with pytest.raises(ValueError, match="cannot hold word"):
        engine.restore(0, {**snapshot, "draft": [10**6]})


def test_readers_agree_on_what_an_article_states():
    """The tracker in C is part of a draft; a draft of the article's words tells what it read."""
    plain, compiled = _both({"reward": {"fact_precision": 1.0, "fact_recall": 1.0}, "budget": 400})
    for engine in (plain, compiled):
        engine.reset(ROWS, 40 + ROWS)
    for row in ROWS.tolist():
        batch = plain.source.batch(np.array([40 + row]))
        words = [word for line in WordsToWrite.of(plain.task, batch, 0).sentences for word in line]
        for engine in (plain, compiled):
            for word in words:
                engine.step(np.array([row]), np.array([word]))
        assert plain.scores(row) == compiled.scores(row)
        assert plain.scores(row)["fact_recall"] == 1.0


def test_a_reader_is_made_from_propositions_alone():
    assert StatedFacts(build_matcher(NewsroomSource(0, "train").signatures()), []).read([]) == ()
