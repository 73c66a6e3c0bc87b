"""The one table of environments: what an id is, and what an agent may know of it beforehand.

To add an environment, write its engine and call `register`, or add a row to `ROWS`.
"""

import importlib
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, get_args

import gymnasium

from lightbulb_envs.engines.engine import Engine, load_engine, make_config

Head = Literal["pointer", "slate", "categorical", "multibinary", "simplex", "text"]
SubAgent = Literal["actor_critic", "dqn"]

SUMMARISE = "lightbulb_envs.engines.summarise:SummariseEngine"
SLATE = "lightbulb_envs.engines.slate:SlateEngine"
TOKENS = "lightbulb_envs.engines.summarise_tokens:TokensEngine"
SENTIMENT = "lightbulb_envs.engines.sentiment:SentimentEngine"
BANDIT = "lightbulb_envs.engines.sentiment:BanditEngine"
SKIM = "lightbulb_envs.engines.skim:SkimEngine"
CALIBRATED = "lightbulb_envs.engines.calibrated:CalibratedEngine"
LABEL_TEXT = "lightbulb_envs.engines.sentiment_text:SentimentTextEngine"
SUMMARISE_TEXT = "lightbulb_envs.engines.summarise_text:SummariseTextEngine"
ASPECT = "lightbulb_envs.engines.aspects:AspectEngine"


@dataclass(frozen=True)
class Row:
    """One environment id."""

    id: str
    engine: str
    """"module:Class" of the engine."""
    head: Head
    """What acts in it: "pointer" scores the sentences (or the `words`, where these are observed)
    and STOP, "slate" orders sentences by such scores, "multibinary" decides on each sentence,
    "categorical" scores a fixed list of actions, "simplex" gives each a weight; "text" is what a
    language model writes."""
    heuristic: str
    """The baseline that a policy should beat, by its name in `baselines`."""
    agent: SubAgent
    """The sub-agent to train when nobody says which."""
    max_episode_steps: int
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of the engine's config that make this id what it is."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("head", self.head, get_args(Head)),
            ("agent", self.agent, get_args(SubAgent)),
        ):
            if value not in known:
                raise ValueError(
                    f"the {name} of {self.id!r} must be one of {', '.join(known)}, got {value!r}"
                )
        if not all(self.engine.partition(":")):
            raise ValueError(
                f'the engine of {self.id!r} must be written "module:Class", got {self.engine!r}'
            )
        if self.max_episode_steps < 2:
            raise ValueError(
                f"max_episode_steps of {self.id!r} must be 2 or more, got "
                f"{self.max_episode_steps}: Gymnasium's checks take two steps"
            )


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
    """Returns the row of an id; "module:Id" imports the module that registers it first.

    Raises:
        ValueError: no such module, or no such id; the message lists the ids there are.
    """
    module, colon, name = env_id.partition(":")
    if colon:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise ValueError(
                f"{env_id!r} names the module {module!r}, which cannot be imported ({error}): is "
                "its folder on PYTHONPATH, or the package installed?"
            ) from error
        env_id = name
    if env_id not in ROWS:
        raise ValueError(
            f"no environment is called {env_id!r}: there are {', '.join(ROWS)}; one of another "
            'package is there once its module is imported, and is found by "module:Id"'
        )
    return ROWS[env_id]


def keywords_of(env_id: str) -> dict[str, Field[Any]]:
    """Returns the keywords that an id's environment takes, by name."""
    return {one.name: one for one in fields(load_engine(find_row(env_id).engine).Config)}


_SPACES: dict[str, type[gymnasium.Space[Any]]] = {
    "pointer": gymnasium.spaces.Discrete,
    "categorical": gymnasium.spaces.Discrete,
    "slate": gymnasium.spaces.MultiDiscrete,
    "multibinary": gymnasium.spaces.MultiBinary,
    "simplex": gymnasium.spaces.Box,
    "text": gymnasium.spaces.Text,
}
"""The spaces in which heads act."""


def check_head(row: Row, engine: Engine) -> None:
    """Raises ValueError if the engine's actions are not those of its row's head."""
    wanted = _SPACES[row.head]
    if not isinstance(engine.action_space, wanted):
        siblings = [other for other in ROWS.values() if other.engine == row.engine]
        others = [other.id for other in siblings if other.head != row.head]
        heads = [head for head, space in _SPACES.items() if isinstance(engine.action_space, space)]
        hint = f"choose among {', '.join(others)}" if others else "give the row another head"
        raise ValueError(
            f"{row.id} acts through a {row.head!r} head, which needs a {wanted.__name__} space, "
            f"and these settings give {engine.action_space}, for a head that is one of "
            f"{', '.join(heads)}: {hint}"
        )


def make_engine(env_id: str, num_envs: int, **settings: Any) -> Engine:
    """Returns the engine of an id, with the id's time limit; `settings` override its own."""
    row = find_row(env_id)
    engine_class = load_engine(row.engine)
    config = make_config(engine_class, {**row.settings, **settings})
    return engine_class(config, num_envs=num_envs, max_steps=row.max_episode_steps)


def _register_all() -> None:
    for name, level in (("Easy-", 1), ("", 2), ("Hard-", 4), ("MultiDoc-", 5)):
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
    for name, head, form in (
        ("Slate", "slate", "slate"),
        ("Subset", "multibinary", "multibinary"),
    ):
        register(
            Row(
                id=f"Lightbulb/NewsSummariser-{name}-v0",
                engine=SLATE,
                head=head,  # type: ignore[arg-type] # one of them
                heuristic="centrality",
                agent="actor_critic",
                max_episode_steps=8,
                settings={"level": 2, "form": form},
            )
        )
    for name, engine, head, steps in (
        ("Tokens", TOKENS, "pointer", 128),
        ("Text", SUMMARISE_TEXT, "text", 2),
    ):
        register(
            Row(
                id=f"Lightbulb/NewsSummariser-{name}-v0",
                engine=engine,
                head=head,  # type: ignore[arg-type] # one of them
                heuristic="centrality",
                agent="actor_critic",
                max_episode_steps=steps,
                settings={"level": 2},
            )
        )
    for name, level in (("", 2), ("Hard-", 4), ("Cue-", 5)):
        register(
            Row(
                id=f"Lightbulb/SentimentAnalysis-{name}v0",
                engine=SENTIMENT,
                head="categorical",
                heuristic="lexicon",
                agent="actor_critic",
                max_episode_steps=32,
                settings={"level": level},
            )
        )
    for name, engine, head, steps, heuristic in (
        ("Bandit", BANDIT, "categorical", 8, "lexicon"),
        ("Skim", SKIM, "categorical", 32, "lexicon, last first"),
        ("Aspect", ASPECT, "categorical", 32, "lexicon"),
        ("Calibrated", CALIBRATED, "simplex", 8, "lexicon"),
        ("Text", LABEL_TEXT, "text", 2, "lexicon"),
    ):
        register(
            Row(
                id=f"Lightbulb/SentimentAnalysis-{name}-v0",
                engine=engine,
                head=head,  # type: ignore[arg-type] # one of them
                heuristic=heuristic,
                agent="actor_critic",
                max_episode_steps=steps,
                settings={"level": 2},
            )
        )


_register_all()
