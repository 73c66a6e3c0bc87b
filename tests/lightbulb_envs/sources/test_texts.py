"""Real text is the same with a cold cache, a warm one and none, and is worked on once."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.sources import texts
from lightbulb_envs.sources.source import SourceConfig, open_source

WORDS = st.sampled_from(
    "the town opened a bridge. naïve “Ω” 漢字 [pad] \U0001f642! 5,000 Dr. \n".split(" ")
)
TEXTS = st.lists(WORDS, max_size=25).map(" ".join)
ROWS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"article": st.one_of(TEXTS, st.lists(TEXTS)), "summary": TEXTS},
            optional={"id": st.one_of(st.none(), st.integers(), st.just(""), st.text())},
        ).map(json.dumps),
        st.sampled_from(["nonsense", "", "[1]", '{"article": 5, "summary": "x"}']),
    ),
    max_size=8,
)
GOOD = '{"article": "The town opened a bridge. It cost 5,000.", "summary": "A bridge."}'


@given(train=ROWS, test=ROWS, split=st.sampled_from(["train", "test"]), cut=st.integers(1, 3))
@pytest.mark.filterwarnings("ignore:left out", "ignore:.* have an id")
def test_cold_warm_and_no_cache_give_the_same(everything, train, test, split, cut):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        parts = {"train": train, "test": test}
        for name, rows in parts.items():
            Path(folder, name).write_text("\n".join([*rows, GOOD]), encoding="utf-8")
        config = SourceConfig(
            source={name: f"jsonl:{folder}/{name}" for name in parts},
            split=split,
            on_error="skip",
            max_sentences=cut,
            max_tokens=2 * cut,
        )
        seen = []
        for cache in ("off", f"{folder}/cache", f"{folder}/cache"):
            patch.setenv("LIGHTBULB_CACHE", cache)
            texts._open.cache_clear()
            seen.append(everything(open_source(config)))
        assert len(list(Path(folder, "cache").iterdir())) == 1
        assert seen[0] == seen[1] == seen[2]


def test_text_that_was_opened_before_is_not_worked_on_again(
    news_file, cache, reopen, everything, no_work
):
    first = everything(reopen(f"jsonl:{news_file}"))
    assert len(list(cache.iterdir())) == 1
    no_work()
    assert everything(reopen(f"jsonl:{news_file}")) == first
    with pytest.raises(AssertionError, match="worked on again"):
        reopen(f"jsonl:{news_file}[:3]")


def test_rows_that_move_are_known_and_named_by_their_new_place(
    write_jsonl, cache, tmp_path, reopen, no_work
):
    rows = [{"article": "One.", "summary": "One."}, "nonsense"]
    old = write_jsonl(rows, "old.jsonl")
    with pytest.warns(UserWarning, match=r"old\.jsonl, line 2: not JSON"):
        digest = reopen(f"jsonl:{old}", on_error="skip").digest
    new = tmp_path / "new.jsonl"
    shutil.move(old, new)
    os.utime(new, ns=(0, 0))
    no_work()
    with pytest.warns(UserWarning, match=r"new\.jsonl, line 2: not JSON"):
        moved = reopen(f"jsonl:{new}", on_error="skip")
    assert moved.document(0).id == f"{new}, line 1"
    assert moved.report().skipped[0].startswith(f"{new}, line 2")
    assert moved.digest == digest


def test_whatever_decides_the_result_is_part_of_the_key(
    write_jsonl, cache, tmp_path, reopen, monkeypatch
):
    row = {"article": "One two. Three.", "summary": "Two.", "text": "Four five.", "split": "train"}
    path = write_jsonl([row, row])
    other = write_jsonl([{**row, "article": "Quite another."}], "other.jsonl")
    place = f"jsonl:{path}"
    reopen(place).vocabulary.save(tmp_path / "one.json")
    reopen(f"jsonl:{other}").vocabulary.save(tmp_path / "two.json")
    settings = [
        {"source": [place, place]},
        {"source": f"{place}[:1]"},
        {"source": f"{place}[1:]"},
        {"source": {"train": f"jsonl:{other}", "test": place}, "split": "test"},
        {"source": place, "fields": {"article": "text"}},
        {"source": place, "fields": {"split": "split"}},
        {"source": place, "on_error": "skip"},
        {"source": place, "max_sentences": 1},
        {"source": place, "max_tokens": 1},
        {"source": place, "tokenizer": str(tmp_path / "one.json")},
        {"source": place, "tokenizer": str(tmp_path / "two.json")},
    ]
    entries = 2
    for chosen in settings:
        for _ in range(2):
            reopen(**chosen)
        entries += 1
        assert len(list(cache.iterdir())) == entries, chosen
    for name, value in (("VERSION", 0), ("TRAINED_SIZE", 300), ("_version", lambda library: "7")):
        monkeypatch.setattr(texts, name, value)
        reopen(place)
        entries += 1
        assert len(list(cache.iterdir())) == entries, name


def test_a_digest_tells_texts_and_their_order_and_nothing_else(write_jsonl, reopen):
    one = {"id": 1, "article": "One two. Three.", "summary": "Two."}
    two = {"id": 2, "article": "Four five. Six.", "summary": "Five."}
    path = f"jsonl:{write_jsonl([one, two])}"
    digest = reopen(path).digest
    again = write_jsonl([{**two, "id": 7}, "", one, two], "again.jsonl")
    assert reopen(f"jsonl:{again}[1:]").digest == digest
    assert reopen(path, max_sentences=1, max_tokens=1).digest == digest
    apart = [
        [two, one],
        [one],
        [{**one, "article": "One two. Three?"}, two],
        [{**one, "summary": "Two.\nFive."}, two],
        [{**one, "article": ["One two. Three."]}, two],
        [{**one, "summary": "Two.\nFive."}, {**two, "summary": "x"}],
    ]
    digests = {reopen(f"jsonl:{write_jsonl(rows, 'apart.jsonl')}").digest for rows in apart}
    assert len(digests | {digest}) == len(apart) + 1


def test_what_rows_become_changes_only_with_the_version_of_the_cache(news_file, reopen):
    source = reopen(f"jsonl:{news_file}")
    batch = source.batch(np.arange(12))
    hasher = hashlib.blake2b(digest_size=8)
    for array in (batch.num_sentences, batch.tokens, batch.words, batch.reference_words):
        hasher.update(array.tobytes())
    assert texts.VERSION == 2, "a new version has digests of its own"
    assert source.digest == "ca2cc26b9d53f4dc0123651586c66955"
    assert hasher.hexdigest() == "0633fa07edd13a86"
