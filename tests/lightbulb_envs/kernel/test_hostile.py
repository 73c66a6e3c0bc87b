"""Whatever the kernel is given, it answers or raises; with sanitizers, nothing else happens."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lightbulb_envs.kernel
from lightbulb_envs.kernel import kernel_info, native
from lightbulb_envs.rewards.rouge import Score

pytestmark = pytest.mark.skipif(kernel_info().name != "c", reason=str(kernel_info()))
REFUSALS = (TypeError, ValueError, IndexError, RuntimeError, BufferError, OverflowError)
FOLDER = Path(lightbulb_envs.kernel.__file__).parent

dtypes = st.sampled_from(
    [np.int64, np.int32, np.int16, np.int8, np.uint8, np.uint32, np.float64, np.float32, np.bool_]
)
shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
anything = dtypes.flatmap(lambda dtype: arrays.arrays(dtype, shapes))
strided = anything.map(lambda array: array[::2] if array.ndim else array)
other = st.sampled_from([None, 3, -1, 2**70, 0.5, "text", b"bytes", [], [1], (), {}, True])
hostile = st.one_of(anything, strided, other)


def _try(function: Any, *arguments: Any) -> Any:
    """Calls a function; whatever it refuses is fine, and a crash is not."""
    try:
        return function(*arguments)
    except REFUSALS:
        return None


def _reward(parts: Any = ((2, 0, 0, 0.5), (4, 1, 0, 1.0), (4, 2, 1, 1.0), (6, 0, 0, 1.0))) -> Any:
    return native().Reward(list(parts))


def _documents(reward: Any, rows: int = 2, fact: int = 0) -> list[Any]:
    """Returns documents of three sentences; their tokens are (4, 2)."""
    generator = np.random.default_rng(0)

    def words(*shape: int) -> Any:
        return generator.integers(-1, 4, shape).astype(np.int32)

    told, reference = words(rows, 4, 5), words(rows, 2, 6)
    return native().compile_documents(
        reward,
        np.arange(rows),
        np.full(rows, 3),
        np.zeros((rows, 4, 2), dtype=np.int32),
        told,
        reference,
        told,
        reference,
        np.full((rows, 4, 1), fact, dtype=np.int32),
        np.ones((rows, 2)),
        np.ones((rows, 2), dtype=bool),
    )


def _rows(reward: Any, rows: int = 2) -> tuple[Any, Any]:
    """Returns episodes of as many rows, and their mask."""
    mask = np.zeros((rows, 5), dtype=np.int8)
    observed = (
        np.zeros((rows, 4, 2), dtype=np.int32),
        np.zeros((rows, 4), dtype=np.int8),
        np.zeros((rows, 1), dtype=np.float32),
    )
    return native().Rows(reward, 2, False, 0.1, 0, *observed, mask), mask


@settings(max_examples=200)
@given(st.lists(hostile, min_size=10, max_size=10))
def test_documents_are_made_of_sound_arrays_only(given_):
    _try(native().compile_documents, _reward(), *given_)


@settings(max_examples=300)
@given(st.integers(0, 9), hostile)
def test_one_wrong_array_is_refused(which, array):
    sound = [
        np.arange(2),
        np.full(2, 3),
        np.zeros((2, 4, 2), dtype=np.int32),
        np.zeros((2, 4, 5), dtype=np.int32),
        np.zeros((2, 2, 6), dtype=np.int32),
        np.zeros((2, 4, 5), dtype=np.int32),
        np.zeros((2, 2, 6), dtype=np.int32),
        np.zeros((2, 4, 1), dtype=np.int32),
        np.ones((2, 2)),
        np.ones((2, 2), dtype=bool),
    ]
    sound[which] = array
    documents = _try(native().compile_documents, _reward(), *sound)
    for document in documents or []:
        for sentence in range(document.num_sentences):
            document.start().extend(sentence).scores()


@given(st.lists(st.one_of(other, st.tuples(other, other, other, other)), max_size=3))
def test_a_reward_is_made_of_known_parts_only(parts):
    _try(native().Reward, parts)


@settings(max_examples=300)
@given(st.lists(hostile, min_size=7, max_size=7), st.integers(0, 6), st.booleans())
def test_a_step_takes_sound_arrays_only(given_, which, one):
    reward = _reward()
    rows, mask = _rows(reward)
    _try(rows.step, *given_, one)
    rows.load(np.arange(2), _documents(reward))
    mask[:] = 1  # Python may write what it likes there
    out = [np.empty(2), np.empty((5, 2)), *np.empty((3, 2), dtype=bool)]
    sound = [np.arange(2), np.array([3, 4]), *out]
    for array in given_[:1] if one else given_:
        for among in (True, False, array):
            _try(rows.step, *sound[:which], array, *sound[which + 1 :], among)
    for row in (-1, 0, 1, 2, 2**70, None):
        for method in (rows.draft, rows.scores, rows.clock, rows.taken):
            _try(method, row)


@given(other, other, hostile, st.integers(-1, 2), st.lists(st.integers(-2, 5), max_size=6))
def test_a_row_alone_takes_what_fits_it_only(first, second, third, row, actions):
    reward = _reward()
    rows, mask = _rows(reward)
    names = ("a", "b", "c", "d", "e")
    _try(rows.step_row, row, 0, names)  # there is no episode yet
    _try(rows.load_row, first, second)
    _try(rows.load_row, row, third)
    _try(rows.load_row, row, _documents(reward)[0])
    mask[:] = 1  # Python may write what it likes there
    for told in (first, second, third, (first,), names[:4], (*names[:4], third)):
        _try(rows.step_row, row, 0, told)
    for action in (*actions, first, second, third, 2**70, -(2**70)):
        _try(rows.step_row, row, action, names)
    _try(rows.step_row, first, 0, names)
    _try(rows.step_row)


@given(st.lists(hostile, min_size=3, max_size=3), st.integers(0, 3), other, st.integers(0, 5))
def test_instances_are_drawn_into_sound_arrays_only(given_, which, number, width):
    sound = [
        np.zeros((2, width), dtype=np.int64),
        np.array([-3, 2**62]),
        np.zeros((2, 2), dtype=np.uint64),
    ]
    for place, array in enumerate(given_):
        _try(native().draw_instances, *sound[:place], array, *sound[place + 1 :], 1, 2, 3)
    arguments = [*sound, 1, 2, 3]
    arguments[2 + which] = number
    _try(native().draw_instances, *arguments)
    counts = [np.zeros(2, dtype=np.int64), np.arange(2), np.array([0, 5]), np.array([0, 3])]
    for place, array in enumerate((*given_, number)):
        _try(native().take_instances, *counts[:place], array, *counts[place + 1 :], sound[0])
    for rows in ([0, 0], [1, 0], [-1, 2], [0, 2**62]):
        told = np.array(rows)
        _try(native().take_instances, counts[0], told, counts[2], counts[3], sound[0])


@given(hostile, hostile, st.lists(st.integers(-2, 5), max_size=6))
def test_rows_load_and_resume_what_fits_them_only(first, second, draft):
    reward = _reward()
    rows, _ = _rows(reward)
    _try(rows.load, first, second)
    _try(rows.restart, first)
    _try(rows.load, np.array([0, 7]), _documents(reward))
    _try(rows.load, np.arange(2), _documents(_reward()))
    rows.load(np.array([0]), _documents(reward)[:1])
    _try(rows.resume, 0, tuple(draft), 1, False, [(0, (0.0,) * 5, False)])
    _try(rows.resume, 0, tuple(draft), 1, False, [first])
    _try(rows.resume, 0, (first,), second, False, [])
    _try(rows.resume, first, (), 0, False, [])
    _try(native().Rows, reward, 1, False, 0.1, 0, first, second, first, second)


@given(hostile, hostile, hostile)
def test_a_batch_takes_sound_arrays_only(first, second, third):
    reward = native().Reward([(4, 1, 0, 1.0), (4, 3, 1, 1.0), (5, 0, 0, 1.0)])
    batch = native().Batch(reward, 2)
    scores = np.empty((2, 3))
    for method in (batch.extend, batch.extend_words):
        _try(method, first, second)
    _try(batch.load, third)
    batch.load(_documents(reward))
    for method in (batch.extend, batch.extend_words):
        _try(method, first, scores)
        _try(method, np.array([0, 2]), second)
        _try(method, np.array([[0, 2], [3, 3]], dtype=np.int32), second)
    _try(native().Batch, first, second)
    _try(native().draw_words, first, second, 1, 2, 3)


@given(hostile, hostile, hostile, st.text(), st.text())
def test_a_scorer_takes_strings_only(first, second, third, text, other_text):
    scorer = native().Scorer(Score)
    _try(scorer.score, first, second, ("a",), (1,), True, False)
    _try(scorer.score, text, other_text, third, second, False, first)
    _try(scorer.score, text, other_text, ("a",), (third,), False, False)
    _try(scorer.learn, first)
    _try(scorer.learn, {text: other_text, other_text: first})
    _try(native().Scorer, first)
    scorer.score(text, other_text, ("a", "b", "c"), (2, 0, -1), False, False)


def test_a_claim_of_no_fact_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="claims fact 2, and there are 2"):
        _documents(_reward(), fact=2)


def test_a_row_that_is_named_twice_is_not_stepped_past_its_end():
    reward = _reward()
    rows, _ = _rows(reward)
    rows.load(np.arange(2), _documents(reward))
    out = [np.empty((6, 3)), np.empty((3, 3), dtype=bool)]
    with pytest.raises(RuntimeError, match="row 0 is named twice, and its episode has ended"):
        rows.step(np.zeros(3, dtype=np.int64), np.array([0, 1, 2]), *out, False)


def test_a_reference_that_is_too_long_is_explained():
    reference = np.zeros((1, 1, 65_001), dtype=np.int32)
    empty = np.zeros((1, 1, 0), dtype=np.int32)
    with pytest.raises(ValueError, match="65001 words, and the C kernel takes 65000: shorten it"):
        native().compile_documents(
            native().Reward([(4, 1, 0, 1.0)]),
            np.arange(1),
            np.ones(1, dtype=np.int64),
            empty,
            empty,
            reference,
            None,
            None,
            empty,
            np.zeros((1, 0)),
            np.zeros((1, 0), dtype=bool),
        )


RUN = """
import importlib.util, sys
import lightbulb_envs.kernel
spec = importlib.util.spec_from_file_location("lightbulb_envs.kernel._native", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.modules["lightbulb_envs.kernel._native"] = module
lightbulb_envs.kernel._native = module
import pytest
sys.exit(pytest.main(["-q", "-x", "-s", "-p", "no:cacheprovider", "-m", "not slow", *sys.argv[2:]]))
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_nothing_is_read_or_written_out_of_bounds(tmp_path):
    """Builds the kernel with sanitizers, every warning an error, and runs its tests on that."""
    built = tmp_path / "_native.so"
    command = ["gcc", "-std=c11", "-g", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
    command += ["-ffp-contract=off", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    include = f"-I{sysconfig.get_paths()['include']}"
    sources = [str(path) for path in sorted(FOLDER.glob("*.c"))]
    subprocess.run([*command, include, *sources, "-o", str(built)], check=True)
    libraries = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}.so"], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in ("libasan", "libubsan")
    ]
    tests = Path(__file__).parent
    own = [tests / name for name in ("test_equality.py", "test_newsroom.py")]
    chosen = [Path(__file__), *own, tests.parent / "rewards/test_rouge.py"]
    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(built), *map(str, chosen)],
        env={
            "LD_PRELOAD": " ".join(libraries),
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONMALLOC": "malloc",  # so that the sanitizer sees every block
            "LIGHTBULB_KERNEL": "c",
            "PATH": "/usr/bin:/bin",
        },
        cwd=tests.parents[2],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
