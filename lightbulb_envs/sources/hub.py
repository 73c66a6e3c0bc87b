"""Real text from data sets of the Hugging Face hub, through its `datasets` library.

    hub:NAME[:CONFIG]@COMMIT[SPLIT][FROM:TO]   a data set of the hub
    hub:FOLDER[:CONFIG][SPLIT][FROM:TO]        a copy on disk: Parquet, JSON lines or CSV

CONFIG and both brackets may be left out, as in `hub:EdinburghNLP/xsum@<40 digits>[:1000]` and
`hub:./copies/multi_news[validation]`. A name needs its commit in full, because names of branches
and tags move. Without [SPLIT] the environment's split is read, or train. The vocabulary is learnt
from the same range of train, or of [SPLIT]. Rows are streamed, none after the range.
"""

import contextlib
import gc
import hashlib
import itertools
import json
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightbulb_envs.sources.layouts import Layout, layout_of
from lightbulb_envs.sources.rows import Form, Reading
from lightbulb_envs.sources.source import Places, SourceConfig
from lightbulb_envs.sources.text_source import TextSource
from lightbulb_envs.sources.texts import check_settings, file_stamp, open_texts

SPLITS = ("train", "validation", "test")
"""The environment's splits that data sets have too."""
_WRITTEN = "hub:NAME:CONFIG@COMMIT[SPLIT][FROM:TO], or hub:FOLDER for a copy on disk"
_PLACE = re.compile(
    r"^(?P<data>[^\[\]]*)"
    r"(?:\[(?P<split>[^\[\]:]+)\])?"
    r"(?:\[(?P<start>\d*):(?P<stop>\d*)\])?$"
)
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def open_hub(config: SourceConfig, places: Places) -> TextSource:
    """Opens the data sets of a config."""
    form = config.row_form()
    check_settings(config, ("id", form.text, form.told))
    fields = tuple(sorted(config.fields.items()))
    for place in places.own:
        _check_split(place, config.split, is_by_split=places.is_by_split)
    own = tuple(_table(place, config.split or "train", form, fields) for place in places.own)
    training = tuple(_table(place, "train", form, fields) for place in places.training)
    return open_texts(config, own, training, form, {})


@dataclass(frozen=True)
class Table:
    """A range of one split of a data set. Rows are numbered from 0."""

    place: str
    path: str
    """Name on the hub, or folder."""
    config: str | None
    commit: str | None
    """None for a folder."""
    split: str
    start: int
    stop: int | None
    form: Form
    fields: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        config = f":{self.config}" if self.config else ""
        return f"{self.path}{config}, split {self.split}"

    @property
    def layout(self) -> Layout:
        return layout_of(self._last_name(), self.form)

    def stamp(self) -> object:
        if self.commit is not None:
            return self.commit
        return tuple(file_stamp(path) for path in sorted(Path(self.path).rglob("*")))

    def where(self, number: int) -> str:
        return f"{self.name}, row {number}"

    def read(self) -> Reading:
        read_as = [self._last_name(), self.fields]
        if self.commit is not None:  # it names the rows for ever, so that the cache spares the hub
            named = [self.path, self.config, self.commit, self.split, self.start, self.stop]
            digest = hashlib.blake2b(json.dumps(["hub", *read_as, *named]).encode())
            return Reading(digest.hexdigest(), self._rows())
        rows = list(self._rows())
        digest = hashlib.blake2b(json.dumps(["folder", *read_as]).encode())
        for row in rows:
            digest.update(json.dumps(row, default=repr).encode() + b"\n")
        return Reading(digest.hexdigest(), rows)

    def parse(self, raw: Any) -> dict[str, Any]:
        return self.layout.read(raw)

    def _last_name(self) -> str:
        path = Path(self.path)
        return (path.resolve() if self.commit is None else path).name.lower()

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields number and content of the rows in the range, under our names of the fields."""
        columns = {"id": "id"} | self.layout.columns() | dict(self.fields)
        for number, row in enumerate(_stream(self), start=self.start):
            if number == self.start:
                self._check_columns(columns, row)
            yield number, {name: row[one] for name, one in columns.items() if one in row}

    def _check_columns(self, columns: Mapping[str, str], row: Mapping[str, Any]) -> None:
        """Raises ValueError when the data set lacks a column that is needed or was named."""
        for name in (self.form.text, self.form.told, *dict(self.fields)):
            if columns[name] not in row:
                raise ValueError(
                    f"{self.name}: no column {columns[name]!r} for the {name}, only "
                    f"{', '.join(map(repr, row))}: say where it is with "
                    f'fields={{"{name}": ...}}'
                )


def _check_split(place: str, split: str | None, *, is_by_split: bool) -> None:
    """Raises ValueError when it cannot be told which split of a data set a place means."""
    named = _match(place)["split"]
    if named is None and split is not None and split not in SPLITS:
        example = f'source={{"train": "hub:...", "{split}": "hub:...[SPLIT]"}}'
        given = f"the {split!r} of source names no split" if is_by_split else f"split={split!r}"
        raise ValueError(
            f"{given}, and data sets of the hub have {', '.join(SPLITS)}: say which of them stands "
            f"for it, in brackets: {example}"
        )
    if named is not None and not is_by_split and split not in (None, named):
        raise ValueError(
            f"source names the split {named!r} in brackets, and split={split!r} another: leave one "
            'of them out, or give source={"train": "hub:...", "test": "hub:..."}'
        )


def _match(place: str) -> re.Match[str]:
    match = _PLACE.match(place)
    if match is None:
        raise ValueError(f"source has {place!r}, and a data set is written {_WRITTEN}")
    return match


def _table(place: str, split: str, form: Form, fields: tuple[tuple[str, str], ...]) -> Table:
    """Returns what a place names; `split` where it names none."""
    match = _match(place)
    path, config, commit = _data_set(match["data"])
    return Table(
        place=place,
        path=path,
        config=config,
        commit=commit,
        split=match["split"] or split,
        start=int(match["start"] or 0),
        stop=int(match["stop"]) if match["stop"] else None,
        form=form,
        fields=fields,
    )


def _data_set(text: str) -> tuple[str, str | None, str | None]:
    """Returns (name or folder, config, commit); the commit of a folder is None."""
    if text and Path(text).is_dir():
        return text, None, None
    named, at, commit = text.rpartition("@") if "@" in text else (text, "", "")
    folder, _, config = named.rpartition(":") if ":" in named else (named, "", "")
    if folder and Path(folder).is_dir():
        if at:
            raise ValueError(
                f"{folder!r} is a folder here, and a folder has no commit: leave out "
                f"{at + commit!r}, or, if you mean a data set of the hub, write its full name or "
                "start elsewhere"
            )
        return folder, config or None, None
    name, _, config = named.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"source names {name!r}, which is neither a folder here nor a name of the hub such as "
            f"EdinburghNLP/xsum: a data set is written {_WRITTEN}; a single file is read by "
            "jsonl:FILE"
        )
    if not _COMMIT.fullmatch(commit):
        came = f"got {commit!r}" if at else "got none (and there is no such folder here)"
        raise ValueError(
            f"the data set {name!r} needs its commit, 40 digits 0-9a-f, {came}: names of branches "
            "and tags move, and documents must stay the same; write "
            f"hub:{named}@COMMIT with one from https://huggingface.co/datasets/{name}/commits/main"
        )
    return name, config or None, commit


def _stream(table: Table) -> Iterator[dict[str, Any]]:
    """Yields the rows of a range as the library has them; ValueError when it fails."""
    datasets = _import_datasets()
    path = table.path if table.commit else str(Path(table.path).resolve())
    count = None if table.stop is None else max(table.stop - table.start, 0)
    # In its usual folder the library leaves locks, and finds other commits when it is offline.
    with tempfile.TemporaryDirectory() as folder, _no_progress_bars(datasets):
        with _explained(table):
            rows = datasets.load_dataset(
                path,
                name=table.config,
                split=table.split,
                revision=table.commit,
                streaming=True,
                cache_dir=folder,
            )
            rows = itertools.islice(rows.skip(table.start), count)
        try:
            while True:
                with _explained(table):
                    row = next(rows, None)
                if row is None:
                    return
                yield row
        finally:
            del rows
            if count is not None:
                _close_files()


def _close_files() -> None:
    """Closes the CSV files that the library leaves open, in a cycle, when it is stopped early."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextlib.contextmanager
def _explained(table: Table) -> Iterator[None]:
    """Makes every error of the library a ValueError that says what to do."""
    try:
        yield
    except Exception as error:  # it has errors of its own, of files, of networks and of formats
        said = " ".join(str(error).split())
        raise ValueError(
            f"{table.name}: the datasets library cannot read it "
            f"({type(error).__name__}: {said[:500]}): {_advice(error, table)}"
        ) from error


def _advice(error: Exception, table: Table) -> str:
    """Returns what to do about an error of the library."""
    said = str(error)
    if "Bad split" in said or "Unknown split" in said:
        return (
            "name a split that it has in brackets, hub:...[SPLIT]; the vocabulary is learnt from "
            "train, unless source= is a dict whose train names another split, or tokenizer= is "
            "given"
        )
    if "Config" in said:
        return f"write one of its configs after a colon, {table.path}:CONFIG"
    if table.commit is None:
        return "the folder must hold Parquet, JSON lines or CSV files that are named by split"
    return (
        "check name and commit, and that the hub can be reached and HF_HUB_OFFLINE is not set; "
        "or download a copy and name its folder, hub:FOLDER"
    )


@contextlib.contextmanager
def _no_progress_bars(datasets: Any) -> Iterator[None]:
    """Keeps the progress bars of both libraries of the hub from standard error."""
    from huggingface_hub import utils as hub

    with contextlib.ExitStack() as stack:
        for library in (datasets, hub):
            if not library.are_progress_bars_disabled():
                library.disable_progress_bars()
                stack.callback(library.enable_progress_bars)
        yield


def _import_datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            "source='hub:...' needs the datasets library: pip install 'lightbulb[data]'"
        ) from error
    return datasets
