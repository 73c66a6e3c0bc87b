"""An episode of writing word by word, as text and as a page."""

from typing import TYPE_CHECKING

from lightbulb_envs.html_page import escaped, isolated, page, signed, table, table_row
from lightbulb_envs.render import printable
from lightbulb_envs.summation import add_in_order

if TYPE_CHECKING:  # the engine imports this module when it renders
    from lightbulb_envs.engines.summarise_tokens import TokensEngine


def draft_text(engine: "TokensEngine", row: int) -> str:
    """Returns what a row's draft says."""
    words = engine.words_of(row)
    return " ".join(words[action] for action in engine.draft(row))


def render_tokens(engine: "TokensEngine", row: int) -> str:
    """Returns the article, what may be written, the draft with its scores, and the reference."""
    document, words = engine.document(row), engine.words_of(row)
    lines = [printable(document.id)]
    lines += [f"    {printable(sentence)}" for sentence in document.sentences]
    told = [f"{number} {word}" for number, word in enumerate(words) if word]
    lines.append("words: " + printable("  ".join(told)))
    lines.append("draft: " + printable(draft_text(engine, row)))
    scores = engine.scores(row)
    parts = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
    lines.append(f"score {add_in_order(scores.values()):.3f}  ({parts})")
    lines.append("reference: " + printable(" ".join(document.reference)))
    return "\n".join(lines)


def render_tokens_page(engine: "TokensEngine", row: int) -> str:
    """Returns an episode of writing as a page: the article, the draft, and what every word paid."""
    document = engine.document(row)
    total = add_in_order(add_in_order(one.parts) for one in engine.taken(row))
    sums = {
        "return": signed(total),
        f"oracle ({engine.oracle_method(row)})": signed(engine.oracle_return(row)),
        "budget": f"{len(engine.draft(row))} of {engine.task.budget} words",
    }
    sections = [
        "<header>",
        f'<h1 dir="auto">{escaped(document.id)}</h1>',
        f'<p class="soft">{escaped(engine.task_text)}</p>',
        '<dl class="sums">',
        *(f"<div><dt>{escaped(name)}</dt><dd>{value}</dd></div>" for name, value in sums.items()),
        "</dl>",
        "</header>",
        *_section("Draft", [draft_text(engine, row) or "Nothing so far."]),
        *_section("Reference", document.reference),
        *_section("Article", document.sentences),
        *_steps(engine, row),
    ]
    return page(document.id, sections)


def _section(title: str, texts: tuple[str, ...] | list[str]) -> list[str]:
    lines = [f'<p dir="auto">{isolated(text)}</p>' for text in texts]
    return ["<section>", f"<h2>{title}</h2>", *lines, "</section>"]


def _steps(engine: "TokensEngine", row: int) -> list[str]:
    words, rows = engine.words_of(row), []
    for number, one in enumerate(engine.taken(row), start=1):
        told = "STOP" if one.action == engine.stop else isolated(words[one.action])
        if one.is_illegal:
            told = f"action {one.action}: illegal"
        paid = [signed(value) for value in (*one.parts, add_in_order(one.parts))]
        kind = "illegal" if one.is_illegal else ""
        rows.append(table_row([str(number), told, *paid], words=2, kind=kind))
    head = ["step", "word", *map(escaped, engine.part_names), "reward"]
    return [
        "<section>",
        "<h2>Steps</h2>",
        *table(
            "Steps",
            "What every word was paid, by part of the reward.",
            table_row(head, tag="th", words=2),
            rows,
        ),
        "</section>",
    ]
