"""An episode of reading as one self-contained page."""

from typing import TYPE_CHECKING

from lightbulb_envs.html_page import escaped, page, signed, table, table_row
from lightbulb_envs.summation import add_in_order

if TYPE_CHECKING:  # the engine imports this module when it renders
    from lightbulb_envs.engines.sentiment import SentimentEngine
    from lightbulb_envs.sources.labelled import Review


def render_review_page(engine: "SentimentEngine", row: int) -> str:
    """Returns an episode of reading as a page: the text, what was read of it, and what was paid.

    Beside each chunk stands what a reader believes at that point who knows the rules by which
    reviews are told; of real text nobody knows them.
    """
    review = engine.document(row)
    sections = [
        *_opening(engine, row, review),
        *_text(engine, row, review),
        *_steps(engine, row),
    ]
    return page(review.id, sections)


def _opening(engine: "SentimentEngine", row: int, review: "Review") -> list[str]:
    taken = engine.taken(row)
    total = add_in_order(add_in_order(one.parts) for one in taken)
    method = "on average" if engine.oracle_method(row) == "expected" else "knowing the label"
    sums = {
        "return": signed(total),
        f"oracle ({method})": signed(engine.oracle_return(row)),
        "answer": escaped(engine.answer(row) or "none yet"),
        "label": escaped(review.label),
        "read": f"{engine.num_read(row)} of {len(review.chunks)} chunks",
    }
    return [
        "<header>",
        f'<h1 dir="auto">{escaped(review.id)}</h1>',
        f'<p class="soft">{escaped(engine.task_text)}</p>',
        '<dl class="sums">',
        *(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in sums.items()),
        "</dl>",
        "</header>",
    ]


def _text(engine: "SentimentEngine", row: int, review: "Review") -> list[str]:
    """Returns the title and the chunks, with beliefs beside them where rules are known."""
    read, beliefs = {0, *(1 + chunk for chunk in engine.chunks_read(row))}, engine.beliefs(row)
    lines = ["<section>", "<h2>Text</h2>", '<ol class="sentences" role="list">']
    for number, text in enumerate((review.title, *review.chunks)):
        if not text:
            continue
        kind = "" if number == 0 else ' class="picked"' if number in read else ' class="beyond"'
        notes = "" if number in read else '<span class="oracle">not read</span>'
        if beliefs is not None:
            told = ", ".join(
                f"{escaped(label)} {100 * chance:.0f}\u00a0%"
                for label, chance in zip(engine.labels, beliefs[number].tolist(), strict=True)
            )
            notes += f'<span class="parts">who knows the rules: {told}</span>'
        beside = f'<div class="earned">{notes}</div>' if notes else ""
        lines.append(
            f'<li{kind}><span class="number">{number}</span>'
            f'<p dir="auto">{escaped(text)}</p>{beside}</li>'
        )
    return [*lines, "</ol>", "</section>"]


def _steps(engine: "SentimentEngine", row: int) -> list[str]:
    taken = engine.taken(row)
    if not taken:
        return ["<section>", "<h2>Steps</h2>", '<p class="soft">None so far.</p>', "</section>"]
    rows = []
    for number, one in enumerate(taken, start=1):
        told = engine.told(one.action)
        if one.is_illegal:
            told += f": illegal, {engine.illegal_text}"
        paid = [signed(value) for value in (*one.parts, add_in_order(one.parts))]
        kind = "illegal" if one.is_illegal else ""
        rows.append(table_row([str(number), escaped(told), *paid], words=2, kind=kind))
    head = ["step", "action", *map(escaped, engine.part_names), "reward"]
    return [
        "<section>",
        "<h2>Steps</h2>",
        *table(
            "Steps",
            "What every action was paid, by part of the reward.",
            table_row(head, tag="th", words=2),
            rows,
        ),
        "</section>",
    ]
