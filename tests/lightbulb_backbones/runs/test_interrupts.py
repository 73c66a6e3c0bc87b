"""Ctrl-C is raised where somebody can catch it, and nowhere else."""

import ctypes
import os
import signal
import sys
import time

import pytest

from lightbulb_backbones.runs.interrupts import end_at_once, raise_from_now_on

LLVMLITE = ("executionengine.py", "ffi.py", "newpassmanagers.py")


@pytest.fixture
def _raised():
    """Has Ctrl-C raised as the commands have it."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise_from_now_on()
    yield
    signal.signal(signal.SIGINT, before)


def wait():
    """Waits for an interrupt, and fails where none comes."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        time.sleep(0.01)
    pytest.fail("no interrupt came")


def called_back(path):
    """Calls a callback from C, whose code is of a file, and which is interrupted."""
    told = []
    code = "def callback(number):\n    kill()\n    told.append(number)\n    return number\n"
    names = {"kill": lambda: os.kill(os.getpid(), signal.SIGINT), "told": told}
    exec(compile(code, path, "exec"), names)
    ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(names["callback"])(3)
    return told


@pytest.mark.usefixtures("_raised")
def test_it_is_an_exception():
    def interrupted():
        os.kill(os.getpid(), signal.SIGINT)
        wait()

    with pytest.raises(KeyboardInterrupt):
        interrupted()


@pytest.mark.usefixtures("_raised")
@pytest.mark.parametrize("file", LLVMLITE)
def test_in_a_callback_of_numba_it_is_put_off_and_not_lost(file, capfd):
    assert called_back(f"site-packages/llvmlite/binding/{file}") == [3]
    with pytest.raises(KeyboardInterrupt):
        wait()
    assert "ignored" not in capfd.readouterr().err


@pytest.mark.usefixtures("_raised")
def test_where_it_is_not_put_off_a_callback_loses_it(monkeypatch):
    """What is guarded against: the test above would fail without the guard."""
    lost = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: lost.append(told.exc_type))
    assert called_back("elsewhere.py") == []
    assert lost == [KeyboardInterrupt]


def test_where_it_is_ignored_it_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        end_at_once()
        raise_from_now_on()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
