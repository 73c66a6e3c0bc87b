"""Shows what each level of simulated text tests: `python -m lightbulb_envs.gallery`.

What it prints is `docs/gallery.md`; a test compares the two.
"""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.document import Document, Fact
from lightbulb_envs.engines.sentiment import SentimentEngine
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.registry import ROWS, make_engine
from lightbulb_envs.render import stating
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.sources.newsroom.levels import LEVELS, level_table
from lightbulb_envs.sources.reviews.levels import LEVELS as REVIEW_LEVELS
from lightbulb_envs.sources.reviews.levels import review_level_table

ENV_ID = "Lightbulb/NewsSummariser-v0"
REVIEWS = "Lightbulb/SentimentAnalysis-v0"
INSTANCES = (0, 1)
"""The first of the split, whatever they are like."""
_ROW = np.zeros(1, dtype=np.int64)
_MARKS = re.compile(r"[\\`*_{}\[\]<>|~$#]")
_BASELINES = ("lead-3", "oracle")


def gallery() -> str:
    """Returns the page as Markdown."""
    levels = [_level(level) for level in range(len(LEVELS))]
    reviews = [_review_level(level) for level in range(len(REVIEW_LEVELS))]
    return "\n\n".join([_opening(), *levels, _review_opening(), *reviews]) + "\n"


def _opening() -> str:
    return """# Documents of every level

The first two documents of the split `train` at every level of the newsroom, as they come;
`python -m lightbulb_envs.gallery` prints this page, and `python -m lightbulb_envs.play` lets you
play them.

Beside each sentence stand the facts that it states: **key** facts, which the reference tells, facts
that it does not tell, and *wrong* ones, which the article itself corrects; where several reports
differ, the latest is right. Columns `lead-3` and `oracle` give the places of the sentences in the
drafts of two baselines: the first three sentences, and the best draft that a search finds which
knows the reference. A return is what a draft is worth, from 0 to 1: half fact F1, half ROUGE."""


def _level(level: int) -> str:
    engine = make_engine(ENV_ID, 1, level=level, split="train")
    assert isinstance(engine, SummariseEngine)
    documents = [_document(engine, instance) for instance in INSTANCES]
    return "\n\n".join(
        [_title("", level, "NewsSummariser"), _attributes(level_table()[level]), *documents]
    )


def _title(of: str, level: int, task: str) -> str:
    ids = [
        f"`{row.id}`"
        for row in ROWS.values()
        if row.settings.get("level") == level and f"/{task}-" in row.id
    ]
    return f"## {of}Level {level}" + (f": {', '.join(ids)}" if ids else "")


def _review_opening() -> str:
    return """# Reviews of every level

The first two reviews of the split `train` at every level, as they come. Under *negative* and
*positive* stands what a reader believes after each chunk who knows the rules by which reviews are
told; **the row in bold** is where it has read enough, if a chunk costs 0.05."""


def _review_level(level: int) -> str:
    engine = make_engine(REVIEWS, 1, level=level, split="train")
    assert isinstance(engine, SentimentEngine)
    title = _title("Reviews of level ", level, "SentimentAnalysis").replace("Level ", "")
    reviews = [_review(engine, instance) for instance in INSTANCES]
    return "\n\n".join([title, _attributes(review_level_table()[level]), *reviews])


def _review(engine: SentimentEngine, instance: int) -> str:
    roll_out(make_baseline("oracle", engine), engine, np.array([instance]))
    review, enough, beliefs = engine.document(0), engine.num_read(0), engine.beliefs(0)
    assert beliefs is not None
    rows = []
    for number, line in enumerate((review.title, *review.chunks)):
        cells = [str(number), _escaped(line), *(f"{chance:.3f}" for chance in beliefs[number])]
        rows.append([f"**{cell}**" for cell in cells] if number == enough else cells)
    table = _table(["", "chunk", *engine.labels], "rlrr", rows)
    told = f"It is {review.label}; such a reader says {engine.answer(0)}."
    return f"### {review.id}\n\n{table}\n\n{told}"


def _attributes(level: Mapping[str, object]) -> str:
    """Returns the named attributes of a level, in one line."""
    told = []
    for name, value in level.items():
        if name != "level":
            ends = dict.fromkeys(value) if isinstance(value, tuple) else (value,)
            told.append(f"{name.replace('_', ' ')} {' to '.join(map(str, ends))}")
    return ", ".join(told) + "."


def _document(engine: SummariseEngine, instance: int) -> str:
    document = engine.source.document(instance)
    drafts, returns = {}, {}
    for name in _BASELINES:
        (episode,) = roll_out(make_baseline(name, engine), engine, np.array([instance]))
        drafts[name] = engine.draft(0)
        returns[name] = episode.episode_return
    told = {
        name: f"**{name}**, return {returns[name]:.3f}: {_text(document, drafts[name])}"
        for name in _BASELINES
    }
    return "\n\n".join(
        [
            f"### {document.id}",
            _sentences(document, drafts),
            f"**Reference:** {_escaped(' '.join(document.reference))}",
            *told.values(),
            _facts(document),
        ]
    )


def _text(document: Document, draft: Sequence[int]) -> str:
    return _escaped(" ".join(document.sentences[sentence] for sentence in draft))


def _sentences(document: Document, drafts: dict[str, tuple[int, ...]]) -> str:
    rows = []
    for number, sentence in enumerate(document.sentences):
        facts = [_short(document.facts[fact]) for fact in document.claims[number]]
        places = [
            str(draft.index(number) + 1) if number in draft else "" for draft in drafts.values()
        ]
        rows.append([str(number), _escaped(sentence), "; ".join(facts), *places])
    return _table(["", "sentence", "states", *drafts], "rllrr", rows)


def _short(fact: Fact) -> str:
    """Returns a fact as its predicate and object, marked as key or wrong."""
    told = _escaped(f"{fact.predicate.replace('_', ' ')}: {fact.object}")
    if fact.superseded_by is not None:
        return f"*wrong* {told}"
    return f"**key** {told}" if fact.is_key else told


def _facts(document: Document) -> str:
    rows = []
    for number, fact in enumerate(document.facts):
        kind = "key" if fact.is_key else ""
        if fact.superseded_by is not None:
            kind = f"wrong, corrected by {fact.superseded_by}"
        said = ", ".join(map(str, stating(document, number)))
        text = f"{fact.subject}: {fact.predicate.replace('_', ' ')}, {fact.object}, {fact.time}"
        rows.append([str(number), _escaped(text), kind, f"{fact.weight:.2f}", said])
    table = _table(["", "fact", "", "weight", "sentences"], "rllrl", rows)
    summary = f"<summary>The {len(document.facts)} facts behind it</summary>"
    return f"<details>{summary}\n\n{table}\n\n</details>"


def _table(head: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; `sides` has an l or r for every column."""
    rule = ["---:" if side == "r" else "---" for side in sides]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def _escaped(text: str) -> str:
    """Returns a text that Markdown shows as it is."""
    return _MARKS.sub(lambda match: "\\" + match[0], text)


def main() -> None:
    """Prints the page."""
    argparse.ArgumentParser(
        prog="python -m lightbulb_envs.gallery",
        description="Print two documents and two reviews of every level as Markdown.",
    ).parse_args()
    print(gallery(), end="")


if __name__ == "__main__":
    main()
