"""Rows of real text, where they come from, and what makes a row a document.

A row is a JSON object or a row of a table, with an article and a summary. An article may also be
a list of sentences, and a summary a list or one sentence a line.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lightbulb_envs.sources.sentences import split_sentences
from lightbulb_envs.words import split_words


class BadRowError(ValueError):
    """A row that is no document; the message that users see names its place and number."""


@dataclass(frozen=True)
class Reading:
    """The rows of an origin."""

    digest: str
    """Equal digests, equal rows: a hash of the rows, or of what names them for ever."""
    rows: Iterable[tuple[int, Any]]
    """Number and content of each, as the origin's `parse` takes it; to be read once."""


class Origin(Protocol):
    """Where numbered rows come from: a range of a file, or of a split of a data set. Hashable."""

    @property
    def place(self) -> str:
        """The place as the user wrote it."""

    @property
    def name(self) -> str:
        """The file or data set, for messages."""

    def stamp(self) -> object:
        """Returns something that is another when the rows may be others; cheap, for a process."""

    def where(self, number: int) -> str:
        """Returns the name of a row."""

    def read(self) -> Reading:
        """Returns the rows; ValueError when the place cannot be read."""

    def parse(self, raw: Any) -> dict[str, Any]:
        """Returns a row's fields; BadRowError, without its place, when there are none."""


@dataclass(frozen=True)
class Row:
    """A row that is a document."""

    origin: int
    """Which of the source's origins it is from."""
    number: int
    id: str | None
    """Its own id, None if it has none."""
    sentences: tuple[str, ...]
    reference: tuple[str, ...]


@dataclass(frozen=True)
class Skipped:
    """A row that is no document and was left out."""

    origin: int
    number: int
    reason: str


def read_rows(
    origins: Iterable[tuple[int, Origin, Reading]],
    fields: Mapping[str, str],
    split: str | None,
    on_error: str,
) -> tuple[list[Row], list[Skipped]]:
    """Returns the documents of numbered origins in order, and the rows left out.

    Raises:
        BadRowError: the first bad row, unless `on_error` is "skip".
    """
    rows: list[Row] = []
    skipped: list[Skipped] = []
    for index, origin, reading in origins:
        for number, raw in reading.rows:
            try:
                row = _read_row(origin.parse(raw), index, number, fields, split)
            except BadRowError as error:
                if on_error == "raise":
                    raise BadRowError(
                        f"{origin.where(number)}: {error}; mend the row, or leave bad rows out "
                        'with on_error="skip"'
                    ) from error
                skipped.append(Skipped(index, number, str(error)))
                continue
            if row is not None:
                rows.append(row)
    return rows, skipped


def _read_row(
    row: dict[str, Any], origin: int, number: int, fields: Mapping[str, str], split: str | None
) -> Row | None:
    """Returns a row as a document, or None when it is of another split."""
    if split is not None and _field(row, "split", fields) != split:
        return None
    name = _field(row, "id", fields) if "id" in fields else row.get("id")
    article = _field(row, "article", fields)
    summary = _field(row, "summary", fields)
    _check_text(str(name), "id")
    return Row(
        origin=origin,
        number=number,
        id=None if name is None else str(name),
        sentences=_sentences(article, "article", split_sentences),
        reference=_sentences(summary, "summary", str.splitlines),
    )


def _field(row: dict[str, Any], name: str, fields: Mapping[str, str]) -> Any:
    column = fields.get(name, name)
    if column not in row:
        raise BadRowError(
            f"no field {column!r} for the {name}, only {', '.join(map(repr, row))}: "
            f'say where it is with fields={{"{name}": ...}}'
        )
    return row[column]


def _sentences(value: Any, name: str, split: Callable[[str], list[str]]) -> tuple[str, ...]:
    """Returns the sentences of an article or summary; BadRowError if it has no word."""
    parts = value if isinstance(value, list) else [value]
    for part in parts:
        if not isinstance(part, str):
            inside = "a list with " if isinstance(value, list) else ""
            raise BadRowError(
                f"the {name} must be a string or a list of strings, got "
                f"{inside}{type(part).__name__}"
            )
        _check_text(part, name)
    sentences = parts if isinstance(value, list) else split(value)
    trimmed = (" ".join(sentence.split()) for sentence in sentences)
    kept = tuple(sentence for sentence in trimmed if sentence)
    if not any(split_words(sentence) for sentence in kept):
        raise BadRowError(f"the {name} has no words")
    return kept


def _check_text(text: str, name: str) -> None:
    """Raises BadRowError when a text holds half a surrogate pair, which no file can."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRowError(
            f"the {name} is no text ({error.reason} at character {error.start})"
        ) from error
