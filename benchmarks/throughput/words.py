"""Writing word by word: our environment, against the one that one would write first.

That one joins the draft after every word and calls a scorer of strings, for ROUGE-1, -2 and -L; it
observes what ours does. All write the same: the first words of the article, one after the other,
until the default budget is spent (40, or 60 on real text), and then about the next document. A unit
is a word; resets are in its price. "views" are observations that are not copied; an engine is
stepped without Gymnasium around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

import lightbulb_envs
from benchmarks.throughput.race import Contestant, race, told
from benchmarks.throughput.workloads import NEWSROOM, WIDE, pool_of, scorers
from lightbulb_envs.engines.summarise_tokens import TokensEngine

ENV_ID = "Lightbulb/NewsSummariser-Tokens-v0"
KINDS = ("rouge1", "rouge2", "rougeL")
ROUGE = {kind: 1 / len(KINDS) for kind in KINDS}
PEERS = ("rouge-score-rs", "rouge-score")
POOL = 256
ROWS = (64, 256)


@dataclass(frozen=True)
class Read:
    """A document as the obvious environment holds it."""

    reference: str
    words: tuple[str, ...]
    observation: dict[str, NDArray[Any]]
    """What is observed of it whatever the draft."""


def read_documents(engine: TokensEngine, count: int) -> list[Read]:
    """Returns the first documents of an engine."""
    documents = []
    for instance in range(count):
        engine.reset(np.zeros(1, dtype=np.int64), np.array([instance]))
        seen = {name: array[0].copy() for name, array in engine.views().items()}
        reference = engine.document(0).reference_text
        documents.append(Read(reference, tuple(engine.words_of(0)), seen))
    return documents


class ObviousTokensEnv(gymnasium.Env[Any, Any]):
    """Writes words; `scorer` is a peer's name.

    Args:
        documents: what episodes are about, in turn.
        scorer: "rouge-score" or "rouge-score-rs".
        budget: words of a draft.
    """

    def __init__(self, documents: Sequence[Read], scorer: str, budget: int):
        self.documents = documents
        self.scorer = scorers(KINDS, use_stemmer=False)[scorer]
        self.budget = budget
        self.number = -1
        self.document = documents[0]
        self.draft: list[int] = []
        self.score = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Starts an episode of the next document."""
        super().reset(seed=seed)
        self.number = (self.number + 1) % len(self.documents)
        self.document = self.documents[self.number]
        self.draft, self.score = [], 0.0
        observation = self._observe()
        return observation, {"action_mask": observation["action_mask"]}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Adds a word to the draft, or stops."""
        reward, terminated = 0.0, action == len(self.document.words)
        if not terminated:
            self.draft.append(action)
            text = " ".join([self.document.words[word] for word in self.draft])
            scores = self.scorer.score(self.document.reference, text)
            score = sum(scores[kind].fmeasure for kind in KINDS) / len(KINDS)
            reward, self.score = score - self.score, score
            terminated = len(self.draft) == self.budget
        observation = self._observe()
        info = {"action_mask": observation["action_mask"]}
        return observation, reward, terminated, False, info

    def _observe(self) -> dict[str, Any]:
        draft = np.zeros(self.budget, dtype=np.int32)
        draft[: len(self.draft)] = self.draft
        left = np.array([1 - len(self.draft) / self.budget], dtype=np.float32)
        return {**self.document.observation, "draft": draft, "budget": left}


def obvious(env: ObviousTokensEnv, episodes: int) -> Contestant:
    """Returns the obvious environment at work."""

    def run() -> int:
        for _ in range(episodes):
            env.reset()
            for word in range(env.budget):
                env.step(word)
        return episodes * env.budget

    return run


def stepped(engine: TokensEngine, pool: int, *, copies: bool) -> Contestant:
    """Returns an engine at work: all rows write, and then about the next documents."""
    rows = np.arange(engine.num_envs)
    actions = [np.full(engine.num_envs, word) for word in range(engine.task.budget)]
    place = 0

    def run() -> int:
        nonlocal place
        engine.reset(rows, (rows + place) % pool)
        place += engine.num_envs
        for action in actions:
            engine.step(rows, action)
            observation = engine.observe(rows) if copies else engine.views()
        del observation
        return len(rows) * len(actions)

    return run


def through_gymnasium(env: Any) -> Contestant:
    """Returns a vector environment at work; its rows are reset by the environment itself."""
    budget = env.unwrapped.engine.task.budget
    actions = [np.full(env.num_envs, word) for word in range(budget)]
    env.reset(seed=0)

    def run() -> int:
        for action in actions:
            env.step(action)
        env.step(actions[0])  # resets all rows
        return int(env.num_envs * len(actions))

    return run


def race_words(repeats: int) -> dict[str, Any]:
    """Returns the races of writing, paid by ROUGE and by the default reward."""
    results: dict[str, Any] = {}
    for workload in (NEWSROOM, *WIDE):
        with pool_of(workload, POOL) as settings:
            rewards: dict[str, Any] = {"ROUGE-1+2+L": ROUGE}
            if workload == NEWSROOM:
                rewards["facts and ROUGE"] = None  # the default
            for title, reward in rewards.items():
                for rows in ROWS:
                    name = f"{title}; batch of {rows}; {workload}"
                    own = {**settings, "reward": reward}
                    results[name] = _race(name, rows, own, repeats)
    return results


def _race(title: str, rows: int, settings: dict[str, Any], repeats: int) -> dict[str, Any]:
    def engine(count: int) -> TokensEngine:
        made = lightbulb_envs.make_engine(ENV_ID, count, **settings)
        assert isinstance(made, TokensEngine)
        everybody = np.arange(count)
        for start in range(0, POOL, count):  # as the peers' documents, all have been met
            made.reset(everybody, (everybody + start) % POOL)
        return made

    alone = engine(1)
    documents, budget = read_documents(alone, POOL), alone.task.budget
    vector = [
        gymnasium.make_vec(ENV_ID, num_envs=rows, copy=copy, **settings) for copy in (False, True)
    ]
    contestants = {
        "ours, views": stepped(engine(rows), POOL, copies=False),
        "ours, copies": stepped(engine(rows), POOL, copies=True),
        "ours, make_vec, views": through_gymnasium(vector[0]),
        "ours, make_vec, copies": through_gymnasium(vector[1]),
        **{
            f"obvious, {name}": obvious(ObviousTokensEnv(documents, name, budget), episodes)
            for name, episodes in zip(PEERS, (8, 1), strict=True)
        },
    }
    return told(title, race(contestants, repeats), "ours, views")
