"""Fixtures of the tests of sources: a cache of their own, and opening as a new process does."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightbulb_envs.sources import texts
from lightbulb_envs.sources.source import SourceConfig, open_source
from lightbulb_envs.sources.text_source import TextSource


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LIGHTBULB_CACHE", str(folder))
    return folder


@pytest.fixture
def reopen() -> Callable[..., TextSource]:
    """Opens a source as a new process would."""

    def opened(source: Any, **settings: Any) -> TextSource:
        texts._open.cache_clear()
        return open_source(SourceConfig(source=source, **settings))

    return opened


@pytest.fixture(scope="session")
def everything() -> Callable[[TextSource], list[Any]]:
    """Returns all that can be seen of a source, to be compared."""

    def seen(source: TextSource) -> list[Any]:
        batch = source.batch(np.arange(source.num_documents))
        words = int(max(batch.words.max(), batch.reference_words.max())) + 1
        return [
            source.digest,
            source.vocabulary.digest,
            source.vocabulary.to_json(),
            source.report(),
            [source.document(instance) for instance in range(source.num_documents)],
            [source.stem_text(word) for word in range(words)],
            [
                (one.name, array.shape, array.dtype, array.tobytes())
                for one in dataclasses.fields(batch)
                for array in [getattr(batch, one.name)]
            ],
        ]

    return seen


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes splitting sentences, learning a vocabulary and tokenising fail from the call on."""

    def forbid() -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise AssertionError("text was worked on again")

        for place in ("rows.split_sentences", "layouts.split_sentences"):
            monkeypatch.setattr(f"lightbulb_envs.sources.{place}", fail)
        for name in ("train", "encode"):
            monkeypatch.setattr(f"lightbulb_envs.subwords.SubwordVocabulary.{name}", fail)

    return forbid
