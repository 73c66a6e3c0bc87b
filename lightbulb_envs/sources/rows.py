"""Rows of real text, where they come from, and what makes a row a document.

A row is a JSON object or a row of a table. For summaries it has an article and a summary: an
article may also be a list of sentences, and a summary a list or one sentence a line. For labels it
has a text, which may be a list of chunks, and a label.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

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


class Form(Protocol):
    """What a row must have to be a document."""

    text: ClassVar[str]
    """Name of the field that is read."""
    told: ClassVar[str]
    """Name of the field with what is told of it."""

    def sentences(self, text: Any) -> tuple[str, ...]:
        """Returns the sentences of a text; BadRowError if it has no word."""

    def reference(self, told: Any) -> tuple[str, ...]:
        """Returns what is told, as lines; BadRowError if that is none."""


@dataclass(frozen=True)
class Summarised:
    """An article and its summary."""

    text: ClassVar[str] = "article"
    told: ClassVar[str] = "summary"

    def sentences(self, text: Any) -> tuple[str, ...]:
        return _sentences(text, "article", split_sentences)

    def reference(self, told: Any) -> tuple[str, ...]:
        return _sentences(told, "summary", str.splitlines)


@dataclass(frozen=True)
class Labelled:
    """A text, cut into chunks of so many words or else into sentences, and its label."""

    text: ClassVar[str] = "text"
    told: ClassVar[str] = "label"
    chunk_words: int | None = None
    labels: tuple[str, ...] = ()
    """The labels that there may be; () for any."""

    def sentences(self, text: Any) -> tuple[str, ...]:
        return _sentences(text, "text", self._chunks)

    def _chunks(self, text: str) -> list[str]:
        if self.chunk_words is None:
            return split_sentences(text)
        words = text.split()
        starts = range(0, len(words), self.chunk_words)
        chunks = [words[start : start + self.chunk_words] for start in starts]
        return [" ".join(chunk) for chunk in chunks]

    def reference(self, told: Any) -> tuple[str, ...]:
        if isinstance(told, bool) or not isinstance(told, (str, int)):
            raise BadRowError(
                f"the label must be a string or an integer, got {type(told).__name__}"
            )
        label = " ".join(str(told).split())
        _check_text(label, "label")
        if not label:
            raise BadRowError("the label is empty")
        if self.labels and label not in self.labels:
            raise BadRowError(f"the label must be one of {', '.join(self.labels)}, got {label!r}")
        return (label,)


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
    form: Form,
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
                row = _read_row(origin.parse(raw), index, number, fields, form, split)
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
    row: dict[str, Any],
    origin: int,
    number: int,
    fields: Mapping[str, str],
    form: Form,
    split: str | None,
) -> Row | None:
    """Returns a row as a document, or None when it is of another split."""
    if split is not None and _field(row, "split", fields) != split:
        return None
    name = _field(row, "id", fields) if "id" in fields else row.get("id")
    text = _field(row, form.text, fields)
    told = _field(row, form.told, fields)
    _check_text(str(name), "id")
    return Row(
        origin=origin,
        number=number,
        id=None if name is None else str(name),
        sentences=form.sentences(text),
        reference=form.reference(told),
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
    """Returns the sentences of a text; BadRowError if it has no word."""
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
