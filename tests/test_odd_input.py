"""Odd text that is legal is played to the end, shown, saved and sent on; what is cut is told.

What is not legal is in `test_bad_input.py`.
"""

import json
import math
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import lightbulb_envs  # noqa: F401 # registers the ids
from lightbulb_envs.subwords import LEARNT_LENGTH, SubwordVocabulary

IDS = (
    "Lightbulb/NewsSummariser-v0",
    "Lightbulb/NewsSummariser-Slate-v0",
    "Lightbulb/NewsSummariser-Subset-v0",
)
COMMANDS = "\0\x1b\u202e\u2066"
"""What would command a terminal, or turn the direction of a page."""


@dataclass(frozen=True)
class Odd:
    """An article, and what of it is told to be cut."""

    article: Any
    summary: Any = "The mayor opened a bridge."
    sentences: int | None = None
    """How many it has; None where nobody counts."""
    is_cut: bool = False
    """Whether it has more sentences than are read without being asked for."""
    cut_sentences: int = 0
    """Sentences with more tokens than are shown."""


PLAIN = "The mayor opened a bridge. It cost 5 million. Nobody was hurt."
ODD = {
    "one sentence": Odd("The mayor opened a bridge.", sentences=1),
    "one word": Odd("Bridge", summary="bridge", sentences=1),
    "10,000 sentences": Odd(
        " ".join(f"The mayor opened bridge {number}." for number in range(10_000)),
        sentences=10_000,
        is_cut=True,
    ),
    "a word of 1 MB": Odd(
        ["The mayor opened a bridge.", "x" * 2**20, "Nobody was hurt."],
        sentences=3,
        cut_sentences=1,
    ),
    "1 MB without white space": Odd(
        f"The mayor opened a bridge. {'漢字' * 2**17} Nobody was hurt.",
        sentences=2,
        cut_sentences=1,
    ),
    "100,000 words in a sentence": Odd(
        ["The mayor opened a bridge.", "word " * 100_000], sentences=2, cut_sentences=1
    ),
    "a summary of 1,000 sentences": Odd(
        PLAIN, summary="\n".join(f"The bridge cost {number}." for number in range(1000))
    ),
    "NUL": Odd("The mayor\0 opened a bridge. \0 It cost 5.", sentences=2),
    "right-to-left text": Odd(
        "افتتح رئيس البلدية جسرا. ראש העיר פתח גשר. The mayor opened a bridge.", sentences=3
    ),
    "marks that turn the direction": Odd("\u202eegdirb a\u202c opened. \u2066The\u2069 mayor."),
    "emoji": Odd("The mayor 👩🏽‍⚖️ opened 🇺🇳 a bridge 🙂. It cost 5 💰.", sentences=2),
    "marks on letters": Odd("Z̴̛̤a̷͝l̸g̵o opened e\u0301 a bridge. Nobody was hurt.", sentences=2),
    "line separators": Odd("The mayor\u2028opened\x85a bridge.\r\nIt\tcost 5.\x0b"),
    "terminal escapes": Odd("\x1b[31mThe mayor\x1b[0m opened a bridge. \x07It cost 5."),
    "markup": Odd("<script>alert(1)</script> The mayor </main> & co. {{ bridge }} %s ${a}."),
    "words of the vocabulary's own": Odd("[pad] The mayor <unk> opened [SEP] a bridge."),
    "one sentence many times": Odd(["The mayor opened a bridge."] * 40, sentences=40),
    "a summary that is the article": Odd(PLAIN, summary=PLAIN),
    "a summary with no word of the article": Odd(PLAIN, summary="zzz"),
    "numbers for an id": Odd(PLAIN),
}


@pytest.fixture
def source(write_jsonl: Callable[..., Path]) -> Callable[[Odd], str]:
    """Returns the source of a file with an odd article, and one that is not."""

    def written(odd: Odd) -> str:
        row = {"id": 7, "article": odd.article, "summary": odd.summary}
        return f"jsonl:{write_jsonl([row, {**row, 'id': 'b', 'article': PLAIN}])}"

    return written


def _play(env: gymnasium.Env, generator: np.random.Generator) -> list[float]:
    """Plays the first document at random; returns the rewards."""
    env.action_space.seed(int(generator.integers(1 << 30)))
    _, info = env.reset(options={"instance": 0})
    rewards, has_ended = [], False
    while not has_ended:
        mask = info["action_mask"]
        if isinstance(env.action_space, gymnasium.spaces.Discrete):
            action = env.action_space.sample(mask=mask)
        elif isinstance(env.action_space, gymnasium.spaces.MultiDiscrete):
            action = env.action_space.sample(mask=tuple(mask))
        else:
            action = env.action_space.sample(mask=2 * mask)  # 2: in or not
        _, reward, terminated, truncated, info = env.step(action)
        rewards.append(reward)
        has_ended = terminated or truncated
    return rewards


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("name", ODD)
def test_odd_text_is_played_shown_pickled_and_made_again(name, env_id, source):
    odd = ODD[name]
    settings = {"source": source(odd), "max_sentences": 40}
    env = gymnasium.make(env_id, render_mode="ansi", **settings)
    rewards = _play(env, np.random.default_rng(0))
    assert all(map(math.isfinite, rewards))
    assert -1e-9 <= sum(rewards) <= env.unwrapped.oracle_return() + 1e-9
    page = gymnasium.make(env_id, render_mode="html", **settings)
    assert _play(page, np.random.default_rng(0)) == rewards
    for shown in (env.render(), page.render()):
        assert shown.encode("utf-8")
        assert not set(shown) & set(COMMANDS)
    for again in (pickle.loads(pickle.dumps(env)), gymnasium.make(env.spec)):
        assert _play(again, np.random.default_rng(0)) == rewards


@pytest.mark.parametrize("name", ODD)
def test_all_of_an_odd_text_is_kept_and_what_is_not_shown_is_counted(name, source):
    odd = ODD[name]
    settings = {"source": source(odd), "max_sentences": 40}
    read = gymnasium.make(IDS[0], **settings).unwrapped.engine.source
    sentences = read.document(0).sentences
    if odd.sentences is not None:
        assert len(sentences) == odd.sentences
    told = odd.article if isinstance(odd.article, str) else " ".join(odd.article)
    assert " ".join(sentences).split() == told.split()
    assert read.document(0).id == "7"
    report = read.report()
    assert (report.documents, report.skipped) == (2, ())
    assert (report.cut_articles, report.cut_sentences) == (int(odd.is_cut), odd.cut_sentences)
    assert report.longest_article == max(len(sentences), 3)


def test_articles_that_are_cut_are_told_unless_it_was_asked_for(source):
    place = source(ODD["10,000 sentences"])
    with pytest.warns(UserWarning, match=r"1 of the 2 articles of .*news\.jsonl have more") as told:
        gymnasium.make(IDS[0], source=place)
    assert len(told) == 1
    for words in ("more than 40 sentences (the longest has 10000)", "read with max_sentences="):
        assert words in str(told[0].message)
    gymnasium.make(IDS[0], source=place, max_sentences=40)  # warnings are errors here
    gymnasium.make(IDS[0], source=source(ODD["one sentence many times"]))


def test_ids_that_come_twice_are_told_and_the_documents_are_kept(write_jsonl):
    row = {"id": "a", "article": PLAIN, "summary": "A bridge."}
    unnamed = {name: row[name] for name in ("article", "summary")}
    rows = [row, {**row, "id": "b"}, unnamed, {**row, "article": "Other text."}, unnamed, row]
    path = write_jsonl(rows)
    message = rf"2 of the 6 documents of {path} have .* 'a' of {path}, line 1 and of {path}, line 4"
    with pytest.warns(UserWarning, match=message) as told:
        env = gymnasium.make(IDS[0], source=f"jsonl:{path}")
    assert len(told) == 1
    read = env.unwrapped.engine.source
    assert read.num_documents == 6
    assert read.document(3).sentences == ("Other text.",)
    write_jsonl([json.loads(line) for line in path.read_text().splitlines()][:3], "fewer.jsonl")
    gymnasium.make(IDS[0], source=f"jsonl:{path.with_name('fewer.jsonl')}")  # no warning


def test_only_what_is_too_long_is_learnt_from_in_parts(monkeypatch):
    usual = [
        "The mayor opened a bridge in 2026, naïve \U0001f642 漢字.",
        "ab" * (LEARNT_LENGTH // 2),
    ]
    long = "ab" * LEARNT_LENGTH
    in_parts = SubwordVocabulary.train([long])
    assert in_parts.digest == SubwordVocabulary.train([f"{usual[1]} {usual[1]}"]).digest
    (pieces,) = in_parts.encode([long])
    assert in_parts.decode(pieces) == long
    learnt = SubwordVocabulary.train(usual).digest
    monkeypatch.setattr("lightbulb_envs.subwords._LONG_RUN", re.compile("(?!)"))
    assert SubwordVocabulary.train(usual).digest == learnt
    assert SubwordVocabulary.train([long]).digest != in_parts.digest
