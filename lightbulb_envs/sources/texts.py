"""Opens real text: from rows, whatever they come from, to a source, by way of the cache."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightbulb_envs.sources.retokenised import DEFAULT_TOKENS
from lightbulb_envs.sources.rows import Form, Origin, Reading, read_rows
from lightbulb_envs.sources.source import SourceConfig
from lightbulb_envs.sources.text_cache import entry_key, load_entry, store_entry
from lightbulb_envs.sources.text_source import LoadReport, TextSource
from lightbulb_envs.sources.tokenised import Tokenised, tokenise
from lightbulb_envs.subwords import TRAINED_SIZE, SubwordVocabulary
from lightbulb_envs.whole_file import is_file

DEFAULT_SENTENCES = 40
VERSION = 2
"""Part of every key of the cache. Raise it with every change of what a row becomes: of sentences,
words, tokens, the vocabulary that is learnt, or what `Tokenised` holds."""


@dataclass(frozen=True)
class Reader:
    """How rows are read and told."""

    form: Form
    fields: tuple[tuple[str, str], ...]
    split: str | None
    """The split that rows must name, None for all rows."""
    on_error: str
    tokenizer: str | None
    max_sentences: int
    max_tokens: int


def check_settings(config: SourceConfig, fields: tuple[str, ...]) -> None:
    """Raises ValueError for settings that real text cannot have; `fields` can be mapped."""
    unknown = [name for name in config.fields if name not in fields]
    if unknown:
        raise ValueError(f"fields maps {unknown[0]!r}: there are {', '.join(fields)}")
    if config.on_error not in ("raise", "skip"):
        raise ValueError(f'on_error must be "raise" or "skip", got {config.on_error!r}')


def open_texts(
    config: SourceConfig,
    own: tuple[Origin, ...],
    training: tuple[Origin, ...],
    form: Form,
    fields: Mapping[str, str],
    split: str | None = None,
) -> TextSource:
    """Returns the documents of `own`, told in a vocabulary learnt from `training` or given.

    Rows that have not changed are read once a process, and tokenised once a machine.

    Args:
        form: what rows must have.
        fields: what rows call their fields, where that differs.
        split: if given, only rows that name it are documents, and the vocabulary is learnt from
            rows that name "train".
    """
    reader = Reader(
        form=form,
        fields=tuple(sorted(fields.items())),
        split=split,
        on_error=config.on_error,
        tokenizer=config.tokenizer,
        max_sentences=(DEFAULT_SENTENCES if config.max_sentences is None else config.max_sentences),
        max_tokens=DEFAULT_TOKENS if config.max_tokens is None else config.max_tokens,
    )
    stamps = tuple(origin.stamp() for origin in (*own, *training))
    source = _open(own, training, reader, (*stamps, file_stamp(config.tokenizer or "")))
    for told in _notices(source.report(), config, form, own, training):
        warnings.warn(told, stacklevel=2)
    return source


def _notices(
    report: LoadReport,
    config: SourceConfig,
    form: Form,
    own: tuple[Origin, ...],
    training: tuple[Origin, ...],
) -> Iterator[str]:
    """Yields what a user should know of the rows that were read."""
    names = ", ".join(sorted({origin.name for origin in own}))
    if report.skipped:
        read = ", ".join(sorted({origin.name for origin in (*own, *training)}))
        yield f"left out {len(report.skipped)} bad rows of {read}, the first: {report.skipped[0]}"
    if report.cut_articles and config.max_sentences is None:
        yield (
            f"{report.cut_articles} of the {report.documents} {form.text}s of {names} have more "
            f"than {DEFAULT_SENTENCES} sentences (the longest has {report.longest_article}), and "
            f"only the first {DEFAULT_SENTENCES} are read: say how many to read with "
            "max_sentences=, which also ends this warning"
        )
    if report.repeated_ids:
        yield (
            f"{report.repeated_ids} of the {report.documents} documents of {names} have an id that "
            f"an earlier one has, the first: {report.first_repeated}: an id only names a document, "
            "so they are read as any others; if they are the same documents, remove them"
        )


def file_stamp(path: str | Path) -> object:
    """Returns time and size of a file, None if it is none."""
    stat = Path(path).stat() if is_file(path) else None
    return stat and (str(path), stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=8)
def _open(
    own: tuple[Origin, ...],
    training: tuple[Origin, ...],
    reader: Reader,
    _stamps: tuple[object, ...],
) -> TextSource:
    named = reader.tokenizer
    vocabulary = None if named is None else SubwordVocabulary.load(named)
    if vocabulary is not None or (training == own and reader.split in (None, "train")):
        training = ()
    readings = [origin.read() for origin in (*own, *training)]
    key = _key(readings, len(own), reader, vocabulary)
    arrays = load_entry(key)
    if arrays is not None:
        texts = Tokenised.of_arrays(arrays)
        vocabulary = vocabulary or SubwordVocabulary.from_json(
            arrays["vocabulary"].tobytes().decode()
        )
    else:
        texts, vocabulary = _tokenise(own, training, readings, reader, vocabulary)
        told = np.frombuffer(vocabulary.to_json().encode(), dtype=np.uint8)
        store_entry(key, {**texts.arrays(), "vocabulary": told})
    return TextSource(texts, own, training, vocabulary, reader.max_sentences, reader.max_tokens)


def _tokenise(
    own: tuple[Origin, ...],
    training: tuple[Origin, ...],
    readings: list[Reading],
    reader: Reader,
    vocabulary: SubwordVocabulary | None,
) -> tuple[Tokenised, SubwordVocabulary]:
    """Returns the texts of `own`, and their vocabulary, learnt unless it is given."""
    numbered = list(zip(range(len(readings)), (*own, *training), readings, strict=True))
    fields = dict(reader.fields)
    form, on_error = reader.form, reader.on_error
    rows, skipped = read_rows(numbered[: len(own)], fields, form, reader.split, on_error)
    _check_any(rows, own, reader)
    if vocabulary is None:
        learn_from = rows
        if training:
            split = reader.split and "train"
            learn_from, bad = read_rows(numbered[len(own) :], fields, form, split, on_error)
            _check_any(learn_from, training, dataclasses.replace(reader, split=split))
            skipped += bad
        vocabulary = SubwordVocabulary.train(
            sentence for row in learn_from for sentence in row.sentences
        )
    texts = tokenise(rows, skipped, vocabulary, reader.max_sentences, reader.max_tokens)
    return texts, vocabulary


def _check_any(rows: list[Any], origins: tuple[Origin, ...], reader: Reader) -> None:
    if not rows:
        wanted = f" with split {reader.split!r}" if reader.split else ""
        raise ValueError(
            f"no document{wanted} in {', '.join(one.place for one in origins)}: give rows with the "
            f"fields {reader.form.text} and {reader.form.told}, and a range [FROM:TO], if any, "
            "that holds some of them"
        )


def _key(
    readings: list[Reading], own: int, reader: Reader, vocabulary: SubwordVocabulary | None
) -> str:
    """Returns the key of what these rows become. Paths are no part of it."""
    digests = [reading.digest for reading in readings]
    told = vocabulary and hashlib.blake2b(vocabulary.to_json().encode()).hexdigest()
    return entry_key(
        {
            "version": VERSION,
            "parts": [one.name for one in dataclasses.fields(Tokenised)],
            "own": digests[:own],
            "training": digests[own:],
            "form": type(reader.form).__name__,
            "reader": {**dataclasses.asdict(reader), "tokenizer": told or TRAINED_SIZE},
            "unicode": unicodedata.unidata_version,
            "libraries": [_version("sentencex"), _version("tokenizers")],
        }
    )


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
