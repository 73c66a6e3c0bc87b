"""Episodes as one self-contained page: no script, nothing loaded, every text escaped.

Each text stands in an element of its own that isolates its direction, so that what is written from
right to left, or turns the direction on purpose, leaves the page around it alone.
"""

import html
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from lightbulb_envs.document import Document
from lightbulb_envs.render import (
    COVERS,
    NOT_KEY,
    REPEATED,
    SUPERSEDED,
    Claim,
    claims_of,
    correction_text,
    cost_text,
    fact_text,
    printable,
)
from lightbulb_envs.summation import add_in_order

if TYPE_CHECKING:  # the engine imports this module when it renders
    from lightbulb_envs.engines.engine import Taken
    from lightbulb_envs.engines.slate import SlateEngine
    from lightbulb_envs.engines.summarise import SummariseEngine

    Summariser: TypeAlias = SummariseEngine | SlateEngine

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_ZERO = "0.000"
_CLAIM_NAMES = {
    SUPERSEDED: "wrong, corrected since",
    REPEATED: "told again",
    NOT_KEY: "not in the reference",
}
_STYLE = """
  :root { color-scheme: light dark; --page: #ffffff; --ink: #1d2733; --soft: #566271;
    --line: #d9dfe6; --pick: #fff3c4; --accent: #7d5100; --good: #14663a; --bad: #a12622; }
  @media (prefers-color-scheme: dark) { :root { --page: #14181d; --ink: #e4e9ef; --soft: #a6b2c0;
    --line: #36414d; --pick: #38301a; --accent: #f2cb6c; --good: #83d6a4; --bad: #ffa29b; } }
  body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--page);
    max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; overflow-wrap: anywhere; }
  h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
  h3 { font-size: 1rem; margin: 1.6rem 0 .2rem; } p { margin: .4rem 0; } a { color: inherit; }
  pre { white-space: pre-wrap; font-size: .92rem; }
  .soft, caption, thead th, .number, .parts, .oracle, dt { color: var(--soft); }
  dl.sums { display: flex; flex-wrap: wrap; gap: .4rem 2.4rem; margin: 1rem 0 0; }
  dl.sums dt { font-size: .85rem; } dl.sums dd { margin: 0; font-size: 1.15rem; font-weight: 600; }
  .number, .gain, td, th { font-variant-numeric: tabular-nums; }
  ol.sentences { list-style: none; margin: 0; padding: 0; }
  ol.sentences li { display: grid; grid-template-columns: 1.8rem 1fr 14.5rem; gap: .1rem .7rem;
    padding: .2rem .5rem; margin-bottom: 2px; border-left: .3rem solid transparent; }
  ol.sentences li.picked { background: var(--pick); border-left-color: var(--accent); }
  ol.sentences p { margin: 0; } .number { text-align: right; }
  .beyond p { color: var(--soft); font-style: italic; }
  .earned { text-align: right; line-height: 1.35; }
  .order { color: var(--accent); font-weight: 700; } .gain { font-weight: 600; }
  .up { color: var(--good); } .down { color: var(--bad); }
  .parts, .oracle { display: block; font-size: .8rem; } .parts span { white-space: nowrap; }
  .columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; }
  .columns ol { padding-left: 1.4rem; margin: .4rem 0; }
  .wide { overflow-x: auto; } caption { text-align: left; padding-bottom: .3rem; }
  table { border-collapse: collapse; width: 100%; overflow-wrap: normal; }
  th, td { text-align: right; vertical-align: top; padding: .35rem .6rem; font-weight: 400;
    border-bottom: 1px solid var(--line); }
  thead th, tfoot th, tfoot td { font-weight: 600; } tfoot th, tfoot td { border-bottom: 0; }
  .words { text-align: left; } td.words { min-width: 6.5rem; } th:has(bdi) { min-width: 9rem; }
  tr.illegal .words { color: var(--bad); }
  @media (max-width: 42rem) {
    body { margin: 1rem auto; } .columns { grid-template-columns: 1fr; }
    ol.sentences li { grid-template-columns: 1.6rem 1fr; }
    .earned { grid-column: 2; text-align: left; } }
"""


def text_page(title: str, text: str) -> str:
    """Returns a page that shows a text as it is, for engines that have no page of their own."""
    shown = "\n".join(map(printable, re.split("\r\n|\r|\n", text.expandtabs(4))))
    return _page(title, [f"<h1>{_escaped(title)}</h1>", f'<pre dir="auto">{_escape(shown)}</pre>'])


def render_summary_page(engine: "Summariser", row: int) -> str:
    """Returns a summariser's episode as a page: article, draft, steps, scores, and facts if known.

    Where one action names a whole draft, the steps are those actions, and beside the article's
    sentences stands what each added as the draft was told in order.
    """
    document, draft = engine.document(row), engine.draft(row)
    sections = [
        *_opening(engine, row, document),
        *_article(engine, row, document),
        '<div class="columns">',
        *_draft(document, draft),
        *_reference(document),
        "</div>",
        *_facts(document, draft, engine.task.weights),
        *_steps(engine, row, document),
        *_scores(engine, row),
    ]
    return _page(document.id, sections)


def _escape(text: str) -> str:
    return html.escape(text, quote=True)


def _escaped(text: str) -> str:
    """Returns a text on one line, made harmless."""
    return _escape(printable(text))


def _isolated(text: str) -> str:
    return f"<bdi>{_escaped(text)}</bdi>"


def _page(title: str, sections: Iterable[str]) -> str:
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_escaped(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            *sections,
            "</main>",
            "</body>",
            "</html>\n",
        ]
    )


def _signed(value: float) -> str:
    """Returns a number with its sign, and none if it rounds to 0."""
    text = f"{value:+.3f}".replace("-", "\u2212")
    return _ZERO if text[1:] == _ZERO else text


def _gain(value: float) -> str:
    kind = "up" if value > 0 else "down" if value < 0 else "level"
    return f'<span class="gain {kind}">{_signed(value)}</span>'


def _row(cells: Iterable[str], *, tag: str = "td", words: int = 0, kind: str = "") -> str:
    """Returns a row of a table; its first cell heads it, its first `words` cells are words."""
    parts = []
    for place, cell in enumerate(cells):
        name = "th" if place == 0 else tag
        scope = "" if name == "td" else ' scope="row"' if tag == "td" else ' scope="col"'
        style = ' class="words"' if place < words else ""
        parts.append(f"<{name}{scope}{style}>{cell}</{name}>")
    style = f' class="{kind}"' if kind else ""
    return f"<tr{style}>{''.join(parts)}</tr>"


def _table(
    label: str, caption: str, head: str, rows: Iterable[str], foot: str | None = None
) -> list[str]:
    """Returns a table that scrolls by itself where the page is narrow."""
    return [
        f'<div class="wide" role="region" aria-label="{_escaped(label)}" tabindex="0">',
        f"<table>\n<caption>{caption}</caption>",
        f"<thead>{head}</thead>",
        "<tbody>",
        *rows,
        "</tbody>",
        *([] if foot is None else [f"<tfoot>{foot}</tfoot>"]),
        "</table>\n</div>",
    ]


def _link(sentence: int) -> str:
    return f'<a href="#s{sentence}">{sentence}</a>'


def _opening(engine: "Summariser", row: int, document: Document) -> list[str]:
    taken = engine.taken(row)
    total = add_in_order(add_in_order(one.parts) for one in taken)
    oracle = engine.oracle_return(row)
    illegal = sum(one.is_illegal for one in taken)
    unit = engine.config.budget_unit
    share = float(engine.observe(np.array([row]))["budget"][0, 0])
    left = round(share * engine.task.budget)
    sums = {
        "return": f"{total:.3f}",
        f"oracle ({engine.oracle_method(row)} search)": f"{oracle:.3f}",
        **({"share of the oracle": f"{100 * total / oracle:.0f}\u00a0%"} if oracle > 0 else {}),
        "budget": f"{engine.task.budget} {unit}, {left} left",
        "steps": f"{len(taken)}" + (f", {illegal} illegal" if illegal else ""),
    }
    return [
        "<header>",
        f'<h1 dir="auto">{_escaped(document.id)}</h1>',
        '<p class="soft">An article is read and sentences are picked for a summary. A pick earns '
        "what it adds to the score of the draft against the reference.</p>",
        '<dl class="sums">',
        *(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in sums.items()),
        "</dl>",
        "</header>",
    ]


def _article(engine: "Summariser", row: int, document: Document) -> list[str]:
    """Returns the article, with what each pick earned beside it and the oracle's picks marked."""
    order = {sentence: place for place, sentence in enumerate(engine.draft(row), start=1)}
    best = {sentence: place for place, sentence in enumerate(engine.oracle(row).draft, start=1)}
    earned = {one.action: one.parts for one in engine.picks(row)}
    lines = ["<section>", "<h2>Article</h2>"]
    if order and not isinstance(engine.taken(row)[-1].action, int):
        lines.append(
            '<p class="soft">The draft was chosen at one stroke; beside each of its sentences is '
            "what it added when the draft is told in order.</p>"
        )
    lines.append('<ol class="sentences" role="list">')
    for number, sentence in enumerate(document.sentences):
        kind, notes = "", ""
        if number in order:
            paid = dict(zip(engine.part_names, earned[number], strict=True))
            kind = ' class="picked"'
            notes += f'<span class="order">pick {order[number]}</span> '
            notes += _gain(add_in_order(paid.values())) + _parts(paid)
        elif number >= engine.source.max_sentences:
            kind = ' class="beyond"'
            notes += '<span class="oracle">not read: the article is cut before</span>'
        if number in best:
            notes += f'<span class="oracle">oracle\u2019s pick {best[number]}</span>'
        beside = f'<div class="earned">{notes}</div>' if notes else ""
        lines.append(
            f'<li id="s{number}"{kind}><span class="number">{number}</span>'
            f'<p dir="auto">{_escaped(sentence)}</p>{beside}</li>'
        )
    return [*lines, "</ol>", "</section>"]


def _parts(paid: Mapping[str, float]) -> str:
    shown = {name: _signed(gain) for name, gain in paid.items()}
    told = [
        f"<span>{_escaped(name)} {gain}</span>" for name, gain in shown.items() if gain != _ZERO
    ]
    return f'<span class="parts">{", ".join(told)}</span>' if told else ""


def _draft(document: Document, draft: Sequence[int]) -> list[str]:
    lines = [f'<li dir="auto">{_escaped(document.sentences[one])}</li>' for one in draft]
    told = ["<ol>", *lines, "</ol>"] if lines else ['<p class="soft">Nothing is picked.</p>']
    return ["<section>", "<h2>Draft</h2>", *told, "</section>"]


def _reference(document: Document) -> list[str]:
    lines = [f'<p dir="auto">{_escaped(sentence)}</p>' for sentence in document.reference]
    return ["<section>", "<h2>Reference</h2>", *lines, "</section>"]


def _facts(document: Document, draft: Sequence[int], weights: Mapping[str, float]) -> list[str]:
    """Returns what the draft covers, misses and claims besides; nothing for unknown facts."""
    if not document.facts:
        return []
    claims = claims_of(document, draft)
    idle = [claim for claim in claims if claim.kind != COVERS]
    lines = ["<section>", "<h2>Facts</h2>", *_key_facts(document, claims)]
    if idle:
        lines += ["<h3>Other claims of the draft</h3>", *_idle_claims(document, idle)]
        lines.append(f"<p>{_escaped(cost_text(document, draft, weights))}</p>")
    return [*lines, "</section>"]


def _key_facts(document: Document, claims: Sequence[Claim]) -> list[str]:
    by = {claim.fact: claim.sentence for claim in claims if claim.kind == COVERS}
    keys = {number: fact for number, fact in enumerate(document.facts) if fact.is_key}
    covered = add_in_order(keys[number].weight for number in by)
    total = add_in_order(fact.weight for fact in keys.values())
    rows = []
    for number, fact in keys.items():
        state = '<strong class="down">missed</strong>'
        if number in by:
            state = f'<span class="up">covered</span> by sentence {_link(by[number])}'
        rows.append(_row([_isolated(fact_text(fact)), state, f"{fact.weight:.2f}"], words=2))
    return _table(
        "Key facts",
        f"The draft covers {len(by)} of {len(keys)} facts that the reference tells: {covered:.2f} "
        f"of {total:.2f} by weight.",
        _row(["key fact", "in the draft", "weight"], tag="th", words=2),
        rows,
    )


def _idle_claims(document: Document, idle: Sequence[Claim]) -> list[str]:
    rows = []
    for claim in idle:
        fact = document.facts[claim.fact]
        note = _isolated(fact_text(fact))
        if claim.kind == SUPERSEDED:
            note += f"; {_isolated(correction_text(document, fact))}"
        kind = f"{_CLAIM_NAMES[claim.kind]}: sentence {_link(claim.sentence)}"
        cells = [note, kind, f"{fact.weight:.2f}"]
        rows.append(_row(cells, words=2))
    return _table(
        "Other claims of the draft",
        "They cover no key fact, and their weight counts against fact precision.",
        _row(["claim", "why not", "weight"], tag="th", words=2),
        rows,
    )


def _steps(engine: "Summariser", row: int, document: Document) -> list[str]:
    taken = engine.taken(row)
    if not taken:
        return ["<section>", "<h2>Steps</h2>", '<p class="soft">None so far.</p>', "</section>"]
    rows: list[str] = []
    picked: list[int] = []
    for number, one in enumerate(taken, start=1):
        if isinstance(one.action, int):
            told = _pick_text(engine, document, one, picked)
            if not one.is_illegal:
                picked.append(one.action)
        else:
            told = _slate_text(engine, document, one)
        gains = [_signed(gain) for gain in (*one.parts, add_in_order(one.parts))]
        kind = "illegal" if one.is_illegal else ""
        rows.append(_row([str(number), told, *gains], words=2, kind=kind))
    sums = [add_in_order(column) for column in zip(*(one.parts for one in taken), strict=True)]
    total = [_signed(value) for value in (*sums, add_in_order(sums))]
    return [
        "<section>",
        "<h2>Steps</h2>",
        *_table(
            "Steps",
            "What every action was paid, by part of the reward.",
            _row(
                ["step", "action", *map(_escaped, engine.part_names), "reward"], tag="th", words=2
            ),
            rows,
            _row(["sum", "", *total], words=2),
        ),
        "</section>",
    ]


def _pick_text(
    engine: "Summariser", document: Document, one: "Taken", picked: Sequence[int]
) -> str:
    if one.action == engine.source.max_sentences:
        return "STOP"
    if not one.is_illegal:
        return f"pick {_link(one.action)}"
    if one.action in picked:
        why = "picked already"
    elif one.action >= len(document.sentences):
        why = "no such sentence"
    else:
        why = "over the budget"
    return f"pick {one.action}: illegal, {why}"


def _slate_text(engine: "Summariser", document: Document, one: "Taken") -> str:
    """Returns what an action that names a whole draft names; of an illegal one, all of it."""
    stop, action = engine.source.max_sentences, list(one.action)
    if engine.task.in_article_order:
        action = [number for number, bit in enumerate(action) if bit]
    if one.is_illegal:
        is_there = all(number < len(document.sentences) or number == stop for number in action)
        told = ", ".join("STOP" if number == stop else str(number) for number in action)
        return f"choose {told}: illegal, {'over the budget' if is_there else 'no such sentence'}"
    named = itertools.takewhile(lambda number: number != stop, action)
    return "choose " + (", ".join(map(str, named)) or "nothing")


def _scores(engine: "Summariser", row: int) -> list[str]:
    scores = engine.scores(row)
    rows = []
    for name, score in scores.items():
        weight = engine.task.weights[name]
        cells = [_escaped(name), f"{weight:.3f}", f"{score / weight:.3f}", f"{score:.3f}"]
        rows.append(_row(cells, words=1))
    total = add_in_order(scores.values())
    return [
        "<section>",
        "<h2>Scores</h2>",
        *_table(
            "Scores",
            "The draft as it stands; penalties for illegal actions are not in it.",
            _row(["part", "weight", "score", "weight \u00d7 score"], tag="th", words=1),
            rows,
            _row(["sum", "", "", f"{total:.3f}"], words=1),
        ),
        "</section>",
    ]
