"""Which texts are read by which models, and where what they learnt is kept."""

from dataclasses import dataclass
from pathlib import Path

from lightbulb_backbones.pretraining.tokenizer import BYTES, CHARACTERS

RESULTS = Path(__file__).parents[1] / "results" / "language"
STEPS, BATCH, LENGTH = 2000, 12, 64
SEEDS = (0, 1, 2)
EXPERT, TRANSFORMER, RECIPE = "expert", "transformer", "nanogpt"


@dataclass(frozen=True)
class Text:
    """What is read: files of a folder, and what tokens are."""

    train: str
    test: str
    tokenizer: str
    prompt: str


TEXTS = {
    "shakespeare": Text("shakespeare_train.txt", "shakespeare_valid.txt", CHARACTERS, "The "),
    "wikitext2": Text("wiki.valid.tokens", "wiki.test.raw", BYTES, "The "),
}


@dataclass(frozen=True)
class Run:
    """One training."""

    text: str
    size: str
    model: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.text}-{self.size}-{self.model}-{self.seed}"


RUNS = {
    run.name: run
    for run in (
        *(
            Run(text, size, model, seed)
            for seed in SEEDS
            for size in ("tiny", "small")
            for text in TEXTS
            for model in (EXPERT, TRANSFORMER)
        ),
        *(Run("shakespeare", "nano", RECIPE, seed) for seed in SEEDS),
    )
}
