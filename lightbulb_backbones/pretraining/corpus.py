"""Texts to learn from, by their places.

    PATH.jsonl, PATH.json             a text a line, in its field "text"
    any other file                    one text
    a folder                          its files, in the order of their names
    hub:NAME[:CONFIG][@COMMIT][SPLIT] a data set of the Hugging Face hub, streamed
    hub:FOLDER[:CONFIG][SPLIT]        a copy of one on disk: Parquet, JSON lines or CSV, streamed

as in `hub:wikimedia/wikipedia:20231101.en@<40 digits>`. Without [SPLIT] it is train.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HUB = "hub:"
_JSON = (".jsonl", ".json")
_PLACE = re.compile(
    r"^(?P<data>[^\[\]@:]+)(?::(?P<config>[^\[\]@]+))?(?:@(?P<commit>[0-9a-f]{40}))?"
    r"(?:\[(?P<split>[^\[\]]+)\])?$"
)


@dataclass(frozen=True)
class Texts:
    """Texts of files, which fit into memory."""

    files: tuple[Path, ...]
    field: str

    def __iter__(self) -> Iterator[str]:
        for file in self.files:
            if file.suffix in _JSON:
                yield from _lines(file, self.field)
            else:
                text = _read(file)
                if text:
                    yield text


@dataclass(frozen=True)
class Stream:
    """Texts of a data set, which are read as they are needed."""

    place: str
    field: str
    skip: int = 0
    """Rows at the beginning that are left out."""

    def open(self, state: Mapping[str, Any] | None = None) -> "OpenStream":
        """Begins to read, or goes on from a state."""
        return OpenStream(self, state)

    def first(self, rows: int) -> list[str]:
        """Returns the texts of the first rows."""
        found = (_text(row, self.field, self.place) for row in _load(self.place).take(rows))
        return [text for text in found if text]


class OpenStream:
    """Yields the texts of a stream for ever, from its beginning again after its end."""

    def __init__(self, stream: Stream, state: Mapping[str, Any] | None = None):
        self.stream = stream
        self._rows = self._load()
        self.count = 0
        """Texts that were read."""
        if state is not None:
            self._rows.load_state_dict(dict(state["rows"]))
            self.count = state["count"]
        self._texts = self._read(from_start=state is None)

    def __next__(self) -> str:
        text = next(self._texts)
        return next(self) if text is None else text

    def __iter__(self) -> Iterator[str]:
        return self

    def once(self) -> Iterator[str]:
        """Yields the texts up to the stream's end."""
        for text in self._texts:
            if text is None:
                return
            yield text

    def state(self) -> dict[str, Any]:
        """Returns where it is, as plain data."""
        return {"rows": self._rows.state_dict(), "count": self.count}

    def _load(self) -> Any:
        return _load(self.stream.place).skip(self.stream.skip)

    def _read(self, *, from_start: bool) -> Iterator[str | None]:
        """Yields texts, and None at every end of the stream."""
        while True:
            before = self.count
            for row in self._rows:
                text = _text(row, self.stream.field, self.stream.place)
                if text:
                    self.count += 1
                    yield text
            if from_start and self.count == before:
                behind = (
                    f" behind its first {self.stream.skip} rows, which are held out: name texts "
                    "with --validation, and none are"
                )
                raise ValueError(
                    f"{self.stream.place} holds no text{behind if self.stream.skip else ''}: there "
                    "is nothing to learn"
                )
            yield None
            from_start = True
            self._rows = self._load()  # one that went on would go on there again


def open_corpus(places: tuple[str, ...], field: str = "text") -> Texts | Stream:
    """Returns the texts of places.

    Raises:
        ValueError: a place is not there, or a data set of the hub stands beside others.
    """
    if not places:
        raise ValueError("no data: name files, folders or a hub: data set with --data")
    if any(place.startswith(_HUB) for place in places):
        if len(places) > 1:
            raise ValueError(
                f"one data set is streamed at a time, got {', '.join(places)}: name it alone"
            )
        return Stream(places[0], field)
    files: list[Path] = []
    for place in places:
        path = Path(place)
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.is_file())
            if not found:
                raise ValueError(f"{path} is an empty folder: name one that holds texts")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise ValueError(
                f"{place} is not there: name a file, a folder, or hub:NAME for a data set"
            )
    return Texts(tuple(files), field)


def _lines(file: Path, field: str) -> Iterator[str]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            place = f"{file}, line {number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8"))
            except UnicodeDecodeError as error:
                raise ValueError(f"{place} is no UTF-8 text: {error}") from error
            except json.JSONDecodeError as error:
                raise ValueError(f"{place}: no JSON: {error}") from error
            text = _text(row, field, place)
            if text:
                yield text


def _text(row: Any, field: str, where: str) -> str:
    if not isinstance(row, Mapping):
        raise ValueError(f"{where}: an object with a field {field!r} was expected, got {row!r}")
    text = row.get(field)
    if not isinstance(text, str):
        raise ValueError(
            f"{where}: no text in the field {field!r}, only {', '.join(map(str, row)) or 'nothing'}"
            ": name the field with --field"
        )
    return text


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no UTF-8 text: {error}") from error


def _load(place: str) -> Any:
    """Returns the rows of a data set, none of which is read yet."""
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            f"{place} needs the datasets library: pip install 'lightbulb[data]'"
        ) from error
    match = _PLACE.match(place.removeprefix(_HUB))
    if match is None:
        raise ValueError(
            f"{place!r} is no data set: write hub:NAME[:CONFIG][@COMMIT][SPLIT], with all 40 "
            "digits of the commit"
        )
    named = match.groupdict()
    path = named["data"]
    revision = {"revision": named["commit"]} if named["commit"] else {}
    if Path(path).is_dir():
        path = str(Path(path).resolve())
    try:
        return datasets.load_dataset(
            path, named["config"], split=named["split"] or "train", streaming=True, **revision
        )
    except Exception as error:  # the library raises all kinds
        raise ValueError(f"{place} cannot be opened: {error}") from error
