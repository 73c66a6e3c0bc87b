"""Fixtures of the benchmarks' tests."""

import gc

import pytest


@pytest.fixture(autouse=True)
def _nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares the garbage collection before every turn of a race: nothing here depends on it."""
    monkeypatch.setattr(gc, "collect", lambda: 0)
