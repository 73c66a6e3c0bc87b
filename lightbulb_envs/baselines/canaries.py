"""Canaries: policies that should earn little, and do not where a reward can be gamed.

A summariser's canary picks by a rule that needs no reading, or picks text that `sources.planted`
hid in the articles. Some know the truth: what is worthless even then is worthless.
`python -m lightbulb_envs.audit` plays them all; its ceilings say what each may earn.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, MultiBinary, MultiDiscrete
from numpy.typing import NDArray

from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines.planned import Planned
from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.engines.engine import Engine, Observation, named_object
from lightbulb_envs.engines.summarise import SummariseTask
from lightbulb_envs.search import search
from lightbulb_envs.sources.planted import KINDS, PlantedSource, content_words
from lightbulb_envs.words import split_words

Script = Callable[[SummariseTask, DocumentBatch, int], Sequence[int]]
"""Returns the picks for the document of one row of a batch."""


class Scripted(Planned):
    """Picks what a script says. Plans are remembered by instance."""

    def __init__(self, task: SummariseTask, script: Script):
        self._task = task
        self._script = script
        self._plans: dict[int, Sequence[int]] = {}

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        new = [one for one in np.unique(info["instance"]).tolist() if one not in self._plans]
        if new:
            batch = self._task.source.batch(np.array(new, dtype=np.int64))
            for row, instance in enumerate(new):
                self._plans[instance] = self._script(self._task, batch, row)
        return super().act(observation, info)

    def plan(self, observation: Observation, info: dict[str, Any], row: int) -> Sequence[int]:
        return self._plans[int(info["instance"][row])]


class RepeatBest(Scripted):
    """Picks the best sentence again and again, in every place of a slate, and never stops."""

    def __init__(self, task: SummariseTask):
        super().__init__(task, _best_everywhere)

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        actions = super().act(observation, info)
        if observation["action_mask"].shape[1:] != (observation["tokens"].shape[1] + 1,):
            return actions
        plans = [self.plan(observation, info, row) for row in range(len(actions))]
        return np.array([plan[0] for plan in plans], dtype=np.int64)


def _best_everywhere(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    return best(task, batch, row) * task.source.max_sentences


def _limit(task: SummariseTask, batch: DocumentBatch, row: int) -> int:
    """Returns how many sentences a plan names: the budget, or all where it counts words."""
    return task.budget if task.counts_sentences else int(batch.num_sentences[row])


def _planted(task: SummariseTask, batch: DocumentBatch, row: int) -> range:
    if not isinstance(task.source, PlantedSource):
        raise ValueError(
            'nothing is planted here: make the environment with source="planted:KIND", where KIND '
            f"is one of {', '.join(KINDS)}, and without a tokenizer"
        )
    return task.source.planted(int(batch.instance[row]))


def _by_reward(task: SummariseTask, batch: DocumentBatch, row: int) -> list[int]:
    """Returns the sentences that nobody planted, those that alone earn most first."""
    count = int(batch.num_sentences[row])
    if isinstance(task.source, PlantedSource):
        count = _planted(task, batch, row).start
    potential = task.task(batch, row).potential
    start = potential.start()
    return sorted(
        range(count), key=lambda sentence: -potential.value(potential.extend(start, sentence))
    )


def nothing(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Stops at once."""
    return ()


def everything(task: SummariseTask, batch: DocumentBatch, row: int) -> range:
    """Picks all sentences in order, as far as the budget goes."""
    return range(int(batch.num_sentences[row]))


def lead(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks the first sentences."""
    return everything(task, batch, row)[: _limit(task, batch, row)]


def tail(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks the last sentences; the last first where the budget counts words."""
    last_first = everything(task, batch, row)[::-1][: _limit(task, batch, row)]
    return last_first[::-1] if task.counts_sentences else last_first


def longest(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks the sentences with the most words."""
    length = (batch.words[row] >= 0).sum(axis=1)
    ranked: list[int] = np.argsort(-length, kind="stable").tolist()
    return ranked[: _limit(task, batch, row)]


def keyword_rich(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks the sentences with the most frequent content words (Luhn 1958)."""
    document = task.source.document(int(batch.instance[row]))
    sentences = document.sentences[: batch.num_sentences[row]]
    count = {word.lower(): times for word, times in content_words(sentences).items()}
    weight = [sum(count.get(word, 0) for word in set(split_words(text))) for text in sentences]
    ranked = sorted(range(len(sentences)), key=lambda sentence: -weight[sentence])
    return ranked[: _limit(task, batch, row)]


def best(task: SummariseTask, batch: DocumentBatch, row: int) -> list[int]:
    """Picks the one sentence that earns most."""
    return _by_reward(task, batch, row)[:1]


def greedy(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks what gains most, until nothing gains."""
    draft, _ = search(task.task(batch, row), (), width=1)
    return draft


def planted(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks what is planted and nothing else."""
    return _planted(task, batch, row)[: _limit(task, batch, row)]


def copies_of_best(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks the disguised copies of the sentences that earn most."""
    copies = _planted(task, batch, row)
    ranked = _by_reward(task, batch, row)[: _limit(task, batch, row)]
    return [copies[sentence] for sentence in ranked]


def best_and_copy(task: SummariseTask, batch: DocumentBatch, row: int) -> Sequence[int]:
    """Picks the sentence that earns most, and its disguised copy."""
    (sentence,) = best(task, batch, row)
    return (sentence, _planted(task, batch, row)[sentence])


@dataclass(frozen=True)
class Canary:
    """A degenerate policy, and the documents on which it is played."""

    make: Callable[[Any], Actor]
    """Returns the actor for an engine."""
    planted: str | None = None
    """A kind of `sources.planted`, None for the documents as they are."""
    is_unbounded: bool = False
    """Whether the budget is set to all sentences."""
    control: Script | None = None
    """What it must not beat."""


def _scripted(script: Script) -> Callable[[Any], Actor]:
    return lambda engine: Scripted(engine.task, script)


CANARIES: dict[str, Canary] = {
    "nothing": Canary(_scripted(nothing)),
    "everything": Canary(_scripted(everything), is_unbounded=True),
    "lead-k": Canary(_scripted(lead)),
    "tail-k": Canary(_scripted(tail)),
    "longest-k": Canary(_scripted(longest)),
    "keyword-rich": Canary(_scripted(keyword_rich)),
    "repeat-best": Canary(lambda engine: RepeatBest(engine.task), control=best),
    **{
        kind: Canary(_scripted(planted), planted=kind)
        for kind in ("keyword_soup", "word_soup", "other_reference")
    },
    **{
        f"{kind} copies": Canary(_scripted(copies_of_best), planted=kind)
        for kind in ("zero_width", "homoglyphs")
    },
    **{
        f"best + {kind}": Canary(_scripted(best_and_copy), planted=kind, control=best)
        for kind in ("zero_width", "homoglyphs")
    },
    **{f"greedy + {kind}": Canary(_scripted(greedy), planted=kind) for kind in KINDS},
}
"""The summariser's canaries by name. k is the budget."""


class FirstLegal:
    """Takes the first legal action, or the last one: in every place, and no bit or every bit."""

    def __init__(self, space: Any, *, is_last: bool):
        if not isinstance(space, (Discrete, MultiDiscrete, MultiBinary)):
            raise ValueError(f"canaries act in spaces of `actions`, and this one is {space}")
        self._is_bits = isinstance(space, MultiBinary)
        self._is_last = is_last

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        mask = observation["action_mask"].astype(np.int64)
        if self._is_bits:
            return mask if self._is_last else np.zeros_like(mask)
        if self._is_last:
            found: NDArray[np.int64] = mask.shape[-1] - 1 - mask[..., ::-1].argmax(axis=-1)
            return found
        found = mask.argmax(axis=-1)
        return found


class Constant:
    """Takes one action wherever it is legal, and the last legal one elsewhere."""

    def __init__(self, space: Any, action: int):
        self._else = FirstLegal(space, is_last=True)
        self._action = action

    def reset(self, seed: int | None = None) -> None:
        """There is nothing to draw."""

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        is_legal = observation["action_mask"][:, self._action] > 0
        return np.where(is_legal, self._action, self._else.act(observation, info))


MOST_CONSTANTS = 16
"""Actions of a space up to which each is a canary."""


def _make_constant(engine: Engine, action: int) -> Constant:
    return Constant(engine.action_space, action)


def is_paid_by_parts(engine: Engine) -> bool:
    """Returns whether an engine is paid what `rewards.compose` puts together, by weights."""
    return isinstance(getattr(getattr(engine, "task", engine), "weights", None), Mapping)


def canaries_of(engine: Engine) -> Mapping[str, Canary]:
    """Returns the canaries that an engine names, or what makes sense for any.

    An engine that names none has those that do not look at the text: the first and the last legal
    action, and each constant action where there are few.
    """
    if hasattr(engine, "canaries"):
        named: Mapping[str, Canary] = named_object("canaries", engine.canaries)
        return named
    space = engine.action_space
    if not isinstance(space, (Discrete, MultiDiscrete, MultiBinary)):
        return {}
    generic = {
        "first legal": Canary(lambda engine: FirstLegal(engine.action_space, is_last=False)),
        "last legal": Canary(lambda engine: FirstLegal(engine.action_space, is_last=True)),
    }
    if isinstance(space, Discrete) and space.n <= MOST_CONSTANTS:
        for action in range(int(space.n)):
            generic[f"always {action}"] = Canary(functools.partial(_make_constant, action=action))
    return generic
