"""Real text from JSON lines: one document a line, with an article and a summary.

    {"id": "a1", "article": "One sentence. Another one.", "summary": "What it says."}

An article may also be a list of sentences, and a summary a list or one sentence a line. Facts are
unknown, so rewards are made of ROUGE. Articles longer than the observation are cut to its first
`max_sentences` sentences; `report()` counts them.
"""

import codecs
import functools
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import NO_FACT, PADDING_WORD, Document, DocumentBatch
from lightbulb_envs.ragged import Ragged, pad
from lightbulb_envs.sources.retokenised import DEFAULT_TOKENS
from lightbulb_envs.sources.sentences import split_sentences
from lightbulb_envs.sources.source import Places, SourceConfig
from lightbulb_envs.subwords import SubwordVocabulary
from lightbulb_envs.words import WordNumbers, split_words, stem

DEFAULT_SENTENCES = 40
FIELDS = ("id", "article", "summary", "split")
_RANGE = re.compile(r"^(?P<path>.*)\[(?P<start>\d*):(?P<stop>\d*)\]$")


class BadRowError(ValueError):
    """A row that is no document; the message names its file and line."""


@dataclass(frozen=True)
class LoadReport:
    """What became of the rows of a source's files."""

    documents: int
    skipped: tuple[str, ...]
    """What was wrong with each row that was left out, with file and line; rows of the training
    files, from which the vocabulary was learnt, included."""
    cut_articles: int
    """Articles with more than `max_sentences` sentences."""
    cut_sentences: int
    """Sentences with more than `max_tokens` tokens."""


def open_jsonl(config: SourceConfig, places: Places) -> "JsonlSource":
    """Opens the files of a config; files that have not changed are read once a process."""
    unknown = [name for name in config.fields if name not in FIELDS]
    if unknown:
        raise ValueError(f"fields maps {unknown[0]!r}: there are {', '.join(FIELDS)}")
    if config.on_error not in ("raise", "skip"):
        raise ValueError(f'on_error must be "raise" or "skip", got {config.on_error!r}')
    for name, number in (
        ("max_sentences", config.max_sentences),
        ("max_tokens", config.max_tokens),
    ):
        if number is not None and number < 1:
            raise ValueError(f"{name} must be 1 or more, got {number}")
    if places.is_by_split and "split" in config.fields:
        raise ValueError(
            'source names the files of each split already: leave "split" out of fields, or name '
            "one file for all splits"
        )
    split = None if places.is_by_split else config.split
    if "split" in config.fields:
        split = config.split or "train"
    elif split is not None:
        raise ValueError(
            f"split={split!r} needs to know which rows those are: name the field of the rows, "
            'fields={"split": ...}, or the files of each split, '
            'source={"train": "jsonl:...", "test": "jsonl:..."}'
        )
    paths = {_file_of(place) for place in (*places.own, *places.training)}
    for path in sorted(paths):
        if not path:
            raise ValueError('source names no file: write it as in source="jsonl:news.jsonl"')
        if not Path(path).is_file():
            raise ValueError(f"source names {path!r}, which is no file")
    read = sorted(paths | ({config.tokenizer} if config.tokenizer else set()))
    stamps = tuple(
        (path, stat.st_mtime_ns, stat.st_size)
        for path in read
        if (stat := Path(path).stat() if Path(path).is_file() else None) is not None
    )
    source = _open(
        places,
        split,
        tuple(sorted(config.fields.items())),
        config.on_error,
        config.tokenizer,
        DEFAULT_SENTENCES if config.max_sentences is None else config.max_sentences,
        DEFAULT_TOKENS if config.max_tokens is None else config.max_tokens,
        stamps,
    )
    skipped = source.report().skipped
    if skipped:
        warnings.warn(
            f"left out {len(skipped)} bad rows of {', '.join(sorted(paths))}, "
            f"the first: {skipped[0]}",
            stacklevel=2,
        )
    return source


@functools.lru_cache(maxsize=8)
def _open(
    places: Places,
    split: str | None,
    fields: tuple[tuple[str, str], ...],
    on_error: str,
    tokenizer: str | None,
    max_sentences: int,
    max_tokens: int,
    _stamps: tuple[tuple[str, int, int], ...],
) -> "JsonlSource":
    rows, skipped = _read_all(places.own, dict(fields), split, on_error)
    if tokenizer is not None:
        vocabulary = SubwordVocabulary.load(tokenizer)
    else:
        learn_from = rows
        if places.training != places.own or split not in (None, "train"):
            learn_from, bad = _read_all(
                places.training, dict(fields), "train" if split else None, on_error
            )
            skipped += [message for message in bad if message not in skipped]
        vocabulary = SubwordVocabulary.train(
            sentence for row in learn_from for sentence in row.sentences
        )
    return JsonlSource(rows, skipped, vocabulary, max_sentences, max_tokens)


class JsonlSource:
    """Documents of files, held in memory flat; instance i is the i-th row that was kept."""

    has_facts = False

    def __init__(
        self,
        rows: list[Document],
        skipped: list[str],
        vocabulary: SubwordVocabulary,
        max_sentences: int,
        max_tokens: int,
    ):
        self.vocabulary = vocabulary
        self.num_documents: int | None = len(rows)
        self.max_sentences = max_sentences
        self.max_tokens = max_tokens
        self._rows = rows
        number = WordNumbers()
        kept = [sentence for row in rows for sentence in row.sentences[:max_sentences]]
        encoded = vocabulary.encode(kept)
        self._words = Ragged.of([number(word) for word in split_words(text)] for text in kept)
        self._tokens = Ragged.of(sentence[:max_tokens] for sentence in encoded)
        references = [sentence for row in rows for sentence in row.reference]
        self._reference = Ragged.of(
            [number(word) for word in split_words(text)] for text in references
        )
        self._word_texts = number.words()
        self._reference_length = np.array([len(row.reference) for row in rows], dtype=np.int64)
        length = np.array([len(row.sentences) for row in rows], dtype=np.int64)
        self._num_sentences = np.minimum(length, max_sentences)
        self._start = np.cumsum(self._num_sentences) - self._num_sentences
        self._reference_start = np.cumsum(self._reference_length) - self._reference_length
        self._report = LoadReport(
            documents=len(rows),
            skipped=tuple(skipped),
            cut_articles=int((length > max_sentences).sum()),
            cut_sentences=sum(len(sentence) > max_tokens for sentence in encoded),
        )

    def report(self) -> LoadReport:
        """Returns how many rows were read, left out and cut."""
        return self._report

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        chosen = np.asarray(instances, dtype=np.int64)
        count, sentences = len(chosen), self.max_sentences
        length, start = self._num_sentences[chosen], self._start[chosen]
        told, told_start = self._reference_length[chosen], self._reference_start[chosen]
        return DocumentBatch(
            instance=chosen,
            num_sentences=length,
            tokens=_rows(self._tokens, start, length, sentences, self.max_tokens, 0),
            words=_rows(self._words, start, length, sentences, None, PADDING_WORD),
            reference_words=_rows(
                self._reference, told_start, told, int(told.max(initial=1)), None, PADDING_WORD
            ),
            claims=np.full((count, sentences, 0), NO_FACT, dtype=np.int32),
            fact_weight=np.zeros((count, 0)),
            fact_is_key=np.zeros((count, 0), dtype=bool),
        )

    def document(self, instance: int) -> Document:
        return self._rows[instance]

    def stem_text(self, word: int) -> str:
        return stem(self._word_texts[word])


def _file_of(place: str) -> str:
    match = _RANGE.match(place)
    return match["path"] if match else place


def _read_all(
    places: tuple[str, ...], fields: Mapping[str, str], split: str | None, on_error: str
) -> tuple[list[Document], list[str]]:
    """Returns the documents of files in order, and what was wrong with the rows left out."""
    rows: list[Document] = []
    skipped: list[str] = []
    for place in places:
        for line, raw in _lines(place):
            try:
                row = _read_row(raw, f"{_file_of(place)}, line {line}", fields, split, len(rows))
            except BadRowError as error:
                if on_error == "raise":
                    raise
                skipped.append(str(error))
                continue
            if row is not None:
                rows.append(row)
    if not rows:
        wanted = f" with split {split!r}" if split else ""
        raise ValueError(f"no document{wanted} in {', '.join(places)}")
    return rows, skipped


def _lines(place: str) -> Iterator[tuple[int, bytes]]:
    """Yields (line number from 1, bytes) of a file's rows in a range; blank lines are none."""
    match = _RANGE.match(place)
    start = int(match["start"] or 0) if match else 0
    stop = int(match["stop"]) if match and match["stop"] else None
    row = 0
    with Path(_file_of(place)).open("rb") as file:
        for line, raw in enumerate(file, start=1):
            if line == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if not raw.strip():
                continue
            if stop is not None and row >= stop:
                return
            if row >= start:
                yield line, raw
            row += 1


def _read_row(
    raw: bytes, where: str, fields: Mapping[str, str], split: str | None, instance: int
) -> Document | None:
    """Returns the document of a row, or None when it is of another split."""
    try:
        row = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRowError(f"{where}: not UTF-8 ({error.reason} at byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise BadRowError(f"{where}: not JSON ({error.msg} at column {error.colno})") from error
    except (ValueError, RecursionError) as error:  # a number too long, brackets too deep
        raise BadRowError(f"{where}: not JSON that can be read ({error})") from error
    if not isinstance(row, dict):
        raise BadRowError(f"{where}: a row must be an object, got {type(row).__name__}")
    if split is not None:
        found = _field(row, "split", fields, where)
        if found != split:
            return None
    name = _field(row, "id", fields, where) if "id" in fields else row.get("id")
    article = _field(row, "article", fields, where)
    summary = _field(row, "summary", fields, where)
    _check_text(str(name), "id", where)
    return Document(
        id=str(name) if name is not None else where,
        instance=instance,
        sentences=_sentences(article, "article", where, split_sentences),
        reference=_sentences(summary, "summary", where, str.splitlines),
    )


def _field(row: dict[str, Any], name: str, fields: Mapping[str, str], where: str) -> Any:
    column = fields.get(name, name)
    if column not in row:
        raise BadRowError(
            f"{where}: no field {column!r} for the {name}, only {', '.join(map(repr, row))}: "
            f'say where it is with fields={{"{name}": ...}}'
        )
    return row[column]


def _sentences(value: Any, name: str, where: str, split: Any) -> tuple[str, ...]:
    """Returns the sentences of an article or summary; BadRowError if it has no word."""
    parts = value if isinstance(value, list) else [value]
    for part in parts:
        if not isinstance(part, str):
            inside = "a list with " if isinstance(value, list) else ""
            raise BadRowError(
                f"{where}: the {name} must be a string or a list of strings, got "
                f"{inside}{type(part).__name__}"
            )
        _check_text(part, name, where)
    sentences = parts if isinstance(value, list) else split(value)
    trimmed = (" ".join(sentence.split()) for sentence in sentences)
    kept = tuple(sentence for sentence in trimmed if sentence)
    if not any(split_words(sentence) for sentence in kept):
        raise BadRowError(f"{where}: the {name} has no words")
    return kept


def _check_text(text: str, name: str, where: str) -> None:
    """Raises BadRowError when a text holds half a surrogate pair, which no file can."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRowError(
            f"{where}: the {name} is no text ({error.reason} at character {error.start})"
        ) from error


def _rows(
    source: Ragged,
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    sentences: int,
    width: int | None,
    padding: int,
) -> NDArray[np.int32]:
    """Returns the sentences of documents as (documents, sentences, width)."""
    document, sentence = np.nonzero(np.arange(sentences) < length[:, None])
    values, owner = source.take(start[document] + sentence)
    place = (document * sentences + sentence)[owner]
    padded = pad(values, place, len(start) * sentences, width, padding)
    return padded.reshape(len(start), sentences, -1)
