"""Entries of the cache: whole or rebuilt, safe between processes, never in the way of opening."""

import errno
import json
import multiprocessing
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from lightbulb_envs.sources.text_cache import cache_folder, entry_key, load_entry, store_entry

ARRAYS = {
    "bytes": np.arange(7, dtype=np.uint8),
    "none": np.zeros(0, dtype=np.int32),
    "numbers": np.array([-1, 2**31 - 1, 5], dtype=np.int32),
    "claims": np.array([True, False]),
    "long": np.array([2**62], dtype=np.int64),
}
KEY = entry_key("test")


def _damage_is_told_and_mended(path: Path) -> None:
    with pytest.warns(
        UserWarning, match=f"{path.name} is no whole entry .*: it is rebuilt"
    ) as told:
        assert load_entry(KEY) is None
    assert len(told) == 1
    store_entry(KEY, ARRAYS)
    assert load_entry(KEY) is not None


def test_arrays_come_back_as_they_were(cache):
    assert load_entry(KEY) is None
    store_entry(KEY, ARRAYS)
    loaded = load_entry(KEY)
    assert list(loaded) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert loaded[name].dtype == array.dtype
        assert loaded[name].flags.aligned
        np.testing.assert_array_equal(loaded[name], array)


def test_a_file_cut_short_at_any_length_is_rebuilt(cache):
    store_entry(KEY, ARRAYS)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        _damage_is_told_and_mended(path)
    path.write_bytes(whole + b"\0")
    _damage_is_told_and_mended(path)


def test_a_file_with_any_byte_flipped_is_rebuilt(cache):
    store_entry(KEY, ARRAYS)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        _damage_is_told_and_mended(path)


def test_the_entry_of_another_key_is_none(cache):
    store_entry(KEY, ARRAYS)
    (path,) = cache.iterdir()
    store_entry(entry_key("other"), ARRAYS)
    (other,) = set(cache.iterdir()) - {path}
    other.replace(path)
    with pytest.warns(UserWarning, match="the entry of another key"):
        assert load_entry(KEY) is None


def test_a_damaged_entry_opens_as_if_there_were_none(news_file, cache, reopen, everything):
    first = everything(reopen(f"jsonl:{news_file}"))
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    for damaged in (
        b"",
        b"PK\3\4 another format",
        whole[:500],
        whole[:-1],
        whole[:9000] + whole[9001:],
    ):
        path.write_bytes(damaged)
        with pytest.warns(UserWarning, match=f"{path.name} is no whole entry") as told:
            assert everything(reopen(f"jsonl:{news_file}")) == first
        assert len(told) == 1
        assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_told_and_opening_goes_on(
    news_file, tmp_path, monkeypatch, reopen
):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    for folder in (blocked, blocked / "below"):
        monkeypatch.setenv("LIGHTBULB_CACHE", str(folder))
        with pytest.warns(
            UserWarning, match=f"cannot be kept in {folder} .*LIGHTBULB_CACHE=off"
        ) as told:
            assert reopen(f"jsonl:{news_file}").num_documents == 12
        assert len(told) == 1


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_is_told_and_leaves_nothing_behind(news_file, cache, monkeypatch, reopen, step):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(step, full)
    with pytest.warns(UserWarning, match="No space left on device"):
        assert reopen(f"jsonl:{news_file}").num_documents == 12
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("off", ["off", ""])
def test_a_cache_that_is_off_writes_nothing(news_file, tmp_path, monkeypatch, reopen, off):
    before = sorted(tmp_path.rglob("*"))
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("LIGHTBULB_CACHE", off)
    monkeypatch.chdir(tmp_path)
    reopen(f"jsonl:{news_file}")
    assert sorted(tmp_path.rglob("*")) == before


def test_the_folder_is_the_named_one_or_where_caches_are(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setenv("LIGHTBULB_CACHE", "~/here")
    assert cache_folder() == Path("/home/someone/here")
    monkeypatch.delenv("LIGHTBULB_CACHE")
    assert cache_folder() == Path("/caches/lightbulb")
    for ignored in ("relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_folder() == Path("/home/someone/.cache/lightbulb")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/someone/.cache/lightbulb")


def test_a_machine_without_a_home_is_told(news_file, monkeypatch, reopen):
    def homeless(_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    for name in ("LIGHTBULB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.warns(UserWarning, match="cannot be kept in ~/.cache/lightbulb") as told:
        assert reopen(f"jsonl:{news_file}").num_documents == 12
    assert len(told) == 1


def _open_rounds(folder, barrier, answers):
    """Opens every round's file at the same moment as the other process."""
    from lightbulb_envs.sources.source import SourceConfig, open_source

    warnings.simplefilter("error")
    seen = []
    for path in sorted(Path(folder).glob("*.jsonl")):
        barrier.wait(timeout=60)
        source = open_source(SourceConfig(source=f"jsonl:{path}"))
        batch = source.batch(np.arange(source.num_documents))
        seen.append((source.digest, source.vocabulary.digest, batch.tokens.tobytes()))
    answers.put(seen)


def test_two_processes_may_open_the_same_text_at_once(write_jsonl, cache, tmp_path):
    rounds = 6
    for number in range(rounds):
        rows = [{"article": f"Text {number} of {row}. " * 20, "summary": "x"} for row in range(50)]
        write_jsonl(rows, f"{number}.jsonl")
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(2), spawn.Queue()
    workers = [
        spawn.Process(target=_open_rounds, args=(tmp_path, barrier, answers)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    seen = [answers.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert seen[0] == seen[1]
    assert len(seen[0]) == rounds
    assert len(list(cache.iterdir())) == rounds
    for path in cache.iterdir():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert load_entry(path.stem) is not None


def test_a_key_tells_what_decides(cache):
    assert entry_key({"a": 1, "b": [2]}) == entry_key(json.loads('{"b": [2], "a": 1}'))
    assert entry_key({"a": 1}) != entry_key({"a": "1"})
