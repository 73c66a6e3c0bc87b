"""What language models learnt of real text, as a table and a picture of the committed results."""

import json
from typing import Any

from benchmarks.language.runs import EXPERT, RECIPE, RESULTS, RUNS, TEXTS, TRANSFORMER, Run
from benchmarks.markdown import span, table
from benchmarks.svg import svg
from lightbulb_envs.score import seeds_interval

_NAMES = {EXPERT: "language expert", TRANSFORMER: "transformer", RECIPE: "nanoGPT's transformer"}
_COLOURS = {EXPERT: "#1f6fb2", TRANSFORMER: "#c2571a", RECIPE: "#888"}
_TITLES = {"shakespeare": "Shakespeare, characters", "wikitext2": "WikiText-2, pieces of bytes"}


def _groups() -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """Returns the results of runs that differ by their seed alone, by text, size and model."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for text in TEXTS:
        for run in RUNS.values():
            path = RESULTS / f"{run.name}.json"
            if run.text == text and path.is_file():
                told = json.loads(path.read_text(encoding="utf-8"))
                found.setdefault(_group_of(run), []).append(told)
    return found


def _group_of(run: Run) -> tuple[str, str, str]:
    return run.text, run.size, run.model


def language_table() -> str:
    """Returns how well held-out text is predicted, a row a model and size."""
    rows = []
    for (text, size, model), runs in _groups().items():
        first = runs[0]
        perplexity = sum(one["perplexity"] for one in runs) / len(runs)
        seconds = [one["seconds"] for one in runs]
        rows.append(
            [
                f"{_TITLES[text]}: {size} {_NAMES[model]}",
                f"{first['parameters'] / 1e6:.2f}",
                f"{first['active'] / 1e6:.2f}",
                str(len(runs)),
                _over_seeds([one["bits_per_character"] for one in runs]),
                f"{perplexity:.2f}",
                " to ".join(f"{one:,.0f}" for one in sorted({min(seconds), max(seconds)})),
            ]
        )
    header = ["text and model", "million parameters", "that a token meets", "seeds"]
    return table([*header, "bits a character", "perplexity", "seconds"], rows)


def _over_seeds(values: list[float]) -> str:
    if len(values) < 3:
        return f"**{sum(values) / len(values):.3f}**"
    interval = seeds_interval(values)
    mean, told = span(vars(interval), digits=3)
    return f"**{mean}** {told}"


def language_picture() -> str:
    """Returns the learning curves as an SVG, a panel a text, every seed a line."""
    width, height, left, top, gap = 780, 330, 46, 30, 60
    panel = (width - left - gap) / len(TEXTS)
    inner, tall = panel - 30, height - top - 76
    lines = []
    for number, text in enumerate(TEXTS):
        groups = {key: runs for key, runs in _groups().items() if key[0] == text}
        curves = [one["curve"] for runs in groups.values() for one in runs]
        if not curves:
            continue  # none has been run yet
        most = max(point[0] for curve in curves for point in curve)
        bits = [point[1] for curve in curves for point in curve]
        low, high = min(bits) - 0.1, max(bits) + 0.1
        start = left + number * (panel + gap / 2)

        def place(
            step: float,
            bit: float,
            start: float = start,
            most: float = most,
            low: float = low,
            high: float = high,
        ) -> tuple[float, float]:
            return (
                round(start + inner * step / most, 1),
                round(top + tall * (high - bit) / (high - low), 1),
            )

        lines.append(f'<text x="{start}" y="{top - 12}" font-weight="600">{_TITLES[text]}</text>')
        for tick in range(6):
            bit = low + (high - low) * tick / 5
            x, y = place(0, bit)
            lines.append(f'<line x1="{x}" x2="{x + inner}" y1="{y}" y2="{y}" class="base"/>')
            lines.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{bit:.1f}</text>')
        for step in range(0, int(most) + 1, 500):
            x, y = place(step, low)
            lines.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{step:,}</text>')
        for (_, size, model), runs in groups.items():
            dash = ' stroke-dasharray="5 3"' if size == "tiny" else ""
            for one in runs:
                points = " ".join("{},{}".format(*place(*point)) for point in one["curve"])
                lines.append(
                    f'<polyline points="{points}" class="run" stroke="{_COLOURS[model]}"{dash}>'
                    f"<title>{size} {_NAMES[model]}</title></polyline>"
                )
    for number, (model, name) in enumerate(_NAMES.items()):
        x, y = left + 190 * number, height - 12
        colour = _COLOURS[model]
        lines.append(
            f'<line x1="{x}" x2="{x + 24}" y1="{y - 4}" y2="{y - 4}" class="run" '
            f'stroke="{colour}"/>'
        )
        lines.append(f'<text x="{x + 30}" y="{y}">{name}</text>')
    lines.append(f'<text x="{width - 180}" y="{height - 12}">dashed: tiny, whole: small</text>')
    lines.append(
        f'<text x="{width / 2}" y="{height - 34}" text-anchor="middle">steps; up: bits a character '
        "of held-out text</text>"
    )
    style = (
        "text{font:12px sans-serif;fill:#333}.base{stroke:#ddd}"
        ".run{fill:none;stroke-width:1.5;stroke-opacity:.8}"
    )
    return svg(width, height, "What language models learn of real text", style, lines)
