"""What a training run is: plain data, made into a command line by tyro, stored in every run."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import tyro

from lightbulb_agents.actor_critic import ActorCriticConfig
from lightbulb_agents.dqn import QConfig
from lightbulb_agents.network import NetworkConfig
from lightbulb_backbones.runs.limits import check_least, check_most
from lightbulb_backbones.runs.resuming import free_folder
from lightbulb_backbones.table import LANGUAGE, PRETRAINED, BackboneConfig, Tuning
from lightbulb_envs.registry import find_row
from lightbulb_envs.settings import parse_settings

BUDGETS = {"short": 360_000, "long": 5_400_000}
"""Environment steps: measured once to be about 2 and 30 minutes on a core, then fixed."""
Algorithm = Literal["ppo", "a2c", "dqn", "qrdqn"]
Agent = Literal["auto", Algorithm]
SUB_AGENTS: dict[str, Algorithm] = {"actor_critic": "ppo", "dqn": "dqn"}
"""Sub-agent of the registry → the algorithm that `--agent auto` takes."""


@dataclass(frozen=True)
class SourceFlags:
    """Files to read instead of the newsroom, as in `--source.train jsonl:news.jsonl`."""

    train: tuple[str, ...] = ()
    """Documents to train on."""
    validation: tuple[str, ...] = ()
    """Documents for the learning curve; without them it is drawn on training documents."""
    test: tuple[str, ...] = ()
    """Documents for the final table."""

    def setting(self) -> dict[str, list[str]] | None:
        """Returns the environment's `source` setting, None for the newsroom."""
        named = {split: list(paths) for split, paths in asdict(self).items() if paths}
        if named and "train" not in named:
            raise ValueError(f"--source names {', '.join(named)} but no --source.train")
        return named or None


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network."""

    width: int = 64
    """Length of a state."""
    backbone_layers: int = 1
    """Layers of a backbone that has any."""
    heads: int = 4
    """Attention heads; they divide the width."""
    article_layers: int = 1
    """Layers over the sentences of an article."""
    dropout: float = 0.0
    """Share of the tokens that are hidden while the network learns, against learning few documents
    by heart. It acts on all of them."""

    def __post_init__(self) -> None:
        check_least(self, width=1, backbone_layers=1, heads=1, article_layers=0, dropout=0)
        check_most(self, width=8192, backbone_layers=128, article_layers=128)
        if self.dropout >= 1:
            raise ValueError(f"dropout must be less than 1, got {self.dropout}")
        if self.width % self.heads:
            raise ValueError(
                f"width must be a multiple of heads={self.heads}, got {self.width}: every head "
                "takes an equal share of it"
            )


@dataclass(frozen=True)
class TrainConfig:
    """Train an agent on an environment, evaluate it on unseen documents, and write a report."""

    env: str = "Lightbulb/NewsSummariser-v0"
    """Environment id."""
    agent: Agent = "auto"
    """Sub-agent; "auto" takes the one that the environment's registry row recommends."""
    also: Annotated[tuple[str, ...], tyro.conf.arg(metavar="ENV ...")] = ()
    """More environments that the agent learns, each by a sub-agent with a head of its own over one
    encoder; the budget is that of each."""
    also_agent: tuple[Agent, ...] = ()
    """Their sub-agents, in their order. Default: "auto" for all."""
    backbone: str = "bag"
    """Network that reads the tokens: "bag", "transformer", "mamba", "mamba2", "language:SIZE" for
    the language expert of a preset, or "hf:FOLDER" for a model with weights, whose tokenizer is
    then the environment's."""
    tuning: Tuning = "full"
    """What of it learns: all its weights, none of them, or matrices of low rank beside them."""
    rank: int = 8
    """Of those matrices."""
    passages: int = 0
    """Training documents whose sentences a language expert may look up while it reads."""
    budget: str = "short"
    """"short" (about 2 minutes on a core), "long" (about 30), or environment steps."""
    seed: int = 0
    """Seed of the weights, the documents and the actions."""
    run_folder: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where the run is written. Default: runs/ENV-AGENT-BUDGET-SEED, numbered if it exists."""
    resume: bool = False
    """Go on from the run folder's last checkpoint. The other flags must be those of the run."""
    source: SourceFlags = field(default_factory=SourceFlags)
    settings: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=JSON ...")] = ()
    """Other keywords of the environment, such as budget=3 or reward='{"rouge1": 1}'."""
    sizes: Sizes = field(default_factory=Sizes)
    learning: ActorCriticConfig = field(default_factory=ActorCriticConfig)
    q: QConfig = field(default_factory=QConfig)
    rows: int = 256
    """Episodes that are played at once."""
    rollouts: int = 2
    """Episodes of the same document among them; they divide the rows."""
    threads: int = 1
    """Threads that torch uses. At the default sizes a second one gains about a tenth on an idle
    machine and costs much on a busy one. Results are the same bit for bit only with the same
    number."""
    test_episodes: int = 500
    """Test documents of the final table."""

    def __post_init__(self) -> None:
        check_least(self, seed=0, rows=2, rollouts=1, threads=1, test_episodes=1, rank=1)
        check_least(self, passages=0)
        check_most(self, seed=2**63 - 1, rows=65_536, threads=1024, test_episodes=1_000_000)
        if self.rows % self.rollouts:
            raise ValueError(
                f"rows must be a multiple of rollouts={self.rollouts}, got {self.rows}"
            )
        self._check_also()
        self._check_backbone()

    def _check_backbone(self) -> None:
        default = TrainConfig.rank
        if self.rank != default and self.tuning != "lora":
            raise ValueError(
                f"--rank is of --tuning lora, and tuning is {self.tuning!r}: leave --rank out"
            )
        if ":" in self.backbone and self.sizes.backbone_layers != Sizes.backbone_layers:
            raise ValueError(
                f"--backbone {self.backbone} has layers of its own: leave out "
                "--sizes.backbone-layers"
            )
        if self.passages and not self.backbone.startswith((LANGUAGE, PRETRAINED)):
            raise ValueError(
                f"--passages are looked up by a language expert, and --backbone is "
                f"{self.backbone!r}: leave them out, or take {LANGUAGE}SIZE"
            )
        if self.passages and self.also:
            raise ValueError(
                "passages are told in the tokens of one environment, and an agent of several "
                "numbers theirs anew: leave out --also, or --passages"
            )
        if self.backbone.startswith(PRETRAINED):
            if self.also:
                raise ValueError(
                    "the tokens of a model with weights are its own, and an agent of several "
                    "environments numbers theirs anew: leave out --also, or --backbone hf:"
                )
            if any(text.startswith("tokenizer=") for text in self.settings):
                raise ValueError(
                    f"the tokenizer of --backbone {self.backbone} becomes the environment's: leave "
                    "tokenizer= out of --settings"
                )

    def _check_also(self) -> None:
        envs = (self.env, *self.also)
        if len(set(envs)) < len(envs):
            raise ValueError(f"an agent learns each environment once, got {', '.join(envs)}")
        if self.also_agent and len(self.also_agent) != len(self.also):
            raise ValueError(
                f"--also names {len(self.also)} environments and --also-agent "
                f"{len(self.also_agent)} sub-agents: name one for each, or none"
            )
        if self.also and (self.settings or self.source.setting()):
            raise ValueError(
                "an agent of several environments learns them as they are registered: leave out "
                "--settings and --source, or --also"
            )

    def tasks(self) -> "tuple[TrainConfig, ...]":
        """Returns a config for each environment that the agent learns."""
        agents = cast("tuple[Agent, ...]", self.also_agent or ("auto",) * len(self.also))
        pairs = zip((self.env, *self.also), (self.agent, *agents), strict=True)
        return tuple(
            replace(self, env=env, agent=agent, also=(), also_agent=()) for env, agent in pairs
        )

    def algorithm(self) -> Algorithm:
        """Returns the algorithm that `agent` stands for."""
        if self.agent != "auto":
            return self.agent
        return SUB_AGENTS[find_row(self.env).agent]

    def steps(self) -> int:
        """Returns the budget in environment steps."""
        if self.budget in BUDGETS:
            return BUDGETS[self.budget]
        try:
            steps = int(self.budget.replace("_", "").replace(",", ""))
        except ValueError:
            steps = 0
        if steps < 1:
            raise ValueError(
                f'budget must be "short", "long" or a number of steps, got {self.budget!r}'
            )
        return steps

    def network(self) -> NetworkConfig:
        """Returns the network's config."""
        sizes = self.sizes
        backbone = BackboneConfig(
            name=self.backbone,
            width=sizes.width,
            layers=sizes.backbone_layers,
            heads=sizes.heads,
            tuning=self.tuning,
            rank=self.rank,
        )
        quantiles = self.q.quantiles if self.algorithm() == "qrdqn" else 1
        dueling = self.q.dueling
        return NetworkConfig(backbone, sizes.article_layers, quantiles, dueling, sizes.dropout)

    def name(self) -> str:
        """Returns the environment's name as that of a folder."""
        return self.env.rpartition(":")[2].replace("/", "-").removeprefix("Lightbulb-")

    def folder(self) -> Path:
        """Returns the run folder: by default the first that is free, or to resume the last one."""
        if self.run_folder is not None:
            return self.run_folder
        names = "+".join(task.name() for task in self.tasks())
        algorithms = "+".join(task.algorithm() for task in self.tasks())
        base = Path("runs") / f"{names}-{algorithms}-{self.budget}-{self.seed}"
        return free_folder(base, is_resumed=self.resume)

    def env_settings(self) -> dict[str, Any]:
        """Returns the environment's keywords that the flags name."""
        settings = parse_settings(
            self.settings,
            {
                "split": "training reads the split train",
                "source": "name files with --source.train and --source.test",
                "vocabulary_digest": "it follows from the tokenizer",
            },
        )
        source = self.source.setting()
        if source is not None:
            settings["source"] = source
        if self.backbone.startswith(PRETRAINED):
            from lightbulb_backbones.pretrained import tokenizer_file

            settings["tokenizer"] = str(tokenizer_file(self.backbone))
        return settings


def config_to_json(config: TrainConfig) -> dict[str, Any]:
    """Returns what of a config decides a run's results, as plain data."""
    data = asdict(config)
    for name in ("run_folder", "resume", "test_episodes"):
        del data[name]
    plain: dict[str, Any] = json.loads(json.dumps(data))
    return plain
