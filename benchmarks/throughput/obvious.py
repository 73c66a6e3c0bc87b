"""The environment that one would write first: strings, and a scorer called at every step.

It observes what `Lightbulb/NewsSummariser-v0` does, and is paid the gain of ROUGE alone, for facts
would be slow for reasons of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from benchmarks.throughput.workloads import scorers
from lightbulb_envs.engines.summarise import SummariseEngine

KINDS = ("rouge1", "rouge2", "rougeL")


@dataclass(frozen=True)
class Read:
    """A document as strings, and its tokens."""

    sentences: tuple[str, ...]
    reference: str
    tokens: NDArray[np.int32]


def read_documents(engine: SummariseEngine, count: int) -> list[Read]:
    """Returns the first documents of an engine's source."""
    batch = engine.source.batch(np.arange(count))
    documents = [engine.source.document(instance) for instance in range(count)]
    return [
        Read(one.sentences, one.reference_text, tokens)
        for one, tokens in zip(documents, batch.tokens, strict=True)
    ]


class ObviousEnv(gymnasium.Env[Any, Any]):
    """Picks sentences; `scorer` is a peer's name.

    Args:
        documents: what episodes are about.
        scorer: "rouge-score" or "rouge-score-rs".
        engine: the one whose spaces and budget it has.
    """

    def __init__(self, documents: Sequence[Read], scorer: str, engine: SummariseEngine):
        self.documents = documents
        self.scorer = scorers(KINDS, use_stemmer=False)[scorer]
        self.observation_space = engine.observation_space
        self.action_space = engine.action_space
        self.budget, self.stop = engine.task.budget, engine.stop
        self.document = documents[0]
        self.draft: list[int] = []
        self.score = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Starts an episode of a document drawn at random."""
        super().reset(seed=seed)
        self.document = self.documents[int(self.np_random.integers(len(self.documents)))]
        self.draft = []
        self.score = 0.0
        observation = self._observe()
        return observation, {"action_mask": observation["action_mask"]}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Adds a sentence to the draft, or stops."""
        reward, terminated = 0.0, bool(action == self.stop)
        if not terminated:
            self.draft.append(int(action))
            text = "\n".join(self.document.sentences[sentence] for sentence in self.draft)
            scores = self.scorer.score(self.document.reference, text)
            score = sum(scores[kind].fmeasure for kind in KINDS) / len(KINDS)
            reward, self.score = score - self.score, score
            terminated = len(self.draft) == self.budget
        observation = self._observe()
        info = {"action_mask": observation["action_mask"]}
        return observation, reward, terminated, False, info

    def _observe(self) -> dict[str, Any]:
        selected = np.zeros(self.stop, dtype=np.int8)
        mask = np.zeros(self.stop + 1, dtype=np.int8)
        if len(self.draft) < self.budget:
            mask[: len(self.document.sentences)] = 1
        mask[self.stop] = 1
        for place, sentence in enumerate(self.draft):
            selected[sentence] = place + 1
            mask[sentence] = 0
        left = 1 - len(self.draft) / self.budget
        return {
            "tokens": self.document.tokens,
            "selected": selected,
            "budget": np.array([left], dtype=np.float32),
            "action_mask": mask,
        }
