"""A run folder that training left: what its policy is, and what it can read and do."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightbulb_agents.checkpoint import latest_checkpoint, load_weights, read_as_run
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ArticleNetwork, NetworkConfig, make_network
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.registry import keywords_of


@dataclass(frozen=True)
class Run:
    """A finished or unfinished run on disk."""

    folder: Path
    env_id: str
    settings: dict[str, Any]
    algorithm: str
    network: NetworkConfig
    head: str
    layout: Layout
    vocabulary_size: int
    vocabulary_digest: str
    labels: tuple[str, ...] = ()
    """What its actions mean, where they are labels."""

    @staticmethod
    def load(folder: Path) -> "Run":
        """Reads a run's config; FileNotFoundError if the folder holds none."""
        path = folder / "run.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder} is no run folder: it holds no run.json; name a folder that "
                "`python -m lightbulb_agents.train` left, such as runs/..."
            )
        with read_as_run(path):
            data = json.loads(path.read_text(encoding="utf-8"))
            return Run(
                folder=folder,
                env_id=data["env_id"],
                settings=data["settings"],
                algorithm=data["algorithm"],
                network=NetworkConfig.from_json(data["network"]),
                head=data["head"],
                layout=Layout.from_json(data["layout"]),
                vocabulary_size=data["vocabulary_size"],
                vocabulary_digest=data["vocabulary_digest"],
                labels=tuple(data.get("labels", ())),
            )

    def reading_settings(self) -> dict[str, Any]:
        """Returns the settings that make tokens and labels those that the network knows."""
        tokenizer = self.folder / "tokenizer.json"
        settings: dict[str, Any] = {"vocabulary_digest": self.vocabulary_digest}
        if self.labels:
            settings["labels"] = list(self.labels)
        if tokenizer.is_file():
            settings["tokenizer"] = str(tokenizer)
        known = keywords_of(self.env_id)
        return {name: value for name, value in settings.items() if name in known}

    def check(self, engine: Engine) -> None:
        """Raises ValueError if the network cannot read or act in an engine."""
        digest = engine.source.vocabulary.digest
        if digest != self.vocabulary_digest:
            raise ValueError(
                f"the run in {self.folder} reads the vocabulary {self.vocabulary_digest}, and "
                f"these documents are told in {digest}: a policy reads what it was trained to read"
            )
        layout = Layout.of(engine.observation_space, engine.action_space)
        theirs = (layout.vectors, layout.vector_width, layout.features)
        if theirs != (self.layout.vectors, self.layout.vector_width, self.layout.features):
            raise ValueError(
                f"the run in {self.folder} observes {self.layout}, and these settings give {layout}"
            )
        if self.head in ("categorical", "simplex") and layout.actions != self.layout.actions:
            raise ValueError(
                f"the run in {self.folder} chooses one of {self.layout.actions} actions, and here "
                f"there are {layout.actions}: its network has no value for the others"
            )

    def make_actor(self, engine: Engine) -> NeuralActor:
        """Returns the policy of the newest checkpoint; ValueError if it cannot act there."""
        self.check(engine)
        return NeuralActor(self.load_network())

    def load_network(self) -> ArticleNetwork:
        """Returns the network with the weights of the newest checkpoint."""
        size = self.vocabulary_size
        network = make_network(self.algorithm, size, self.head, self.layout, self.network)
        load_weights(latest_checkpoint(self.folder), network)
        return network.eval()
