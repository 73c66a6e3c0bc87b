"""What agents learnt with each backbone, as tables of the committed results."""

import json
from typing import Any

from benchmarks.agent_backbones.runs import PRETRAINED, TRAINED, UNTRAINED
from benchmarks.markdown import NOT_MEASURED, span, table
from lightbulb_envs.score import seeds_interval

_NAMES = {
    PRETRAINED: "`hf:` tiny language expert that has read articles",
    UNTRAINED: "the same with fresh weights",
}


def agent_backbones_table(task: str) -> str:
    """Returns what agents of a task score, a row a backbone that has been run with all seeds."""
    rows = []
    for one in TRAINED.values():
        paths = [one.results(seed) for seed in one.seeds]
        if one.task != task or not all(path.is_file() for path in paths):
            continue
        runs: list[dict[str, Any]] = [json.loads(path.read_text("utf-8")) for path in paths]
        seconds = sorted(run["seconds"] for run in runs)
        rows.append(
            [
                _NAMES.get(one.backbone, f"`{one.backbone}`"),
                str(len(runs)),
                f"{runs[0]['steps']:,}",
                " to ".join(f"{second:,}" for second in dict.fromkeys((seconds[0], seconds[-1]))),
                *(_over_seeds([run[split]["score"] for run in runs]) for split in ("test", "ood")),
            ]
        )
    columns = ["backbone", "seeds", "steps", "seconds", "`test`", "`ood`"]
    return table(columns, rows) if rows else NOT_MEASURED


def _over_seeds(scores: list[float]) -> str:
    """Returns a mean with its interval, or a single score."""
    if len(scores) == 1:
        return f"**{scores[0]:.1f}**"
    mean, told = span(vars(seeds_interval(scores)))
    return f"**{mean}** {told}"
