"""A run folder that training left: what its policy is, and what it can read and do."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightbulb_agents.agent import Agent, task_from_json
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ArticleNetwork, NetworkConfig, make_network
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_backbones.runs.checkpoint import latest_checkpoint, load_weights, read_as_run
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.registry import find_row, keywords_of

_SEEN = ("vectors", "vector_width", "features", "writes")
"""What of a layout a network depends on, whatever its head."""


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
    is_of_agent: bool = False
    """Whether it is a part of a run on several environments, which holds the weights."""

    @staticmethod
    def load(folder: Path, env_id: str | None = None) -> "Run":
        """Reads a run's config, and of an agent's the part that is for an environment.

        Raises:
            FileNotFoundError: the folder holds no run.
            ValueError: an agent's run, and no part of it, or more than one, is for `env_id`.
        """
        path = folder / "run.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder} is no run folder: it holds no run.json; name a folder that "
                "`python -m lightbulb_agents.train` left, such as runs/..."
            )
        with read_as_run(path):
            data = json.loads(path.read_text(encoding="utf-8"))
            tasks = data.get("tasks")
        if tasks is not None:
            return Run.load(folder / _task_for(folder, tasks, env_id))
        with read_as_run(path):
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
                is_of_agent=data.get("is_of_agent", False),
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
        if any(getattr(layout, name) != getattr(self.layout, name) for name in _SEEN):
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
        if self.is_of_agent:
            return load_agent(self.folder.parent).networks[self.env_id].eval()
        size = self.vocabulary_size
        network = make_network(self.algorithm, size, self.head, self.layout, self.network)
        load_weights(latest_checkpoint(self.folder), network)
        return network.eval()


def load_agent(folder: Path) -> Agent:
    """Returns the agent of a run on several environments, with its newest weights."""
    path = folder / "run.json"
    with read_as_run(path):
        tasks = json.loads(path.read_text(encoding="utf-8"))["tasks"]
        agent = Agent([task_from_json(task) for task in tasks])
    load_weights(latest_checkpoint(folder), agent)
    return agent


def _task_for(folder: Path, tasks: list[dict[str, Any]], env_id: str | None) -> str:
    """Returns the name of the part of an agent's run that is for an environment.

    That is the one that was trained on it, or else the only one that acts through its head.
    """
    by_id = {task["env_id"]: task["name"] for task in tasks}
    known = ", ".join(by_id)
    if env_id is None:
        raise ValueError(f"{folder} holds an agent of {known}: name one of them with --env")
    if env_id in by_id:
        return str(by_id[env_id])
    head = find_row(env_id).head
    fitting = [str(task["name"]) for task in tasks if task["head"] == head]
    if len(fitting) != 1:
        raise ValueError(
            f"{folder} holds an agent of {known}, and {len(fitting)} of them act through the "
            f"{head!r} head of {env_id}: name the folder of one, {folder / tasks[0]['name']}"
        )
    return fitting[0]
