"""The Agent: sub-agents for several tasks over one encoder, activated by the task.

Each task has a head of its own, an actor-critic's or a Q-learner's, and all read by one encoder:
backbone, pooling and article layers. Tasks may be told in vocabularies of their own; a piece of
text that two of them have is one piece to the encoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lightbulb_agents.config import TrainConfig
from lightbulb_agents.encoders import ArticleEncoder
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ArticleNetwork, NetworkConfig, asks_all, make_network
from lightbulb_envs.registry import find_row, make_engine


@dataclass(frozen=True)
class Task:
    """What an agent must know of an environment to have a sub-agent for it."""

    env_id: str
    name: str
    """As that of a folder."""
    algorithm: str
    head: str
    layout: Layout
    network: NetworkConfig
    pieces: tuple[str, ...]
    """The pieces of text that its tokens are, padding first."""

    @staticmethod
    def of(config: TrainConfig) -> "Task":
        """Returns the task of training on one environment.

        Raises:
            ValueError: its tokens are not pieces of text.
        """
        engine = make_engine(config.env, 1, **config.env_settings())
        pieces = getattr(engine.source.vocabulary, "pieces", None)
        if pieces is None:
            raise ValueError(
                f"the vocabulary of {config.env} has no `pieces`, by which an agent of several "
                "environments tells what they have in common: train on it alone, without --also"
            )
        return Task(
            env_id=config.env,
            name=config.name(),
            algorithm=config.algorithm(),
            head=find_row(config.env).head,
            layout=Layout.of_engine(engine),
            network=config.network(),
            pieces=tuple(pieces),
        )


class SharedEncoder(nn.Module):
    """The encoder of an agent as one task uses it: its pieces, and its order of reading.

    Args:
        table: (V,), the encoder's number of each of the task's pieces.
    """

    table: Tensor

    def __init__(self, encoder: ArticleEncoder, table: Tensor, *, is_causal: bool, asks_all: bool):
        super().__init__()
        self.encoder = encoder
        self.register_buffer("table", table, persistent=False)
        self._is_causal = is_causal
        self._asks_all = asks_all

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Returns states (E, S, D) for tokens (E, S, T), and which sentences are real (E, S)."""
        states: tuple[Tensor, Tensor] = self.encoder(
            self.table[tokens], self._is_causal, self._asks_all
        )
        return states

    def read_words(self, words: Tensor) -> Tensor:
        """Returns the states (E, W, 2 D) of words, told in the task's pieces (E, W, P)."""
        return self.encoder.read_words(self.table[words])


class Agent(nn.Module):
    """One encoder, and a head a task. `networks` has what acts in each, by environment id."""

    def __init__(self, tasks: Sequence[Task]):
        super().__init__()
        backbones = {(task.network.backbone, task.network.article_layers) for task in tasks}
        if len(backbones) > 1:
            raise ValueError(f"the tasks of an agent share an encoder, and want {backbones}")
        size, tables = joint_tables([task.pieces for task in tasks])
        shared = tasks[0].network
        self.encoder = ArticleEncoder(
            size, shared.backbone, shared.article_layers, dropout=shared.dropout
        )
        networks: dict[str, ArticleNetwork] = {}
        for task, table in zip(tasks, tables, strict=True):
            own = SharedEncoder(
                self.encoder,
                table,
                is_causal=task.layout.in_order,
                asks_all=asks_all(task.head, task.layout),
            )
            networks[task.env_id] = make_network(
                task.algorithm, len(table), task.head, task.layout, task.network, own
            )
        self.networks = networks  # a plain dict: the weights of the encoder are named once
        self.heads = nn.ModuleDict(
            {task.name.replace(".", "_"): networks[task.env_id].head for task in tasks}
        )


def joint_tables(vocabularies: Sequence[Sequence[str]]) -> tuple[int, list[Tensor]]:
    """Returns the size of the union of vocabularies, and each one's numbers in it, (V,).

    The first piece of each is padding, and so is number 0.
    """
    union = sorted({piece for pieces in vocabularies for piece in pieces[1:]})
    place = {piece: number for number, piece in enumerate(union, start=1)}
    tables = [torch.tensor([0, *(place[piece] for piece in pieces[1:])]) for pieces in vocabularies]
    return 1 + len(union), tables


class JointOptimizer:
    """The optimizers of several learners as one, to be saved and read back."""

    def __init__(self, optimizers: Sequence[torch.optim.Optimizer]):
        self._optimizers = list(optimizers)

    def state_dict(self) -> dict[str, Any]:
        """Returns the state of all, with their parameters numbered on."""
        state: dict[int, Any] = {}
        groups: list[dict[str, Any]] = []
        for first, own in self._numbered():
            state |= {first + number: values for number, values in own["state"].items()}
            groups += [_moved(group, first) for group in own["param_groups"]]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes back to what `state_dict` returned."""
        groups = iter(state_dict["param_groups"])
        for (first, own), optimizer in zip(self._numbered(), self._optimizers, strict=True):
            count = sum(len(group["params"]) for group in own["param_groups"])
            held = {
                number - first: values
                for number, values in state_dict["state"].items()
                if first <= number < first + count
            }
            wanted = [_moved(next(groups), -first) for _ in own["param_groups"]]
            optimizer.load_state_dict({"state": held, "param_groups": wanted})

    def _numbered(self) -> list[tuple[int, dict[str, Any]]]:
        """Returns each one's state, and the number of its first parameter among all."""
        found, first = [], 0
        for optimizer in self._optimizers:
            own = optimizer.state_dict()
            found.append((first, own))
            first += sum(len(group["params"]) for group in own["param_groups"])
        return found


def _moved(group: dict[str, Any], by: int) -> dict[str, Any]:
    return {**group, "params": [number + by for number in group["params"]]}


def task_to_json(task: Task) -> dict[str, Any]:
    """Returns a task as plain data, without its pieces, which its environment has."""
    told = {
        "layout": task.layout.to_json(),
        "network": task.network.to_json(),
    }
    return {name: told.get(name, value) for name, value in vars(task).items() if name != "pieces"}


def task_from_json(data: dict[str, Any]) -> Task:
    """Returns the task of plain data."""
    vocabulary = make_engine(data["env_id"], 1).source.vocabulary
    return replace(
        Task(**data, pieces=tuple(vocabulary.pieces)),
        layout=Layout.from_json(data["layout"]),
        network=NetworkConfig.from_json(data["network"]),
    )
