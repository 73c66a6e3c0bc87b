"""Which agents are trained with which backbones, for how long, and where the results are kept."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.markdown import RESULTS

FOLDER = RESULTS / "agent_backbones"
SEEDS = (0, 1, 2)
SECONDS, LONG_SECONDS = 300, 2700
"""Of training, for all backbones alike; and of the one run of a larger one."""
PICKS, READS = "NewsSummariser-v0", "SentimentAnalysis-v0"
TASKS = (PICKS, READS)
AGENT = "auto"
"""The sub-agent that the registry names for a task."""
PRETRAINED, UNTRAINED = "pretrained", "untrained"
SMALL = "language:small"
EXPERTS = ("language:tiny", PRETRAINED, UNTRAINED)
BACKBONES = ("bag", "transformer", "mamba", "mamba2", *EXPERTS)
ARTICLES, PRETRAINING = 20_000, 3000
"""Articles that a model reads before an agent has it, and steps in which it does."""


@dataclass(frozen=True)
class Trained:
    """One task with one backbone."""

    task: str
    backbone: str
    seeds: tuple[int, ...] = SEEDS
    seconds: int = SECONDS
    trial: int = 20_000
    """Steps of the training that tells how fast it is."""

    @property
    def name(self) -> str:
        """Name of its files, without a seed."""
        return f"{self.task}-{self.backbone.replace(':', '-')}"

    def results(self, seed: int) -> Path:
        """Returns the file of what a run scored."""
        return FOLDER / f"{self.name}-{seed}.json"


_SLOW = {(PICKS, backbone) for backbone in EXPERTS}

TRAINED = {
    one.name: one
    for one in (
        *(
            Trained(task, backbone, trial=4000 if (task, backbone) in _SLOW else 20_000)
            for task in TASKS
            for backbone in BACKBONES
        ),
        Trained(PICKS, SMALL, (0,), LONG_SECONDS, trial=3000),
    )
}
