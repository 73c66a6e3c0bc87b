"""The documents that the races are run on, and the words in which their sizes are told.

"wide" documents have 32 sentences of about 21 words and a reference of 55 or of 140 words. Words
follow Zipf's law over 20,000; half of every reference sentence is a run of words of the article.
"newsroom" documents are those of `Lightbulb/NewsSummariser-v0`.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from rouge_score import rouge_scorer
from rouge_score_rs import rouge_scorer as rust

from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.sources.text_cache import VARIABLE

DOCUMENTS = 256
SENTENCES = 32
VOCABULARY = 20_000
WIDE = {"wide, reference of 55 words": 55, "wide, reference of 140 words": 140}
NEWSROOM = "newsroom"


@dataclass(frozen=True)
class Text:
    """A document as strings."""

    sentences: tuple[str, ...]
    reference: str


def texts(workload: str, count: int) -> list[Text]:
    """Returns the first documents of a workload."""
    if workload == NEWSROOM:
        source = NewsroomSource(2, "train")
        documents = [source.document(instance) for instance in range(count)]
        return [Text(one.sentences, one.reference_text) for one in documents]
    generator = np.random.default_rng(WIDE[workload])
    return [_wide(generator, WIDE[workload]) for _ in range(count)]


def _words(generator: np.random.Generator, count: int) -> list[str]:
    ranks = np.floor(np.exp(generator.random(count) * np.log(VOCABULARY))).astype(int)
    return [_spell(int(rank)) for rank in ranks]


def _spell(rank: int) -> str:
    """Returns a pronounceable word; frequent ones are short."""
    text = ""
    while True:
        text += "bdfgklmnprstvz"[rank % 14] + "aeiou"[rank // 14 % 5]
        rank //= 70
        if not rank:
            return text


def _wide(generator: np.random.Generator, length: int) -> Text:
    lengths = np.clip(np.round(generator.normal(21, 6, SENTENCES)), 5, 44).astype(int)
    article = [_words(generator, count) for count in lengths]
    told = []
    for count in np.diff(np.linspace(0, length, max(2, length // 18) + 1).round().astype(int)):
        source = article[generator.integers(SENTENCES)]
        start = int(generator.integers(max(1, len(source) - count // 2)))
        run = source[start : start + count // 2]
        told.append(run + _words(generator, count - len(run)))
    return Text(tuple(_sentence(words) for words in article), "\n".join(map(_sentence, told)))


def _sentence(words: list[str]) -> str:
    return " ".join(words).capitalize() + "."


def measured(documents: list[Text]) -> dict[str, float]:
    """Returns the mean sizes of documents, in words and sentences."""
    sentences = [one for text in documents for one in text.sentences]
    return {
        "sentences": round(len(sentences) / len(documents), 1),
        "words of a sentence": round(_mean([len(one.split()) for one in sentences]), 1),
        "words of a reference": round(_mean([len(one.reference.split()) for one in documents]), 1),
    }


def scorers(kinds: Sequence[str], *, use_stemmer: bool) -> dict[str, Any]:
    """Returns the peers that score strings, by name."""
    modules: dict[str, Any] = {"rouge-score-rs": rust, "rouge-score": rouge_scorer}
    return {
        name: module.RougeScorer(list(kinds), use_stemmer=use_stemmer)
        for name, module in modules.items()
    }


def write_jsonl(path: Path, told: Sequence[Text]) -> None:
    """Writes documents as rows that a `jsonl:` source reads, sentence by sentence as they are."""
    rows = [
        {"id": str(number), "article": text.sentences, "summary": text.reference}
        for number, text in enumerate(told)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@contextmanager
def as_files(told: Sequence[Text]) -> Iterator[dict[str, Any]]:
    """Yields the keywords of environments over documents, which are files for so long."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {VARIABLE: "off"}):
        path = Path(folder) / "articles.jsonl"
        write_jsonl(path, told)
        longest = max(len(text.sentences) for text in told)
        yield {"source": {"train": [f"jsonl:{path}"]}, "max_sentences": longest}


@contextmanager
def pool_of(workload: str, count: int) -> Iterator[dict[str, Any]]:
    """Yields the keywords of environments over so many documents of a workload."""
    if workload == NEWSROOM:
        yield {"num_instances": count}
        return
    with as_files(texts(workload, count)) as keywords:
        yield {**keywords, "num_instances": count}


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)
