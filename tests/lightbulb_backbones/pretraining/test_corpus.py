"""Texts are found where they are said to be, and a stream goes on where it was."""

import itertools
import json
from dataclasses import replace

import pytest

from lightbulb_backbones.pretraining.corpus import Stream, open_corpus

TEXTS = [f"text {number}" for number in range(7)]


@pytest.fixture
def jsonl(tmp_path):
    """A folder of two files, as `datasets` reads it too."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for name, part in (("a", TEXTS[:4]), ("b", TEXTS[4:])):
        lines = [json.dumps({"text": text, "title": name}) for text in part]
        (folder / f"train-{name}.jsonl").write_text("\n".join(lines) + "\n\n")
    return folder


def test_files_are_read_in_order_a_text_a_line_or_one_a_file(jsonl, tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("one\n\ntext", encoding="utf-8")
    assert list(open_corpus((str(jsonl),))) == TEXTS
    assert list(open_corpus((str(plain), str(jsonl / "train-b.jsonl")))) == [
        "one\n\ntext",
        *TEXTS[4:],
    ]
    assert list(open_corpus((str(jsonl / "train-a.jsonl"),), "title")) == ["a"] * 4


@pytest.mark.parametrize("skip", [0, 3])
@pytest.mark.parametrize("read", range(0, 15, 2))
def test_a_stream_goes_on_where_it_was_and_begins_again_after_its_end(jsonl, read, skip):
    corpus = open_corpus((f"hub:{jsonl}",))
    assert isinstance(corpus, Stream)
    assert corpus.first(skip) == TEXTS[:skip]
    corpus = replace(corpus, skip=skip)
    opened = corpus.open()
    assert list(corpus.open().once()) == TEXTS[skip:]
    endless = list(itertools.islice(itertools.cycle(TEXTS[skip:]), read + 10))
    assert list(itertools.islice(opened, read)) == endless[:read]
    state = json.loads(json.dumps(opened.state()))
    assert list(itertools.islice(corpus.open(state), 10)) == endless[read:]
    assert list(itertools.islice(opened, 10)) == endless[read:]


def test_what_cannot_be_read_is_told_with_its_place(jsonl, tmp_path):
    with pytest.raises(ValueError, match="no data: name files"):
        open_corpus(())
    with pytest.raises(ValueError, match="missing.txt is not there"):
        open_corpus((str(tmp_path / "missing.txt"),))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="is an empty folder"):
        open_corpus((str(tmp_path / "empty"),))
    with pytest.raises(ValueError, match="one data set is streamed at a time"):
        open_corpus((f"hub:{jsonl}", str(jsonl)))
    with pytest.raises(ValueError, match=r"line 1: no text in the field 'body', only text, title"):
        list(open_corpus((str(jsonl),), "body"))
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "good"}\n{"text": \n')
    with pytest.raises(ValueError, match=r"bad.jsonl, line 2: no JSON"):
        list(open_corpus((str(bad),)))
    bad.write_text("[1]\n")
    with pytest.raises(ValueError, match="an object with a field 'text' was expected"):
        list(open_corpus((str(bad),)))
    bad.write_bytes(b'{"text": "good"}\r\n{"text": "caf\xe9"}\n')
    with pytest.raises(ValueError, match=r"bad.jsonl, line 2 is no UTF-8 text: .*0xe9"):
        list(open_corpus((str(bad),)))
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match=r"latin.txt is no UTF-8 text"):
        list(open_corpus((str(tmp_path / "latin.txt"),)))


def test_a_data_set_that_cannot_be_opened_is_told(tmp_path):
    for place, told in (
        ("hub:name@short", "write hub:NAME"),
        (f"hub:{tmp_path}", "cannot be opened"),
        ("hub:someone/nothing", "cannot be opened"),
    ):
        with pytest.raises(ValueError, match=told):
            next(open_corpus((place,)).open())


def test_a_data_set_without_text_is_told(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": ""}\n{"text": ""}\n')
    with pytest.raises(ValueError, match="holds no text"):
        next(open_corpus((f"hub:{tmp_path}",)).open())
