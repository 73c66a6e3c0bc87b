"""Summarising by extraction: read an article, pick sentences, stop.

An episode is a document. Action i picks sentence i for the draft, the last action stops. Each
pick is paid the gain of the draft's potential (`rewards.compose`), so a return is the score of the
finished draft. A sequential decision process of this shape is that of MemSum (Gu et al. 2022,
"MemSum: Extractive Summarization of Long Documents Using Multi-Step Episodic Markov Decision
Processes"): the history is observed, and stopping is an action of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import are_legal, check_actions
from lightbulb_envs.document import PADDING_WORD, Document, DocumentBatch
from lightbulb_envs.engines.engine import Observation, Step, Taken
from lightbulb_envs.engines.features import FEATURES, Features
from lightbulb_envs.keywords import keyword
from lightbulb_envs.rewards.compose import Potential, ScoredDocument, reward_weights
from lightbulb_envs.search import ExtractiveTask, Plan, best_plan, search_method
from lightbulb_envs.sources.newsroom.levels import level_attributes
from lightbulb_envs.sources.source import Source, SourceConfig, open_source
from lightbulb_envs.summation import add_in_order
from lightbulb_envs.words import WordNumbers

BUDGET_UNITS = ("sentences", "words")
ILLEGAL = "illegal_action"
MOST_SENTENCES = 127
_STEMS = WordNumbers()


@dataclass(frozen=True, kw_only=True)
class SummariseConfig(SourceConfig):
    """Keywords of the summariser's environments, those of its documents included."""

    reward: str | Mapping[str, float] | None = keyword(None, example={"rouge1": 1.0, "length": 0.5})
    """A preset of `rewards.compose.PRESETS`, or weights by part. Default: "facts_and_rouge" where
    facts are known, "rouge" elsewhere."""
    budget: int | None = keyword(None, example=2)
    """How many sentences (or words) the draft may have. Default: the level's."""
    budget_unit: str = keyword("sentences", example="words", given={"budget": 60})
    """What the budget counts: "sentences" or "words"."""
    illegal_penalty: float = keyword(0.01, example=0.3)
    """What an illegal action costs; it changes nothing else, and the step counts."""
    num_instances: int | None = keyword(None, example=5)
    """Instances to draw episodes from: the first so many. Default: all that the source has."""
    features: bool = keyword(False, example=True)
    """Whether the observation also holds `features` (S, F) of `engines.features`."""


@dataclass
class _Episode:
    """One row: the document's potential and what has been picked."""

    task: ExtractiveTask
    num_sentences: int
    state: Any
    scores: list[float]
    draft: list[int] = field(default_factory=list)
    left: int = 0
    steps: int = 0
    has_ended: bool = False
    taken: list[Taken] = field(default_factory=list)
    features: Features | None = None
    plans: dict[tuple[int, ...], Plan] = field(default_factory=dict)


class SummariseTask:
    """A config put to work: its source, its reward, and documents as `ExtractiveTask`s."""

    in_article_order = False
    """Whether a draft's sentences are told in the article's order, or in that of picking."""

    def __init__(self, config: SummariseConfig):
        self.config = config
        if not isinstance(config.features, bool):
            raise TypeError(f"features must be True or False, got {config.features!r}")
        self.source: Source = open_source(config)
        has_facts = self.source.has_facts
        default = "facts_and_rouge" if has_facts else "rouge"
        reward = default if config.reward is None else config.reward
        self.weights = reward_weights(reward, has_facts=has_facts)
        if self.source.max_sentences > MOST_SENTENCES:
            raise ValueError(
                f"max_sentences must be {MOST_SENTENCES} or less, for `selected` is int8, got "
                f"{self.source.max_sentences}"
            )
        if config.budget_unit not in BUDGET_UNITS:
            raise ValueError(
                f"budget_unit must be one of {', '.join(BUDGET_UNITS)}, got {config.budget_unit!r}"
            )
        if config.budget is None and config.budget_unit == "words":
            raise ValueError('budget_unit="words" needs a budget=, the number of words')
        self.counts_sentences = config.budget_unit == "sentences"
        self.budget = (
            config.budget if config.budget is not None else level_attributes(config.level).budget
        )
        most = self.source.max_sentences if self.counts_sentences else 1 << 20
        if not 1 <= self.budget <= most:
            raise ValueError(
                f"budget must be in [1, {most}] {config.budget_unit}, got {self.budget}"
            )
        if not 0 <= config.illegal_penalty < float("inf"):
            raise ValueError(f"illegal_penalty must be 0 or more, got {config.illegal_penalty}")
        available = self.source.num_documents
        self.num_instances = available if config.num_instances is None else config.num_instances
        if available is not None and not 1 <= (self.num_instances or 0) <= available:
            raise ValueError(
                f"num_instances must be in [1, {available}], the documents of the source, "
                f"got {config.num_instances}"
            )

    def task(self, batch: DocumentBatch, row: int) -> ExtractiveTask:
        """Returns one document of a batch to pick from."""
        count = int(batch.num_sentences[row])
        words = _unpad(batch.words[row, :count])
        reference = _unpad(batch.reference_words[row])
        document = ScoredDocument(
            words=lambda stemmed: self._stems(words) if stemmed else words,
            reference=lambda stemmed: self._stems(reference) if stemmed else reference,
            claims=[
                [fact for fact in claims if fact >= 0] for claims in batch.claims[row].tolist()
            ],
            fact_weight=batch.fact_weight[row].tolist(),
            fact_is_key=batch.fact_is_key[row].tolist(),
        )
        return ExtractiveTask(
            potential=Potential(self.weights, document),
            costs=[1] * count if self.counts_sentences else [len(words_) for words_ in words],
            budget=self.budget,
            in_article_order=self.in_article_order,
        )

    def _stems(self, sentences: Sequence[Sequence[int]]) -> list[list[int]]:
        stem_text = self.source.stem_text
        return [[_STEMS(stem_text(word)) for word in sentence] for sentence in sentences]


class SummariseEngine:
    """N episodes of summarising; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = SummariseConfig
    Task: ClassVar[type[SummariseTask]] = SummariseTask
    baselines: ClassVar[str] = "lightbulb_envs.baselines.table:BASELINES"

    def __init__(self, config: SummariseConfig, num_envs: int, max_steps: int | None = None):
        self.config = config
        self.num_envs = num_envs
        self.task = self.Task(config)
        self.source = self.task.source
        self.num_instances = self.task.num_instances
        self.max_steps = max_steps
        self.part_names: tuple[str, ...] = (*self.task.weights, ILLEGAL)
        sentences, tokens = self.source.max_sentences, self.source.max_tokens
        self.stop = sentences
        vocabulary = self.source.vocabulary.size
        spaces = gymnasium.spaces
        told: dict[str, gymnasium.Space[Any]] = {
            "tokens": spaces.Box(0, vocabulary - 1, (sentences, tokens), np.int32),
            "selected": spaces.Box(0, sentences, (sentences,), np.int8),
            "budget": spaces.Box(0.0, 1.0, (1,), np.float32),
            "action_mask": spaces.Box(0, 1, (sentences + 1,), np.int8),
        }
        if config.features:
            told["features"] = spaces.Box(0.0, 1.0, (sentences, len(FEATURES)), np.float32)
        self.observation_space = spaces.Dict(told)
        self.action_space: gymnasium.Space[Any] = spaces.Discrete(sentences + 1)
        self._instance = np.full(num_envs, -1, dtype=np.int64)
        self._tokens = np.zeros((num_envs, sentences, tokens), dtype=np.int32)
        self._selected = np.zeros((num_envs, sentences), dtype=np.int8)
        self._budget = np.zeros((num_envs, 1), dtype=np.float32)
        self._mask = np.zeros((num_envs, sentences + 1), dtype=np.int8)
        self._episodes: list[_Episode | None] = [None] * num_envs

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given; a row with the same instance is not read again."""
        instances = np.asarray(instances, dtype=np.int64)
        self._check_instances(instances)
        is_new = self._instance[rows] != instances
        if is_new.any():
            self._load(rows[is_new], instances[is_new])
        for row in rows.tolist():
            self._restart(row)

    def _check_instances(self, instances: NDArray[np.int64]) -> None:
        available = self.source.num_documents
        most = available if available is not None else 1 << 62
        if len(instances) and not (instances.min() >= 0 and instances.max() < most):
            raise ValueError(f"an instance must be in [0, {most}), got {instances.tolist()}")

    def _load(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        batch = self.source.batch(instances)
        self._instance[rows] = batch.instance
        self._tokens[rows] = batch.tokens
        for position, row in enumerate(rows.tolist()):
            task = self.task.task(batch, position)
            count = int(batch.num_sentences[position])
            episode = _Episode(task, count, state=None, scores=[])
            if self.config.features:
                episode.features = Features(batch.tokens[position])
            self._episodes[row] = episode

    def _restart(self, row: int) -> None:
        episode = self._episode(row)
        episode.state = episode.task.potential.start()
        episode.scores = episode.task.potential.scores(episode.state)
        episode.draft = []
        episode.left = episode.task.budget
        episode.steps = 0
        episode.has_ended = False
        episode.taken = []
        self._selected[row] = 0
        self._update(row)

    def _episode(self, row: int) -> _Episode:
        episode = self._episodes[row]
        if episode is None:
            raise RuntimeError(f"row {row} has no episode: call reset first")
        return episode

    def _update(self, row: int) -> None:
        """Brings what a row observes besides its article up to date."""
        episode = self._episode(row)
        costs, left, count = episode.task.costs, episode.left, episode.num_sentences
        mask = self._mask[row]
        mask[:count] = [cost <= left for cost in costs]
        mask[:count] &= self._selected[row, :count] == 0
        mask[count:] = 0
        mask[self.stop] = 1
        self._budget[row] = left / episode.task.budget
        if episode.features is not None:
            episode.features.follow(tuple(episode.draft))

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given."""
        chosen = check_actions(actions, len(rows), self.action_space)
        count = len(rows)
        parts = np.zeros((count, len(self.part_names)))
        terminated = np.zeros(count, dtype=bool)
        truncated = np.zeros(count, dtype=bool)
        is_illegal = ~are_legal(self.action_space, self._mask[rows], chosen)
        for position, (row, action) in enumerate(zip(rows.tolist(), chosen.tolist(), strict=True)):
            episode = self._episode(row)
            if episode.has_ended:
                raise RuntimeError(f"the episode of row {row} has ended: call reset first")
            episode.steps += 1
            if is_illegal[position]:
                parts[position, -1] = -self.config.illegal_penalty
            elif action == self.stop:
                terminated[position] = True
            else:
                parts[position, :-1] = self._pick(row, episode, action)
                terminated[position] = not self._mask[row, : self.stop].any()
            if self.max_steps is not None and episode.steps >= self.max_steps:
                truncated[position] = True  # also at the end of the task, as Gymnasium's TimeLimit
            episode.has_ended = bool(terminated[position] or truncated[position])
            paid = tuple(parts[position].tolist())
            episode.taken.append(Taken(action, paid, bool(is_illegal[position])))
        reward = np.array([add_in_order(row) for row in parts.tolist()])
        return Step(reward, parts, terminated, truncated, is_illegal)

    def _pick(self, row: int, episode: _Episode, sentence: int) -> list[float]:
        """Adds a sentence to the draft; returns the gain of every part."""
        potential = episode.task.potential
        episode.state = potential.extend(episode.state, sentence)
        scores = potential.scores(episode.state)
        gains = [after - before for after, before in zip(scores, episode.scores, strict=True)]
        episode.scores = scores
        episode.draft.append(sentence)
        episode.left -= episode.task.costs[sentence]
        self._selected[row, sentence] = len(episode.draft)
        self._update(row)
        return gains

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        observation: Observation = {
            "tokens": self._tokens[rows],
            "selected": self._selected[rows],
            "budget": self._budget[rows],
            "action_mask": self._mask[rows],
        }
        if self.config.features:
            shape = self.observation_space["features"].shape
            told = np.zeros((len(rows), *(shape or ())), dtype=np.float32)
            for position, row in enumerate(rows.tolist()):
                episode = self._episodes[row]
                if episode is not None and episode.features is not None:
                    told[position] = episode.features.values
            observation["features"] = told
        return observation

    def instance(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the rows' instances."""
        return self._instance[rows]

    def document(self, row: int) -> Document:
        """Returns a row's document as text, with its facts where they are known."""
        self._episode(row)
        return self.source.document(int(self._instance[row]))

    def draft(self, row: int) -> tuple[int, ...]:
        """Returns the sentences that a row has picked, in the order of picking."""
        return tuple(self._episode(row).draft)

    def taken(self, row: int) -> tuple[Taken, ...]:
        """Returns the actions of a row's episode so far, and what each was paid."""
        return tuple(self._episode(row).taken)

    def picks(self, row: int) -> tuple[Taken, ...]:
        """Returns the steps of a row's episode that put a sentence into the draft."""
        return tuple(
            taken
            for taken in self._episode(row).taken
            if taken.action != self.stop and not taken.is_illegal
        )

    def scores(self, row: int) -> dict[str, float]:
        """Returns the weighted score of every part of a row's draft."""
        return dict(zip(self.task.weights, self._episode(row).scores, strict=True))

    def oracle(self, row: int, *, from_start: bool = True) -> Plan:
        """Returns the best draft found of a row's document, or the best that goes on from its own.

        Every draft is tried where there are few enough, a beam of them elsewhere; the plan's
        `method` says which. Time limits are not looked at: the budget ends a draft.
        """
        episode = self._episode(row)
        prefix = () if from_start else tuple(episode.draft)
        if prefix not in episode.plans:
            best = best_plan(episode.task, prefix)
            # Every way point of a plan is planned too: a beam must not change its mind.
            for end in range(len(prefix), len(best.draft) + 1):
                episode.plans.setdefault(best.draft[:end], best)
        return episode.plans[prefix]

    def oracle_action(self, row: int) -> int:
        """Returns the next pick of the best continuation of a row's draft, or STOP."""
        draft = self.draft(row)
        if not draft:
            self.oracle(row)
        plan = self.oracle(row, from_start=False)
        return plan.draft[len(draft)] if len(plan.draft) > len(draft) else self.stop

    def oracle_return(self, row: int) -> float:
        """Returns the return of the oracle's draft of a row's document."""
        return self.oracle(row).value

    def oracle_method(self, row: int) -> str:
        """Returns "exact", or "beam-" and its width."""
        return search_method(self._episode(row).task)

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        episode = self._episode(row)
        return {
            "instance": int(self._instance[row]),
            "draft": list(episode.draft),
            "steps": episode.steps,
            "has_ended": episode.has_ended,
            "taken": [asdict(taken) for taken in episode.taken],
        }

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        self.reset(np.array([row]), np.array([snapshot["instance"]]))
        episode = self._episode(row)
        for sentence in snapshot["draft"]:
            self._pick(row, episode, sentence)
        episode.steps = snapshot["steps"]
        episode.has_ended = snapshot["has_ended"]
        episode.taken = [Taken.of(one) for one in snapshot["taken"]]

    def render(self, row: int, mode: str) -> str:
        """Returns a row's episode as text for a terminal ("ansi") or as one page ("html")."""
        if mode == "html":
            from lightbulb_envs.render_html import render_summary_page

            return render_summary_page(self, row)
        from lightbulb_envs.render import render_summary

        return render_summary(self.document(row), self.draft(row), self.scores(row))


def _unpad(rows: NDArray[np.int32]) -> list[list[int]]:
    """Returns the sentences of one document, without padding."""
    lengths = (rows != PADDING_WORD).sum(axis=1).tolist()
    return [row[:length] for row, length in zip(rows.tolist(), lengths, strict=True)]
