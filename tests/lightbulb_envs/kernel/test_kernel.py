"""Which kernel is used is chosen, told, and never falls back in silence."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs import kernel
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.golden import episode_digest, frozen, own_ids
from lightbulb_envs.kernel import VARIABLE, kernel_info, native
from lightbulb_envs.randomness import draw_words
from lightbulb_envs.rewards import compose
from lightbulb_envs.rewards.compiled import compiled_reward

needs_c = pytest.mark.skipif(kernel_info().name != "c", reason=str(kernel_info()))


@pytest.fixture
def _looked_for_anew():
    """Lets the kernel be looked for again, and once more for the tests to come."""

    def forget():
        kernel._info.cache_clear()
        kernel._load.cache_clear()

    forget()
    yield
    forget()


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler")
def test_the_kernel_is_built_where_these_tests_run():
    assert str(kernel_info()) == "kernel: c (the extension was built)"


def test_python_can_be_asked_for(monkeypatch):
    monkeypatch.setenv(VARIABLE, "python")
    assert str(kernel_info()) == "kernel: python (LIGHTBULB_KERNEL=python)"
    assert native() is None
    assert not SummariseEngine(SummariseConfig(), 1).task.is_compiled


def test_an_unknown_kernel_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "rust")
    with pytest.raises(ValueError, match="must be one of auto, c, python, got 'rust'"):
        kernel_info()


@pytest.mark.usefixtures("_looked_for_anew")
def test_a_kernel_that_was_not_built_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightbulb_envs.kernel._native", None)
    info = kernel_info()
    assert info.name == "python"
    assert "cannot be loaded" in info.reason
    assert "pip install --force-reinstall" in info.reason
    assert native() is None
    monkeypatch.setenv(VARIABLE, "c")
    with pytest.raises(ImportError, match="LIGHTBULB_KERNEL=c, and the C extension cannot be"):
        kernel_info()


@needs_c
@pytest.mark.usefixtures("_looked_for_anew")
def test_a_kernel_of_another_version_is_not_used(monkeypatch):
    native_version = kernel.VERSION
    monkeypatch.setattr(kernel, "VERSION", 99)
    assert kernel_info().name == "python"
    assert f"is of version {native_version}, and 99 is needed" in kernel_info().reason


@needs_c
def test_a_part_that_c_does_not_know_is_scored_by_python(monkeypatch):
    monkeypatch.setitem(compose.PARTS, "letters", compose._LengthPart)
    assert compiled_reward({"rouge1": 1.0, "letters": 1.0}) is None
    config = SummariseConfig(reward={"rouge1": 1.0, "letters": 1.0})
    engine = SummariseEngine(config, 1)
    assert not engine.task.is_compiled
    engine.reset(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
    assert engine.step(np.zeros(1, dtype=np.int64), np.array([0])).reward[0] > 0


@needs_c
@given(
    st.lists(st.integers(0, 2**53), min_size=1, max_size=5),
    st.integers(0, 70),
    st.integers(0, 9),
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
)
def test_random_words_are_the_same(index, count, stream, key):
    drawn = []
    for choice in ("python", "c"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, choice)
            drawn.append(draw_words(key, np.array(index), count, stream))
    assert drawn[0].dtype == drawn[1].dtype == np.uint32
    assert np.array_equal(*drawn)


@pytest.mark.parametrize("choice", ["python", pytest.param("c", marks=needs_c)])
@pytest.mark.parametrize("env_id", own_ids())
def test_every_kernel_computes_what_was_frozen(choice, env_id, monkeypatch):
    monkeypatch.setenv(VARIABLE, choice)
    assert episode_digest(env_id) == frozen()[env_id]


def test_what_is_installed_without_a_compiler_works():
    code = (
        "import sys; sys.modules['lightbulb_envs.kernel._native'] = None\n"
        "import gymnasium, lightbulb_envs\n"
        "env = gymnasium.make('Lightbulb/NewsSummariser-v0')\n"
        "env.reset(seed=0); print(lightbulb_envs.kernel_info().name, env.step(0)[1] > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["python", "True"]
