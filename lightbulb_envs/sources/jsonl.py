"""Real text from JSON lines: one document a line, with an article and a summary, or with a label.

{"id": "a1", "article": "One sentence. Another one.", "summary": "What it says."}
{"id": "r1", "text": "We liked the food. The room was cold.", "label": "positive"}
"""

import codecs
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightbulb_envs.sources.rows import BadRowError, Reading
from lightbulb_envs.sources.source import Places, SourceConfig
from lightbulb_envs.sources.text_source import TextSource
from lightbulb_envs.sources.texts import check_settings, file_stamp, open_texts
from lightbulb_envs.whole_file import is_file

_RANGE = re.compile(r"^(?P<path>.*)\[(?P<start>\d*):(?P<stop>\d*)\]$")


def open_jsonl(config: SourceConfig, places: Places) -> TextSource:
    """Opens the files of a config."""
    form = config.row_form()
    check_settings(config, ("id", form.text, form.told, "split"))
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
    own = tuple(JsonLines(place) for place in places.own)
    training = tuple(JsonLines(place) for place in places.training)
    for path in sorted({lines.name for lines in (*own, *training)}):
        if not path:
            raise ValueError('source names no file: write it as in source="jsonl:news.jsonl"')
        if not is_file(path):
            raise ValueError(
                f"source names {path[:300]!r}, which is no file: check the path, which counts "
                "from the current folder; a folder of files is read by hub:FOLDER"
            )
    return open_texts(config, own, training, form, config.fields, split)


@dataclass(frozen=True)
class JsonLines:
    """A file of JSON lines, or a range of its rows. Rows are named by line, from 1."""

    place: str

    @property
    def name(self) -> str:
        match = _RANGE.match(self.place)
        return match["path"] if match else self.place

    def stamp(self) -> object:
        return file_stamp(self.name)

    def where(self, number: int) -> str:
        return f"{self.name}, line {number}"

    def read(self) -> Reading:
        try:
            lines = list(self._lines())
        except OSError as error:
            raise ValueError(
                f"{self.name} cannot be read ({error.strerror}): give a file that you may read"
            ) from error
        hasher = hashlib.blake2b(b"jsonl")
        for line, raw in lines:
            hasher.update(f"{line} {len(raw)} ".encode())
            hasher.update(raw)
        return Reading(hasher.hexdigest(), lines)

    def parse(self, raw: Any) -> dict[str, Any]:
        try:
            row = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BadRowError(f"not UTF-8 ({error.reason} at byte {error.start})") from error
        except json.JSONDecodeError as error:
            raise BadRowError(f"not JSON ({error.msg} at column {error.colno})") from error
        except (ValueError, RecursionError) as error:  # a number too long, brackets too deep
            raise BadRowError(f"not JSON that can be read ({error})") from error
        if not isinstance(row, dict):
            raise BadRowError(f"a row must be an object, got {type(row).__name__}")
        return row

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yields (line number from 1, bytes) of the rows in the range; blank lines are none."""
        match = _RANGE.match(self.place)
        start = int(match["start"] or 0) if match else 0
        stop = int(match["stop"]) if match and match["stop"] else None
        row = 0
        with Path(self.name).open("rb") as file:
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
