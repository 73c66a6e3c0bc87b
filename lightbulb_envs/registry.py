"""The one table of environments: what an id is, and what an agent may know of it beforehand.

To add an environment, write its engine and call `register`, or add a row to `ROWS`.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import gymnasium

from lightbulb_envs.engines.engine import Engine, load_engine, make_config

Head = Literal["pointer", "categorical", "multibinary", "simplex"]
SubAgent = Literal["actor_critic", "dqn"]

SUMMARISE = "lightbulb_envs.engines.summarise:SummariseEngine"


@dataclass(frozen=True)
class Row:
    """One environment id."""

    id: str
    engine: str
    """"module:Class" of the engine."""
    head: Head
    """What acts in it: "pointer" scores the sentences and STOP."""
    heuristic: str
    """The baseline that a policy should beat, by its name in `baselines`."""
    agent: SubAgent
    """The sub-agent to train when nobody says which."""
    max_episode_steps: int
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of the engine's config that make this id what it is."""


ROWS: dict[str, Row] = {}


def register(row: Row) -> None:
    """Registers an environment with Gymnasium, single and vectorised, and in this table."""
    if row.id in ROWS:
        raise ValueError(f"{row.id!r} is registered already")
    gymnasium.register(
        id=row.id,
        entry_point="lightbulb_envs.adapters.gym_env:TextEnv",
        vector_entry_point="lightbulb_envs.adapters.gym_vector:TextVectorEnv",
        max_episode_steps=row.max_episode_steps,
        kwargs={"engine": row.engine, **row.settings},
    )
    ROWS[row.id] = row


def find_row(env_id: str) -> Row:
    """Returns the row of an id; ValueError lists the ids there are."""
    if env_id not in ROWS:
        raise ValueError(f"no environment is called {env_id!r}: there are {', '.join(ROWS)}")
    return ROWS[env_id]


def make_engine(env_id: str, num_envs: int, **settings: Any) -> Engine:
    """Returns the engine of an id, with the id's time limit; `settings` override its own."""
    row = find_row(env_id)
    engine_class = load_engine(row.engine)
    config = make_config(engine_class, {**row.settings, **settings})
    return engine_class(config, num_envs=num_envs, max_steps=row.max_episode_steps)


def _register_all() -> None:
    for name, level in (("Easy-", 1), ("", 2), ("Hard-", 4)):
        register(
            Row(
                id=f"Lightbulb/NewsSummariser-{name}v0",
                engine=SUMMARISE,
                head="pointer",
                heuristic="centrality" if level > 1 else "lead-3",
                agent="actor_critic",
                max_episode_steps=64,
                settings={"level": level},
            )
        )


_register_all()
