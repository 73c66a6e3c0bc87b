"""What a pretraining run is: plain data, made into a command line by tyro, stored in every run."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from lightbulb_backbones.pretraining.tokenizer import BYTES
from lightbulb_backbones.runs.limits import check_least, check_most
from lightbulb_backbones.runs.resuming import free_folder


@dataclass(frozen=True)
class TextConfig:
    """What is read."""

    data: Annotated[tuple[str, ...], tyro.conf.arg(metavar="PLACE ...")] = ()
    """Text files, JSON lines, folders of them, or one hub: data set, which is streamed."""
    validation: Annotated[tuple[str, ...], tyro.conf.arg(metavar="PLACE ...")] = ()
    """Texts for the learning curve. Default: the last twentieth of the data, or of a stream its
    first 200 rows. Neither model nor tokenizer learns from it."""
    field: str = "text"
    """Field of JSON lines and of data sets that holds the text."""
    tokenizer: str = BYTES
    """"bytes" or "characters", learnt from the data, or a folder that holds one."""
    vocabulary: int | None = None
    """Tokens that are learnt of bytes, at most. Default: as many as the preset has."""
    length: int = 256
    """Tokens of a window."""
    passages: Annotated[tuple[str, ...], tyro.conf.arg(metavar="PLACE ...")] = ()
    """Other texts that the expert "rag" looks up while it reads; they come with the model. Their
    vectors stay those that they begin with, as in RAG (Lewis et al. 2020, section 2.4)."""
    passage_length: int = 64
    """Tokens of a passage, at most; texts are cut into so many."""

    def __post_init__(self) -> None:
        check_least(self, length=2, passage_length=1)
        check_most(self, length=1_000_000, passage_length=1_000_000)
        if not self.passages and self.passage_length != TextConfig.passage_length:
            raise ValueError(
                f"--passage-length is of --passages, and none are given: got {self.passage_length}"
            )


@dataclass(frozen=True)
class Optimisation:
    """How it learns: AdamW (Loshchilov and Hutter 2019), a warm-up and half a cosine."""

    learning_rate: float = 1e-3
    """The largest step size."""
    warmup: int = 100
    """Steps in which it rises to that."""
    least: float = 0.1
    """Share of it that is left at the end."""
    weight_decay: float = 0.1
    """Of matrices; none of norms, biases, and Mamba's decay rates and skips."""
    beta1: float = 0.9
    """Decay of the gradients' mean."""
    beta2: float = 0.99
    """Decay of their squares' mean."""
    max_grad_norm: float = 1.0
    """Gradients longer than this are shortened to it; inf shortens none."""

    def __post_init__(self) -> None:
        check_least(self, learning_rate=0, warmup=0, least=0, weight_decay=0, beta1=0, beta2=0)
        check_most(self, least=1, beta1=1, beta2=1)
        if not self.max_grad_norm > 0:
            raise ValueError(
                f"max_grad_norm must be more than 0, got {self.max_grad_norm}: every gradient "
                "would be 0 (inf shortens none)"
            )


@dataclass(frozen=True)
class PretrainConfig:
    """Train a language model to predict what comes next, and leave a folder that others load."""

    text: Annotated[TextConfig, tyro.conf.arg(name="")] = field(default_factory=TextConfig)
    preset: str = "tiny"
    """Size: "tiny", "small", "base" or "1b"."""
    settings: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=JSON ...")] = ()
    """Other numbers of the model's config, such as experts='["mamba"]' or hidden_size=128."""
    steps: int = 2000
    """Steps of the optimizer."""
    batch: int = 16
    """Windows of a step, of all processes."""
    accumulate: int = 1
    """Parts in which a process reads its windows of a step, where they do not fit at once. Routers
    are balanced, and compare what texts lose, in each part and not over the whole step."""
    optimisation: Optimisation = field(default_factory=Optimisation)
    precision: Literal["fp32", "bf16"] = "fp32"
    """Numbers that layers compute with; weights are fp32 either way."""
    checkpointing: bool = False
    """Compute layers again in the backward pass instead of keeping what they found."""
    device: str = "auto"
    """"cpu", "cuda", or "auto" for the latter where there is one."""
    threads: int = 1
    """Threads that torch uses on a CPU."""
    seed: int = 0
    """Seed of the weights, of the windows' order and of the router's noise."""
    measure_every: int = 200
    """Steps between two points of the learning curve, each with a sample."""
    save_every: int = 200
    """Steps between two checkpoints."""
    prompt: str = "The "
    """What samples begin with."""
    run_folder: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where the run is written. Default: runs/PRESET-SEED, numbered if it exists."""
    resume: bool = False
    """Go on from the run folder's last checkpoint. The other flags must be those of the run."""

    def __post_init__(self) -> None:
        check_least(
            self,
            steps=1,
            batch=1,
            accumulate=1,
            threads=1,
            seed=0,
            measure_every=1,
            save_every=1,
        )
        check_most(self, seed=2**63 - 1, threads=1024)
        if self.batch % self.accumulate:
            raise ValueError(
                f"batch must be a multiple of accumulate={self.accumulate}, got {self.batch}: its "
                "windows are read in equal parts"
            )

    def folder(self) -> Path:
        """Returns the run folder: by default the first that is free, or to resume the last one."""
        if self.run_folder is not None:
            return self.run_folder
        base = Path("runs") / f"{self.preset}-{self.seed}"
        return free_folder(base, is_resumed=self.resume)

    def settings_of_model(self) -> dict[str, Any]:
        """Returns the numbers that `settings` names; ValueError where one cannot be read."""
        found: dict[str, Any] = {}
        for text in self.settings:
            name, equals, value = text.partition("=")
            if not equals:
                raise ValueError(f"--settings takes NAME=JSON, got {text!r}")
            try:
                found[name] = json.loads(value)
            except json.JSONDecodeError as error:
                raise ValueError(f"--settings {name}: {value!r} is no JSON: {error}") from error
        return found


def config_to_json(config: PretrainConfig) -> dict[str, Any]:
    """Returns what of a config decides a run's results, as plain data."""
    data = asdict(config)
    for name in ("run_folder", "resume"):
        del data[name]
    # What JSON has no number for, such as infinity, is written by its name.
    plain: dict[str, Any] = json.loads(json.dumps(data), parse_constant=str)
    return plain
