"""What pages are made of: no script, nothing loaded, every text escaped.

Each text stands in an element of its own that isolates its direction, so that what is written from
right to left, or turns the direction on purpose, leaves the page around it alone.
"""

import html
import re
from collections.abc import Iterable

from lightbulb_envs.render import printable

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
ZERO = "0.000"
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
    return page(title, [f"<h1>{escaped(title)}</h1>", f'<pre dir="auto">{escape(shown)}</pre>'])


def escape(text: str) -> str:
    """Returns a text as it may stand in a page, line breaks and all."""
    return html.escape(text, quote=True)


def escaped(text: str) -> str:
    """Returns a text on one line, made harmless."""
    return escape(printable(text))


def isolated(text: str) -> str:
    """Returns a text in an element that isolates its direction."""
    return f"<bdi>{escaped(text)}</bdi>"


def page(title: str, sections: Iterable[str]) -> str:
    """Returns a page of sections, which are HTML."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(title)}</title>",
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


def signed(value: float) -> str:
    """Returns a number with its sign, and none if it rounds to 0."""
    text = f"{value:+.3f}".replace("-", "\u2212")
    return ZERO if text[1:] == ZERO else text


def gain(value: float) -> str:
    """Returns a number with its sign, in the colour of what it gains."""
    kind = "up" if value > 0 else "down" if value < 0 else "level"
    return f'<span class="gain {kind}">{signed(value)}</span>'


def table_row(cells: Iterable[str], *, tag: str = "td", words: int = 0, kind: str = "") -> str:
    """Returns a row of a table; its first cell heads it, its first `words` cells are words."""
    parts = []
    for place, cell in enumerate(cells):
        name = "th" if place == 0 else tag
        scope = "" if name == "td" else ' scope="row"' if tag == "td" else ' scope="col"'
        style = ' class="words"' if place < words else ""
        parts.append(f"<{name}{scope}{style}>{cell}</{name}>")
    style = f' class="{kind}"' if kind else ""
    return f"<tr{style}>{''.join(parts)}</tr>"


def table(
    label: str, caption: str, head: str, rows: Iterable[str], foot: str | None = None
) -> list[str]:
    """Returns a table that scrolls by itself where the page is narrow."""
    return [
        f'<div class="wide" role="region" aria-label="{escaped(label)}" tabindex="0">',
        f"<table>\n<caption>{caption}</caption>",
        f"<thead>{head}</thead>",
        "<tbody>",
        *rows,
        "</tbody>",
        *([] if foot is None else [f"<tfoot>{foot}</tfoot>"]),
        "</table>\n</div>",
    ]
