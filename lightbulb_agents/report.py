"""The report of a run: one self-contained page, and the learning curve as a picture."""

import base64
import io
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
import numpy as np

from lightbulb_agents.config import TrainConfig
from lightbulb_agents.evaluate import Results
from lightbulb_backbones.runs.metrics import as_floats, read_metrics
from lightbulb_envs.engines.engine import Engine, task_text
from lightbulb_envs.engines.slate import SlateEngine
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.record import versions
from lightbulb_envs.rollout import Episode
from lightbulb_envs.summation import add_in_order
from lightbulb_envs.whole_file import write_whole

SHOWN_ARTICLES = 3
_NAMES = {
    "random": "random (uniform over legal actions)",
    "lead-3": "lead-3 (the first three sentences)",
    "centrality": "centrality (LexRank)",
    "trained": "trained",
    "ceiling": "readable ceiling (true facts, not the reference's wording)",
    "oracle": "oracle",
}


def draw_learning_curve(rows: list[dict[str, str]], env_id: str, split: str, path: Path) -> None:
    """Draws the score on documents of a split against environment steps."""
    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    axes.plot(as_floats(rows, "steps"), as_floats(rows, "score"), marker="o", markersize=3)
    axes.axhline(0, color="grey", linewidth=0.8, linestyle=":")
    axes.axhline(100, color="grey", linewidth=0.8, linestyle=":")
    axes.text(0, 1, "random", color="grey", fontsize=8, va="bottom")
    axes.text(0, 99, "oracle", color="grey", fontsize=8, va="top")
    axes.set_xlabel("environment steps")
    axes.set_ylabel(f"{split} score")
    axes.set_title(env_id, fontsize=10)
    axes.xaxis.set_major_formatter(mpl.ticker.EngFormatter())
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)
    write_whole(path, [picture.getvalue()])


def write_report(
    run: Path,
    config: TrainConfig,
    results: Results,
    engine: Engine,
    episodes: list[Episode],
    curve_split: str,
) -> None:
    """Writes report.html: the table, the curve, and what was picked from three articles."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lightbulb_agents", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    picture = base64.b64encode((run / "learning_curve.png").read_bytes()).decode("ascii")
    page = environment.get_template("report.html").render(
        config=config,
        algorithm=config.algorithm(),
        results=results,
        names=_NAMES,
        rows=read_metrics(run / "metrics.csv"),
        picture=picture,
        curve_split=curve_split,
        parts=engine.part_names,
        task=None if isinstance(engine, SummariseEngine | SlateEngine) else task_text(engine),
        versions=versions(),
        articles=[_article(engine, episode) for episode in _chosen(episodes)],
    )
    write_whole(run / "report.html", [page.encode("utf-8")])


def _chosen(episodes: list[Episode]) -> list[Episode]:
    """Returns a weak, a middling and a good episode: the 10th, 50th and 90th percentile."""
    order = np.argsort([episode.episode_return for episode in episodes], kind="stable")
    places = {int(share * (len(order) - 1)) for share in (0.1, 0.5, 0.9)}
    return [episodes[order[place]] for place in sorted(places)][:SHOWN_ARTICLES]


def _article(engine: Engine, episode: Episode) -> dict[str, Any]:
    """Replays an episode; returns its article with what each pick earned, part by part."""
    row = np.zeros(1, dtype=np.int64)
    engine.reset(row, np.array([episode.instance]))
    for action in episode.actions:
        engine.step(row, np.array([action]))
    if not isinstance(engine, SummariseEngine | SlateEngine):
        return {"text": engine.render(0, "ansi"), "total": episode.episode_return}
    document = engine.document(0)
    picks: dict[int, dict[str, Any]] = {}
    for order, pick in enumerate(engine.picks(0), start=1):
        parts = dict(zip(engine.part_names, pick.parts, strict=True))
        shown = {name: gain for name, gain in parts.items() if gain}
        picks[pick.action] = {"order": order, "gain": add_in_order(pick.parts), "parts": shown}
    best = engine.oracle(0).draft
    claimed = {
        fact
        for sentence in picks
        if sentence < len(document.claims)
        for fact in document.claims[sentence]
    }
    return {
        "document": document,
        "picks": picks,
        "stopped": len(picks) < engine.task.budget,
        "oracle": best,
        "total": episode.episode_return,
        "oracle_return": engine.oracle_return(0),
        "key_facts": [
            {"fact": fact, "covered": number in claimed}
            for number, fact in enumerate(document.facts)
            if fact.is_key
        ],
    }
