"""A summariser's episode as one self-contained page."""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from lightbulb_envs.document import Document
from lightbulb_envs.html_page import (
    ZERO,
    escaped,
    gain,
    isolated,
    page,
    signed,
    table,
    table_row,
)
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
)
from lightbulb_envs.summation import add_in_order

if TYPE_CHECKING:  # the engine imports this module when it renders
    from lightbulb_envs.engines.engine import Taken
    from lightbulb_envs.engines.slate import SlateEngine
    from lightbulb_envs.engines.summarise import SummariseEngine

    Summariser: TypeAlias = SummariseEngine | SlateEngine

_CLAIM_NAMES = {
    SUPERSEDED: "wrong, corrected since",
    REPEATED: "told again",
    NOT_KEY: "not in the reference",
}


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
    return page(document.id, sections)


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
        f'<h1 dir="auto">{escaped(document.id)}</h1>',
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
            notes += gain(add_in_order(paid.values())) + _parts(paid)
        elif number >= engine.source.max_sentences:
            kind = ' class="beyond"'
            notes += '<span class="oracle">not read: the article is cut before</span>'
        if number in best:
            notes += f'<span class="oracle">oracle\u2019s pick {best[number]}</span>'
        beside = f'<div class="earned">{notes}</div>' if notes else ""
        lines.append(
            f'<li id="s{number}"{kind}><span class="number">{number}</span>'
            f'<p dir="auto">{escaped(sentence)}</p>{beside}</li>'
        )
    return [*lines, "</ol>", "</section>"]


def _parts(paid: Mapping[str, float]) -> str:
    shown = {name: signed(gain) for name, gain in paid.items()}
    told = [f"<span>{escaped(name)} {gain}</span>" for name, gain in shown.items() if gain != ZERO]
    return f'<span class="parts">{", ".join(told)}</span>' if told else ""


def _draft(document: Document, draft: Sequence[int]) -> list[str]:
    lines = [f'<li dir="auto">{escaped(document.sentences[one])}</li>' for one in draft]
    told = ["<ol>", *lines, "</ol>"] if lines else ['<p class="soft">Nothing is picked.</p>']
    return ["<section>", "<h2>Draft</h2>", *told, "</section>"]


def _reference(document: Document) -> list[str]:
    lines = [f'<p dir="auto">{escaped(sentence)}</p>' for sentence in document.reference]
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
        lines.append(f"<p>{escaped(cost_text(document, draft, weights))}</p>")
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
        rows.append(table_row([isolated(fact_text(fact)), state, f"{fact.weight:.2f}"], words=2))
    return table(
        "Key facts",
        f"The draft covers {len(by)} of {len(keys)} facts that the reference tells: {covered:.2f} "
        f"of {total:.2f} by weight.",
        table_row(["key fact", "in the draft", "weight"], tag="th", words=2),
        rows,
    )


def _idle_claims(document: Document, idle: Sequence[Claim]) -> list[str]:
    rows = []
    for claim in idle:
        fact = document.facts[claim.fact]
        note = isolated(fact_text(fact))
        if claim.kind == SUPERSEDED:
            note += f"; {isolated(correction_text(document, fact))}"
        kind = f"{_CLAIM_NAMES[claim.kind]}: sentence {_link(claim.sentence)}"
        cells = [note, kind, f"{fact.weight:.2f}"]
        rows.append(table_row(cells, words=2))
    return table(
        "Other claims of the draft",
        "They cover no key fact, and their weight counts against fact precision.",
        table_row(["claim", "why not", "weight"], tag="th", words=2),
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
        gains = [signed(gain) for gain in (*one.parts, add_in_order(one.parts))]
        kind = "illegal" if one.is_illegal else ""
        rows.append(table_row([str(number), told, *gains], words=2, kind=kind))
    sums = [add_in_order(column) for column in zip(*(one.parts for one in taken), strict=True)]
    total = [signed(value) for value in (*sums, add_in_order(sums))]
    return [
        "<section>",
        "<h2>Steps</h2>",
        *table(
            "Steps",
            "What every action was paid, by part of the reward.",
            table_row(
                ["step", "action", *map(escaped, engine.part_names), "reward"], tag="th", words=2
            ),
            rows,
            table_row(["sum", "", *total], words=2),
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
        cells = [escaped(name), f"{weight:.3f}", f"{score / weight:.3f}", f"{score:.3f}"]
        rows.append(table_row(cells, words=1))
    total = add_in_order(scores.values())
    return [
        "<section>",
        "<h2>Scores</h2>",
        *table(
            "Scores",
            "The draft as it stands; penalties for illegal actions are not in it.",
            table_row(["part", "weight", "score", "weight \u00d7 score"], tag="th", words=1),
            rows,
            table_row(["sum", "", "", f"{total:.3f}"], words=1),
        ),
        "</section>",
    ]
