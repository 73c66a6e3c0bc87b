"""Data sets of the hub, as copies on disk in their layouts, and what is asked of the library."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.utils
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lightbulb_envs.sources.source import SourceConfig, open_source

COMMIT = "96df5e686bee6baa90b8bee7c28b81fa3fa6223d"
SIZES = {"train": 12, "validation": 4, "test": 5}


def _cnn_dailymail(split: str, number: int) -> dict[str, Any]:
    return {
        "article": f"(CNN)The {split} town {number} has a bridge. It cost {number} dollars.",
        "highlights": f"Bridge {number} opens .\nIt cost a lot .",
        "id": f"{split}{number}",
    }


def _xsum(split: str, number: int) -> dict[str, Any]:
    return {
        "document": f"The {split} town {number}\nhas a bridge. It cost {number} dollars.",
        "summary": f"A {split} bridge {number} opened.",
        "id": f"{split}{number}",
    }


def _multi_news(split: str, number: int) -> dict[str, Any]:
    return {
        "document": f"The {split} bridge {number} \n \n opened ||||| A second report. Its end.",
        "summary": f"– A bridge {number} opened. It was late.",
    }


DATA_SETS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "cnn_dailymail": _cnn_dailymail,
    "xsum": _xsum,
    "multi_news": _multi_news,
}


@pytest.fixture(params=["parquet", "jsonl", "csv"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[..., Path]:
    """Writes a data set's folder, one file a split, in the layout of the hub."""

    def write(name: str, form: str = "parquet", sizes: dict[str, int] = SIZES) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for split, size in sizes.items():
            table = pa.Table.from_pylist([DATA_SETS[name](split, row) for row in range(size)])
            path = folder / f"{split}-00000-of-00001.{form}"
            if form == "parquet":
                pq.write_table(table, path)
            elif form == "csv":
                table.to_pandas().to_csv(path, index=False)
            else:
                lines = [json.dumps(row) for row in table.to_pylist()]
                path.write_text("\n".join(lines), encoding="utf-8")
        return folder

    return write


class _FakeRows:
    """Rows of a data set that counts how many are read."""

    def __init__(self, rows: list[dict[str, Any]]):
        self._rows = rows
        self.read = 0

    def skip(self, count: int) -> "_FakeRows":
        self._rows = self._rows[count:]
        return self

    def __iter__(self) -> Any:
        for row in self._rows:
            self.read += 1
            yield row


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `load_dataset` was called with, when the hub holds a thousand rows."""
    calls: list[dict[str, Any]] = []

    def load_dataset(path: str, **settings: Any) -> _FakeRows:
        told = _FakeRows([_cnn_dailymail(settings["split"], row) for row in range(1000)])
        calls.append({"path": path, **settings, "rows": told})
        return told

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return calls


def test_the_three_data_sets_are_read_by_their_names(copy, form, reopen):
    source = reopen(f"hub:{copy('cnn_dailymail', form)}", split="test")
    assert source.num_documents == 5
    document = source.document(3)
    assert document.id == "test3"
    assert document.sentences == ("(CNN)The test town 3 has a bridge.", "It cost 3 dollars.")
    assert document.reference == ("Bridge 3 opens .", "It cost a lot .")
    document = reopen(f"hub:{copy('xsum', form)}[:1]").document(0)
    assert document.id == "train0"
    assert document.sentences == ("The train town 0", "has a bridge.", "It cost 0 dollars.")
    assert document.reference == ("A train bridge 0 opened.",)
    folder = copy("multi_news", form)
    source = reopen(f"hub:{folder}", split="validation")
    assert source.document(2).id == f"{folder}, split validation, row 2"
    assert source.document(2).sentences == (
        "The validation bridge 2",
        "opened",
        "A second report.",
        "Its end.",
    )
    assert source.document(2).reference == ("A bridge 2 opened.", "It was late.")


def test_forms_of_one_data_set_hold_the_same_documents(copy, reopen):
    digests = set()
    for form in ("parquet", "jsonl", "csv"):
        folder = copy("xsum", form)
        digests.add(reopen(f"hub:{folder}").digest)
        for path in folder.iterdir():
            path.unlink()
    assert len(digests) == 1


def test_ranges_and_splits_choose_rows(copy, reopen):
    place = f"hub:{copy('xsum')}"

    def ids(source: Any, **settings: Any) -> list[str]:
        opened = reopen(source, **settings)
        return [opened.document(row).id for row in range(opened.num_documents)]

    assert ids(f"{place}[2:4]") == ["train2", "train3"]
    assert ids(f"{place}[10:]") == ["train10", "train11"]
    assert ids(f"{place}[:2]", split="test") == ["test0", "test1"]
    assert ids(f"{place}[validation][3:]") == ["validation3"]
    assert ids(f"{place}[test][:1]", split="test") == ["test0"]
    assert ids([f"{place}[:1]", f"{place}[test][4:]"]) == ["train0", "test4"]
    parts = {"train": f"{place}[:9]", "validation": f"{place}[train][9:]", "ood": f"{place}[test]"}
    assert ids(parts, split="validation") == ["train9", "train10", "train11"]
    assert len(ids(parts, split="ood")) == 5
    assert ids({"test": f"{place}[:1]"}, split="test") == ["test0"]


def test_the_vocabulary_is_learnt_from_the_same_range_of_train(copy, reopen):
    place = f"hub:{copy('xsum')}"
    train = reopen(f"{place}[:3]").vocabulary.digest
    assert reopen(f"{place}[:3]", split="test").vocabulary.digest == train
    assert reopen({"test": f"{place}[:3]"}, split="test").vocabulary.digest == train
    assert reopen(f"{place}[test][:3]").vocabulary.digest != train
    assert reopen(place, split="test").vocabulary.digest != train


def test_rows_after_the_range_are_not_read(copy, reopen):
    folder = copy("xsum")
    (folder / "train-00000-of-00001.parquet").rename(folder / "train-00000-of-00002.parquet")
    (folder / "train-00001-of-00002.parquet").write_bytes(b"no Parquet at all")
    assert reopen(f"hub:{folder}[2:12]").num_documents == 10
    with pytest.raises(ValueError, match="the datasets library cannot read it"):
        reopen(f"hub:{folder}[2:13]")


def test_a_name_of_the_hub_is_streamed_at_its_commit(asked, cache, reopen):
    place = f"hub:abisee/cnn_dailymail:3.0.0@{COMMIT}[10:15]"
    source = reopen(place, split="validation")
    assert source.document(1).id == "validation11"
    assert [call["split"] for call in asked] == ["validation", "train"]
    for call in asked:
        assert call["path"] == "abisee/cnn_dailymail"
        assert call["name"] == "3.0.0"
        assert call["revision"] == COMMIT
        assert call["streaming"] is True
        assert call["rows"].read == 5
    reopen(f"hub:EdinburghNLP/plain@{COMMIT}[:1]", fields={"summary": "highlights"})
    assert asked[-1]["name"] is None


def test_a_commit_that_was_tokenised_before_needs_no_hub(asked, cache, reopen, everything, no_work):
    place = f"hub:abisee/cnn_dailymail@{COMMIT}[:5]"
    first = everything(reopen(place))
    no_work()
    count = len(asked)
    assert everything(reopen(place)) == first
    assert len(asked) == count
    with pytest.raises(AssertionError, match="worked on again"):
        reopen(place.replace(COMMIT, COMMIT[::-1]))


def test_a_folder_that_was_tokenised_before_is_known_wherever_it_is(
    copy, cache, reopen, no_work, tmp_path
):
    folder = copy("multi_news")
    digest = reopen(f"hub:{folder}").digest
    no_work()
    moved = folder.rename(tmp_path / "elsewhere").rename(tmp_path / "Multi_News")
    assert reopen(f"hub:{moved}").digest == digest
    assert reopen(f"hub:{moved}").document(0).id == f"{moved}, split train, row 0"


def test_a_folder_that_changes_is_read_again(copy):
    place = f"hub:{copy('xsum', sizes={'train': 2})}"
    assert open_source(SourceConfig(source=place)).num_documents == 2
    copy("xsum", sizes={"train": 3})
    assert open_source(SourceConfig(source=place)).num_documents == 3


def test_fields_say_where_documents_are(copy, reopen):
    folder = copy("cnn_dailymail").rename(copy("cnn_dailymail").parent / "my_news")
    with pytest.raises(
        ValueError, match=r"no column 'summary' .* only 'article', 'highlights', 'id'"
    ):
        reopen(f"hub:{folder}")
    assert reopen(f"hub:{folder}", fields={"summary": "highlights"}).document(0).id == "train0"
    swapped = {"article": "highlights", "summary": "id"}
    assert reopen(f"hub:{folder}", fields=swapped).document(0).reference == ("train0",)
    with pytest.raises(ValueError, match="no column 'key' for the id"):
        reopen(f"hub:{folder}", fields={"summary": "highlights", "id": "key"})


def test_a_bad_row_is_named_by_data_set_split_and_number(tmp_path, reopen):
    folder = tmp_path / "xsum"
    folder.mkdir()
    good = {"document": "A town. Two.", "summary": "A town."}
    rows = [good, {**good, "document": None}, good, {**good, "summary": "..."}]
    pq.write_table(pa.Table.from_pylist(rows), folder / "train.parquet")
    with pytest.raises(ValueError, match=f"{folder}, split train, row 1: the article must be"):
        reopen(f"hub:{folder}")
    for _ in range(2):
        with pytest.warns(UserWarning, match="left out 1 bad rows .*xsum, split train, the first"):
            source = reopen(f"hub:{folder}[2:]", on_error="skip")
        assert source.num_documents == 1
        assert source.report().skipped == (
            f"{folder}, split train, row 3: the summary has no words",
        )


def test_tokens_of_sentences_are_theirs(copy, reopen):
    source = reopen(f"hub:{copy('multi_news')}")
    batch = source.batch(np.arange(3))
    texts = [source.vocabulary.decode(row.tolist()) for row in batch.tokens[1]]
    assert tuple(texts[: batch.num_sentences[1]]) == source.document(1).sentences


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("hub:abisee/cnn_dailymail", {}, "needs its commit, 40 digits .* documents must stay"),
        (
            "hub:abisee/cnn_dailymail:3.0.0@main",
            {},
            "got 'main': .*hub:abisee/cnn_dailymail:3.0.0@",
        ),
        (f"hub:xsum@{COMMIT[:-1]}", {}, "needs its commit"),
        (f"hub:{{folder}}@{COMMIT}", {}, "a folder has no commit: leave out '@96df"),
        (f"hub:{{folder}}:default@{COMMIT}", {}, "a folder has no commit"),
        ("hub:./nowhere", {}, "neither a folder here nor a name of the hub"),
        ("hub:{folder}/train-00000-of-00001.parquet", {}, "a single file is read by jsonl:FILE"),
        ("hub:", {}, "neither a folder here nor a name"),
        ("hub:{folder}[1:2:3]", {}, "is written hub:NAME:CONFIG@COMMIT"),
        ("hub:{folder}[-5:]", {}, "is written hub:NAME:CONFIG@COMMIT"),
        ("hub:{folder}[5:5]", {}, "no document in"),
        ("hub:{folder}[dev]", {}, r"Available splits: \['train', 'validation', 'test'\].*brackets"),
        ("hub:{folder}:large", {}, r"Available: \['default'\].* after a colon"),
        ("hub:{empty}", {}, "must hold Parquet, JSON lines or CSV"),
        (f"hub:abisee/cnn_dailymail@{COMMIT}", {}, "HF_HUB_OFFLINE is not set; or download a copy"),
        ("hub:{folder}", {"split": "ood"}, r"split='ood', .*\"ood\": \"hub:...\[SPLIT\]\""),
        ({"heldout": "hub:{folder}"}, {"split": "heldout"}, "the 'heldout' of source names no"),
        ("hub:{folder}[test]", {"split": "validation"}, "and split='validation' another"),
        ("hub:{folder}", {"fields": {"split": "part"}}, "there are id, article, summary"),
        ("hub:{folder}", {"on_error": "ignore"}, 'must be "raise" or "skip"'),
        (
            {"train": "jsonl:x", "test": "hub:{folder}"},
            {"split": "test"},
            "mixes 'jsonl' and 'hub'",
        ),
    ],
)
def test_bad_places_are_refused_with_what_to_do(copy, tmp_path, source, settings, message, reopen):
    folder = str(copy("xsum"))
    (tmp_path / "empty").mkdir()
    told = json.dumps(source).replace("{folder}", folder).replace("{empty}", f"{tmp_path}/empty")
    with pytest.raises(ValueError, match=message):
        reopen(json.loads(told), **settings)


def test_a_data_set_without_train_says_what_the_vocabulary_needs(copy, reopen):
    folder = copy("xsum", sizes={"test": 5})
    with pytest.raises(ValueError, match="split train: .* the vocabulary is learnt from train"):
        reopen(f"hub:{folder}", split="test")
    assert reopen(f"hub:{folder}[test]").num_documents == 5


def test_without_the_library_the_error_names_the_extra(copy, monkeypatch, reopen):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'lightbulb\[data\]'"):
        reopen(f"hub:{copy('xsum')}")


def test_opening_is_silent_and_writes_to_no_home(copy, tmp_path):
    code = (
        "import sys, lightbulb_envs; assert 'datasets' not in sys.modules;"
        "from lightbulb_envs.sources.source import SourceConfig, open_source;"
        f"open_source(SourceConfig(source='hub:{copy('xsum')}'));"
        "assert 'datasets' in sys.modules"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "LIGHTBULB_CACHE": "off", "PATH": ""}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("", "")
    assert list(home.iterdir()) == []


def test_progress_bars_are_as_they_were_after_opening(copy, reopen):
    before = [library.are_progress_bars_disabled() for library in (datasets, huggingface_hub.utils)]
    reopen(f"hub:{copy('xsum')}")
    after = [library.are_progress_bars_disabled() for library in (datasets, huggingface_hub.utils)]
    assert after == before
