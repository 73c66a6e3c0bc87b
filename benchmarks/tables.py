"""Writes the tables and the picture that are made from committed results.

    python -m benchmarks.tables

fills the parts of README.md and benchmarks/README.md between `<!-- name -->` and `<!-- /name -->`,
and draws docs/learning.svg. A test compares them with the results.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightbulb_envs
from benchmarks.cards import CARD_TABLES
from benchmarks.cost_tables import memory_table, profile_table, time_to_score_table
from benchmarks.markdown import load, span, table
from benchmarks.throughput.table import (
    second_throughput_table,
    speed_sentence,
    throughput_table,
)
from lightbulb_envs.sources.newsroom.levels import level_table
from lightbulb_envs.sources.reviews.levels import review_level_table

ROOT = Path(__file__).parent.parent
FILES = (
    "README.md",
    "benchmarks/README.md",
    "docs/envs/news_summariser.md",
    "docs/envs/sentiment_analysis.md",
)
PICTURE = "docs/learning.svg"
TRADEOFF = "docs/tradeoff.svg"


def environments_table() -> str:
    """Returns a row an environment id, without the suite's name."""
    rows = [
        [
            f"`{row.id.removeprefix('Lightbulb/')}`",
            str(row.settings["level"]),
            row.head,
            row.heuristic,
            row.agent,
        ]
        for row in lightbulb_envs.ROWS.values()
    ]
    return table(["Lightbulb/…", "level", "head", "reference heuristic", "sub-agent"], rows)


def levels_table() -> str:
    """Returns what the baselines score on validation documents, a row a level."""
    return _levels("levels", {"lead-3": "lead-3", "centrality": "centrality"} | _CEILING)


def review_levels_table() -> str:
    """Returns what the baselines score on validation reviews, a row a level."""
    return _levels("review_levels", {name: name for name in ("lexicon", "lexicon, all read")})


_CEILING = {"ceiling": "readable ceiling"}


def _levels(results_of: str, names: dict[str, str]) -> str:
    rows = []
    for level, results in load(results_of).items():
        scores = {entry["name"]: entry["score"] for entry in results["entries"]}
        cells = [
            f"{scores[name]['mean']:.1f} ({scores[name]['low']:.1f} to {scores[name]['high']:.1f})"
            for name in names
        ]
        rows.append([level, *cells])
    return table(["level", *names.values()], rows)


def attributes_table() -> str:
    """Returns the named attributes of every level of the newsroom."""
    return _attributes(level_table())


def review_attributes_table() -> str:
    """Returns the named attributes of every level of reviews."""
    return _attributes(review_level_table())


def _attributes(levels: list[dict[str, Any]]) -> str:
    names = list(levels[0])
    rows = [
        [name.replace("_", " "), *(_attribute(level[name]) for level in levels)]
        for name in names
        if name != "level"
    ]
    return table(["attribute", *(f"level {level['level']}" for level in levels)], rows)


def _attribute(value: Any) -> str:
    return f"{value[0]} to {value[1]}" if isinstance(value, tuple) else str(value)


def learning_table() -> str:
    """Returns what was learnt of summarising, a row a suite."""
    return _learning(("lead-3", "centrality"), lambda env: "NewsSummariser" in env)


def reader_learning_table() -> str:
    """Returns what was learnt of reading, a row a suite."""
    return _learning(("lexicon",), lambda env: "SentimentAnalysis" in env)


def cue_table() -> str:
    """Returns who is fooled by a cue that is reversed in `ood`."""
    suites = {
        name: suite for name, suite in load("learning").items() if "-Cue-" in suite.get("env", "")
    }
    (first, *_) = suites.values()
    heuristic = [f"{one['lexicon']:.1f}" for one in (first["baselines"], first["ood"]["baselines"])]
    rows = [["lexicon", *heuristic]]
    for suite in suites.values():
        told = [" ".join(span(one["score"])) for one in (suite, suite["ood"])]
        rows.append([f"{suite['agent']}, {suite['budget']}, {len(suite['seeds'])} seeds", *told])
    return table(["on SentimentAnalysis-Cue-v0", "test: the cue holds", "ood: reversed"], rows)


def learnt_table() -> str:
    """Returns what was learnt on the two base ids."""
    bases = ("Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0")
    return _learning((), lambda env: env in bases, has_settings=False)


def _learning(
    heuristics: Sequence[str], takes: Callable[[str], bool], *, has_settings: bool = True
) -> str:
    """Returns what was learnt, a row a suite of an id that is taken."""
    results = load("learning")
    machine = results.pop("machine")
    suites = [
        suite
        for suite in results.values()
        if takes(suite["env"]) and (has_settings or not suite["settings"])
    ]
    rows = []
    for suite in suites:
        gaps, baselines = suite["differences"], suite["baselines"]
        heuristic = max((name for name in gaps), key=lambda name: baselines[_than(name)])
        told = [f"{baselines[name]:.1f}" for name in heuristics]
        if not heuristics:
            told = [f"{_than(heuristic)} {baselines[_than(heuristic)]:.1f}"]
        gained = [_gap(gaps[f"trained - {name}"]) for name in heuristics]
        rows.append(
            [
                f"`{' '.join([suite['env'].removeprefix('Lightbulb/'), *suite['settings']])}`",
                suite["agent"],
                suite["budget"],
                str(len(suite["seeds"])),
                f"{max(suite['steps']):,}",
                f"{min(suite['seconds'])} to {max(suite['seconds'])}",
                f"**{span(suite['score'])[0]}** {span(suite['score'])[1]}",
                " ".join(span(suite["ood"]["score"])),
                *told,
                f"{baselines.get('ceiling', 100.0):.1f}",
                *(gained or [_gap(gaps[heuristic])]),
            ]
        )
    header = ["environment", "agent", "budget", "seeds", "steps", "seconds", "trained, test"]
    header += ["trained, ood", *(heuristics or ["best heuristic"]), "ceiling"]
    header += [f"return over {name}" for name in heuristics or ["it"]]
    documents = {suite["documents"] for suite in suites}
    note = (
        f"Scores on {documents.pop()} documents of `test` (baselines too) and of `ood`: random 0, "
        "oracle 100 of the same documents. Means over seeds "
        "with 95 % Student intervals; gains in return with paired 95 % intervals over seeds and "
        f"documents. Machine: {machine['processor']}, {machine['cores']} cores, one "
        "thread a run, two runs at a time beside other work, so seconds are an upper bound."
    )
    return table(header, rows) + "\n\n" + note


def _than(difference: str) -> str:
    """Returns the heuristic that a difference is over."""
    return difference.removeprefix("trained - ")


def _gap(interval: dict[str, float]) -> str:
    return f"{interval['mean']:+.3f} ({interval['low']:+.3f} to {interval['high']:+.3f})"


def news_table() -> str:
    """Returns ROUGE on real news, a row a policy."""
    results = load("news")
    names = {
        "lead-3": "lead-3",
        "centrality": "centrality (LexRank)",
        "greedy": "greedy oracle",
        "oracle": "beam oracle",
    }
    kinds = ("rouge1", "rouge2", "rougeLsum")
    rows = [
        [label, *(f"{results['baselines'][name][kind]:.2f}" for kind in kinds)]
        for name, label in names.items()
    ]
    own = [f"**{results['trained'][kind]:.2f}**" for kind in kinds]
    rows.insert(2, ["trained (mean of three seeds)", *own])
    gaps = results["trained - lead-3"]
    cells = [
        f"{gaps[kind]['mean']:+.2f} ({gaps[kind]['low']:+.2f} to {gaps[kind]['high']:+.2f})"
        for kind in kinds
    ]
    rows.insert(3, ["trained − lead-3, paired 95 %", *cells])
    note = (
        f"CNN / Daily Mail samples: {results['training_articles']} articles to train on, "
        f"{results['test_articles']} to test, at most three sentences, {results['budget']:,} "
        "steps. ROUGE F1 × 100, stemmed, by `rouge-score`; intervals over seeds and documents. The "
        f"steps were chosen by the returns on 100 training articles ({_tuning()})."
    )
    return table(["policy", "ROUGE-1", "ROUGE-2", "ROUGE-Lsum"], rows) + "\n\n" + note


def replay_table() -> str:
    """Returns what replaying records costs beside stepping, a row a policy."""
    results = load("replay")
    rows = [
        [
            policy,
            f"{result['steps']:,}",
            _span(result["step_seconds"]),
            _span(result["replay_seconds"]),
            f"**{speed['median']:.2f}** ({speed['least']:.2f} to {speed['most']:.2f})",
        ]
        for policy, result in results["policies"].items()
        for speed in [result["speed_of_replay"]]
    ]
    note = (
        f"{results['episodes']:,} episodes of `{results['env'].removeprefix('Lightbulb/')}`, "
        f"{results['rows']} at a time: medians of {results['repeats']} interleaved repeats, with "
        "the least and the most, in seconds of one core. Stepping has the engine open and the "
        "actions in memory; replaying reads the file, opens the engine and compares every reward."
    )
    header = ["policy", "steps", "stepping", "replaying", "speed of replaying over stepping"]
    return table(header, rows) + "\n\n" + note


def _span(seconds: dict[str, float]) -> str:
    return f"{seconds['median']:.2f} s ({seconds['least']:.2f} to {seconds['most']:.2f})"


def _tuning() -> str:
    returns = load("news_tuning")["returns"]
    return ", ".join(
        f"{int(budget):,}: {sum(scores) / len(scores):.4f}" for budget, scores in returns.items()
    )


TABLES = {
    "environments": environments_table,
    "levels": levels_table,
    "review_levels": review_levels_table,
    "review_attributes": review_attributes_table,
    "attributes": attributes_table,
    "learning": learning_table,
    "learnt": learnt_table,
    "reader_learning": reader_learning_table,
    "reader_cue": cue_table,
    "news": news_table,
    "replay": replay_table,
    "speed": speed_sentence,
    "throughput": throughput_table,
    "second_throughput": second_throughput_table,
    "time_to_score": time_to_score_table,
    "profile": profile_table,
    "memory": memory_table,
    **CARD_TABLES,
}


def filled(text: str) -> str:
    """Returns a page with all its tables made anew."""

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- {name} -->\n{TABLES[name]()}\n<!-- /{name} -->"

    return re.sub(r"<!-- (?P<name>\w+) -->\n.*?<!-- /(?P=name) -->", fill, text, flags=re.DOTALL)


def learning_picture() -> str:
    """Returns the learning curves on -v0 as an SVG, every seed of the long budget a line."""
    suite = load("learning")["v0-long"]
    width, height, left, top = 720, 300, 56, 16
    inner_width, inner_height = width - left - 150, height - top - 44
    most = max(curve[-1][0] for curve in suite["curves"])

    def place(steps: float, score: float) -> str:
        return (
            f"{left + inner_width * steps / most:.1f},{top + inner_height * (1 - score / 100):.1f}"
        )

    lines, lowest = [], 0.0
    marks = {**suite["baselines"], "trained": suite["score"]["mean"]}
    for name in ("oracle", "ceiling", "trained", "centrality", "lead-3", "random"):
        y = float(place(0, marks[name]).split(",")[1])
        label = {"ceiling": "readable ceiling"}.get(name, name)
        weight = "600" if name == "trained" else "400"
        if name != "trained":
            lines.append(
                f'<line x1="{left}" x2="{left + inner_width}" y1="{y}" y2="{y}" class="base"/>'
            )
        lowest = max(y + 4, lowest + 13)  # labels below one another, however close their lines
        lines.append(
            f'<text x="{left + inner_width + 8}" y="{lowest:.1f}" font-weight="{weight}">'
            f"{label} {marks[name]:.0f}</text>"
        )
    for curve in suite["curves"]:
        points = " ".join(place(steps, max(score, 0.0)) for steps, score in curve)
        lines.append(f'<polyline points="{points}" class="run"/>')
    for step in range(0, int(most) + 1, 1_000_000):
        x = place(step, 0).split(",")[0]
        lines.append(
            f'<text x="{x}" y="{top + inner_height + 18}" text-anchor="middle">'
            f"{step // 1_000_000} M</text>"
        )
    lines.append(
        f'<text x="{left + inner_width / 2}" y="{height - 8}" text-anchor="middle">'
        "environment steps</text>"
    )
    lines.append(
        f'<text x="14" y="{top + inner_height / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {top + inner_height / 2})">validation score</text>'
    )
    style = (
        "text{font:12px sans-serif;fill:#333}"
        ".base{stroke:#999;stroke-dasharray:3 4}"
        ".run{fill:none;stroke:#1f6fb2;stroke-width:1.6;stroke-opacity:.75}"
    )
    title = "Five seeds of PPO learn Lightbulb/NewsSummariser-v0"
    return _svg(width, height, title, style, lines)


def tradeoff_picture() -> str:
    """Returns an SVG of accuracy against the share read: best reader, baselines, trained agents."""
    results, learnt = load("tradeoff"), load("learning")
    width, height, left, top, right, bottom = 720, 420, 60, 24, 24, 48
    low = 0.45

    def place(share: float, accuracy: float) -> tuple[float, float]:
        x = left + share * (width - left - right)
        y = top + (1 - (accuracy - low) / (1 - low)) * (height - top - bottom)
        return round(x, 1), round(y, 1)

    lines = []
    for tick in range(0, 11, 2):
        x, y = place(tick / 10, low)
        lines.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{tick * 10} %</text>')
    for tick in range(5, 11):
        x, y = place(0, tick / 10)
        lines.append(f'<line x1="{left}" x2="{width - right}" y1="{y}" y2="{y}" class="base"/>')
        lines.append(f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{tick * 10} %</text>')
    curve = [place(one["share_read"], one["accuracy"]) for one in results["best"]]
    points = " ".join(f"{x},{y}" for x, y in curve)
    lines.append(f'<polyline points="{points}" class="best"/>')
    for one, (x, y) in zip(results["best"], curve, strict=True):
        own = one["cost"] == 0.05
        lines.append(f'<circle cx="{x}" cy="{y}" r="{6 if own else 3}" class="best dot"/>')
        if own:
            lines.append(
                f'<text x="{x - 10}" y="{y - 8}" text-anchor="end">best reader, 0.05</text>'
            )
    for name, one in results["baselines"].items():
        x, y = place(one["share_read"], one["accuracy"])
        lines.append(f'<circle cx="{x}" cy="{y}" r="4" class="other"/>')
        anchor = "end" if x > width / 2 else "start"
        shift = -8 if anchor == "end" else 8
        lines.append(f'<text x="{x + shift}" y="{y + 16}" text-anchor="{anchor}">{name}</text>')
    for suite in learnt.values():
        if suite.get("env") != "Lightbulb/SentimentAnalysis-v0" or suite["settings"]:
            continue
        metrics, kind = suite["metrics"], suite["agent"]
        for share, accuracy in zip(metrics["share_read"], metrics["accuracy"], strict=True):
            x, y = place(share, accuracy)
            told = f"{kind}, {suite['budget']} budget"
            lines.append(
                f'<circle cx="{x}" cy="{y}" r="5" class="{kind} {suite["budget"]}">'
                f"<title>{told}</title></circle>"
            )
    legend = (("ppo short", "PPO"), ("dqn short", "DQN"))
    for number, (kind, name) in enumerate(legend):
        y = height - bottom - 40 + 18 * number
        x = width - right - 90
        lines.append(f'<circle cx="{x}" cy="{y - 4}" r="5" class="{kind}"/>')
        lines.append(f'<text x="{x + 12}" y="{y}">{name}, a seed</text>')
    middle = (left + width - right) / 2
    lines.append(f'<text x="{middle}" y="{height - 8}" text-anchor="middle">share read</text>')
    lines.append(
        f'<text x="14" y="{height / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {height / 2})">accuracy</text>'
    )
    style = (
        "text{font:12px sans-serif;fill:#333}.base{stroke:#ddd}"
        ".best{fill:none;stroke:#333;stroke-width:1.6}.dot{fill:#333}.other{fill:#999}"
        ".ppo{fill:#1f6fb2;fill-opacity:.7}.dqn{fill:#c2571a;fill-opacity:.7}"
        ".long{stroke:#000;stroke-width:1.2}"
    )
    title = "What agents read of SentimentAnalysis-v0, and how often they are right"
    return _svg(width, height, title, style, lines)


def _svg(width: int, height: int, title: str, style: str, lines: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            '<rect width="100%" height="100%" fill="white"/>',
            *lines,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Fills all tables and draws the pictures."""
    for name in FILES:
        path = ROOT / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / PICTURE).write_text(learning_picture(), encoding="utf-8")
    (ROOT / TRADEOFF).write_text(tradeoff_picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
