"""The pictures of the pages that are drawn from committed results, as SVG text.

`python -m benchmarks.tables` writes them.
"""

from benchmarks.language.report import language_picture
from benchmarks.markdown import load
from benchmarks.svg import svg


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
    return svg(width, height, title, style, lines)


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
    return svg(width, height, title, style, lines)


PICTURES = {
    "docs/learning.svg": learning_picture,
    "docs/tradeoff.svg": tradeoff_picture,
    "docs/benchmarks/language.svg": language_picture,
}
"""What draws each file."""
