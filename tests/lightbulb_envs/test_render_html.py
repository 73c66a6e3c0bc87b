"""Pages are well formed, whole in themselves, harmless, and say what happened."""

import dataclasses
import re
from html.parser import HTMLParser

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.document import Fact
from lightbulb_envs.html_page import text_page
from lightbulb_envs.registry import make_engine
from lightbulb_envs.render import printable
from lightbulb_envs.render_html import render_summary_page

ID = "Lightbulb/NewsSummariser-v0"
ROW = np.zeros(1, dtype=np.int64)
VOID = {"meta"}
TAGS = set(
    "html head meta title style body main header section h1 h2 h3 p pre dl dt dd div span strong "
    "a bdi ol li table caption thead tbody tfoot tr th td".split()
)
ATTRIBUTES = set(
    "lang charset http-equiv content name class id href dir role aria-label tabindex scope".split()
)
HOSTILE = {
    "a script": "<script>alert(1)</script></p></main><img src=x onerror=alert(1)>",
    "quotes": "\"'><a href='https://evil.example'>&amp;&lt;",
    "control characters": "before\x00\x1b[31m\x07after\ud83d half a pair",
    "right to left": "\u202eevil \u2067שלום עולם ولد",
    "emoji": "👩‍👩‍👧 👍🏽",
    "a comment": "<!-- --!> <![CDATA[ ]]> </style></title>",
    "a very long word": "x" * 1_000_000,
}


class Page(HTMLParser):
    """A parser that refuses what a browser would mend."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.headings = [], [], [], []
        self.texts = {}
        assert page.startswith('<!doctype html>\n<html lang="en">')
        self.feed(page)
        self.close()
        assert self.open == []
        assert len(set(self.ids)) == len(self.ids)
        assert {link[1:] for link in self.links} <= set(self.ids)

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS, tag
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names)
        assert set(names) <= ATTRIBUTES
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        if "href" in given:
            assert re.fullmatch("#s[0-9]+", given["href"])
            self.links.append(given["href"])
        if tag == "th":
            assert given["scope"] in ("row", "col")
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"nothing to close with </{tag}>"
        assert self.open.pop() == tag

    def handle_data(self, data):
        tag = self.open[-1] if self.open else ""
        self.texts[tag] = self.texts.get(tag, "") + data
        assert self.open or not data.strip()

    def handle_comment(self, data):
        raise AssertionError(data)

    def unknown_decl(self, data):
        raise AssertionError(data)

    @property
    def text(self):
        shown = " ".join(text for tag, text in self.texts.items() if tag != "style")
        return " ".join(shown.split())


def _check(page):
    """Checks that a page is well formed and loads nothing; returns it parsed."""
    parsed = Page(page)
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert "url(" not in page
    assert "@import" not in page
    assert parsed.headings[0] == 1
    assert parsed.headings.count(1) == 1
    steps = zip(parsed.headings, parsed.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    page.encode("utf-8")
    return parsed


def _page(actions, env_id=ID, instance=0, **settings):
    env = gymnasium.make(env_id, render_mode="html", **settings)
    env.reset(options={"instance": instance})
    for action in actions:
        env.step(action)
    return env.render(), env


@pytest.mark.parametrize("env_id", lightbulb_envs.ROWS)
def test_every_id_renders_a_page_at_every_step(env_id):
    env = gymnasium.make(env_id, render_mode="html")
    observation, _ = env.reset(seed=3)
    ended = False
    while not ended:
        _check(env.render())
        space, mask = env.action_space, observation["action_mask"]
        action = lightbulb_envs.actions.draw_legal(space, mask[None], np.random.default_rng(0))[0]
        observation, _, terminated, truncated, _ = env.step(action)
        ended = terminated or truncated
    assert "oracle" in _check(env.render()).text


def test_a_page_tells_every_step_and_what_it_earned():
    page, env = _page([6, 6, 21, 13, 22])
    parsed = _check(page)
    engine = env.unwrapped.engine
    assert "pick 6: illegal, picked already" in parsed.text
    assert "pick 21: illegal, no such sentence" in parsed.text
    assert "STOP" in parsed.text
    assert "5, 2 illegal" in parsed.text
    taken = engine.taken(0)
    assert f"{sum(sum(one.parts) for one in taken):.3f}" in parsed.text
    for one in taken:
        assert f"{sum(one.parts):+.3f}".replace("-", "\u2212")[1:] in parsed.text
    for name in engine.part_names:
        assert name in parsed.text
    assert f"{engine.oracle_return(0):.3f}" in parsed.text
    assert page.count('class="picked"') == 2


def test_a_sentence_over_the_budget_of_words_is_told_as_that():
    page, _ = _page([6, 11], budget=24, budget_unit="words")
    assert "pick 11: illegal, over the budget" in _check(page).text


def test_facts_covered_missed_repeated_and_superseded_are_told():
    page, _ = _page([2, 4, 0, 8], "Lightbulb/NewsSummariser-MultiDoc-v0", split="train")
    text = _check(page).text
    assert "The draft covers 2 of 4 facts that the reference tells: 2.05 of 3.50 by weight" in text
    for words in ("covered", "missed", "wrong, corrected since", "told again"):
        assert words in text
    assert "the article's latest word is 55 goals (sentence 8)" in text
    assert "as far as facts go, they cost" in text


def test_real_text_has_no_facts_on_its_page(news_file):
    page, _ = _page([0, 1], source=f"jsonl:{news_file}")
    parsed = _check(page)
    assert "Example0 has a new bridge" in parsed.text
    assert "Facts" not in parsed.text
    assert "key fact" not in parsed.text


def test_sentences_that_nobody_can_pick_are_marked(news_file):
    page, _ = _page([0], source=f"jsonl:{news_file}", max_sentences=4, budget=2)
    assert _check(page).text.count("not read") == 2


def test_a_slate_is_shown_as_the_one_action_that_it_is():
    engine = make_engine("Lightbulb/NewsSummariser-Slate-v0", 1, split="train")
    engine.reset(ROW, np.array([0]))
    engine.step(ROW, np.array([[21, 0, 0, 0]]))
    engine.step(ROW, np.array([[6, 22, 21, 22]]))
    engine.step(ROW, np.array([[6, 7, 22, 3]]))
    text = _check(render_summary_page(engine, 0)).text
    assert "choose 21, 0, 0, 0: illegal, no such sentence" in text
    assert "choose 6, STOP, 21, STOP: illegal, no such sentence" in text
    assert "choose 6, 7" in text
    assert "choose 6, 7, " not in text
    assert "3, 2 illegal" in text
    assert "chosen at one stroke" in text


def test_a_subset_is_shown_by_the_sentences_in_it():
    engine = make_engine("Lightbulb/NewsSummariser-Subset-v0", 1, split="train")
    engine.reset(ROW, np.array([0]))
    bits = np.zeros((1, engine.action_space.n), dtype=np.int64)
    bits[0, [1, 6]] = 1
    engine.step(ROW, bits)
    assert "choose 1, 6" in _check(render_summary_page(engine, 0)).text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(name, monkeypatch):
    text = HOSTILE[name]
    engine = make_engine(ID, 1, split="train")
    engine.reset(ROW, np.array([0]))
    document = engine.document(0)
    fact = Fact(text, text, text, text, None, 1.0, 0, True)
    hostile = dataclasses.replace(
        document,
        id=text,
        sentences=(text,) * len(document.sentences),
        reference=(text,),
        facts=(fact, *document.facts[1:]),
    )
    monkeypatch.setattr(engine.source, "document", lambda instance: hostile)
    engine.step(ROW, np.array([6]))
    page = engine.render(0, "html")
    parsed = _check(page)
    assert " ".join(printable(text).split()) in parsed.text
    assert "://" not in page.replace("https://evil.example", "")
    _check(text_page(text, text))


@given(st.text(st.characters()))
def test_a_page_of_text_shows_that_text(text):
    parsed = _check(text_page("title", text))
    lines = re.split("\r\n|\r|\n", text.expandtabs(4))
    assert parsed.texts.get("pre", "") == "\n".join(map(printable, lines))


def test_a_page_is_the_same_every_time():
    assert _page([6, 7, 22])[0] == _page([6, 7, 22])[0]
