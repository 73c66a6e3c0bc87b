"""Summarising by extraction: read an article, pick sentences, stop.

An episode is a document. Action i picks sentence i for the draft, the last action stops. Each
pick is paid the gain of the draft's potential (`rewards.compose`), so a return is the score of the
finished draft. A sequential decision process of this shape is that of MemSum (Gu et al. 2022,
"MemSum: Extractive Summarization of Long Documents Using Multi-Step Episodic Markov Decision
Processes"): the history is observed, and stopping is an action of its own.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.draft_engine import ILLEGAL, DraftEngine
from lightbulb_envs.engines.drafts import Drafts, Observed, open_drafts
from lightbulb_envs.engines.engine import Observation, Step, Taken
from lightbulb_envs.engines.features import FEATURES, Features
from lightbulb_envs.engines.one_row import Paid
from lightbulb_envs.engines.summarise_task import SummariseConfig, SummariseTask
from lightbulb_envs.search import ExtractiveTask, Plan, best_plan, search_method

__all__ = ["ILLEGAL", "SummariseConfig", "SummariseEngine", "SummariseTask"]

_BYTES_A_TOKEN = 12
"""Of a kept document, by and large: its tokens, its words and what scoring needs."""
_Planned = tuple[ExtractiveTask, dict[tuple[int, ...], Plan]]
"""A document to search, and the plans found so far by the drafts that they go on from."""


class SummariseEngine(DraftEngine):
    """N episodes of summarising; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = SummariseConfig
    Task: ClassVar[type[SummariseTask]] = SummariseTask
    baselines: ClassVar[str] = "lightbulb_envs.baselines.table:BASELINES"
    canaries: ClassVar[str] = "lightbulb_envs.baselines.canaries:CANARIES"
    keeps_tokens: ClassVar[bool] = True

    def __init__(self, config: SummariseConfig, num_envs: int, max_steps: int | None = None):
        task = self.Task(config)
        sentences, tokens = task.source.max_sentences, task.source.max_tokens
        super().__init__(config, task, num_envs, max_steps, sentences * tokens * _BYTES_A_TOKEN)
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
        self._observed = Observed(
            tokens=np.zeros((num_envs, sentences, tokens), dtype=np.int32),
            selected=np.zeros((num_envs, sentences), dtype=np.int8),
            left=np.zeros((num_envs, 1), dtype=np.float32),
            mask=np.zeros((num_envs, sentences + 1), dtype=np.int8),
        )
        self._open()

    def _open(self) -> None:
        super()._open()
        self._features: list[Features | None] = [None] * self.num_envs
        self._plans: dict[int, _Planned] = {}

    def _open_drafts(self) -> Drafts:
        return open_drafts(self.task, self._observed, self.max_steps)

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `pickle` keeps: drafts in C as snapshots, and no documents."""
        return {**super().__getstate__(), "_plans": None, "_features": None}

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given; a row with the same instance is not read again."""
        super().reset(rows, instances)
        self._follow(rows)

    def _forget(self, rows: NDArray[np.int64]) -> None:
        if self._plans:
            for row in rows.tolist():
                self._plans.pop(row, None)
        if self.config.features:
            for row in rows.tolist():
                self._features[row] = Features(self._observed.tokens[row])

    def _follow(self, rows: NDArray[np.int64]) -> None:
        """Brings the features of rows up to date with their drafts."""
        if self.config.features:
            for row in rows.tolist():
                features = self._features[row]
                assert features is not None
                features.follow(self._drafts.draft(row))

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given."""
        step = self._drafts.step(rows, actions)
        self._follow(rows)
        return step

    def step_among(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given; returns a step of all rows."""
        step = self._drafts.step_among(rows, actions)
        self._follow(rows)
        return step

    def one_row(self, row: int) -> "SummariseRow":
        """Returns a row that is stepped alone."""
        return SummariseRow(self, row)

    def views(self) -> Observation:
        """Returns what all rows observe, as arrays that later steps write into."""
        if self.config.features:
            return self.observe(np.arange(self.num_envs))
        return {
            "tokens": self._observed.tokens,
            "selected": self._observed.selected,
            "budget": self._observed.left,
            "action_mask": self._observed.mask,
        }

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        observation: Observation = {
            "tokens": self._observed.tokens[rows],
            "selected": self._observed.selected[rows],
            "budget": self._observed.left[rows],
            "action_mask": self._observed.mask[rows],
        }
        if self.config.features:
            shape = self.observation_space["features"].shape
            told = np.zeros((len(rows), *(shape or ())), dtype=np.float32)
            for position, row in enumerate(rows.tolist()):
                features = self._features[row]
                if features is not None:
                    told[position] = features.values
            observation["features"] = told
        return observation

    def picks(self, row: int) -> tuple[Taken, ...]:
        """Returns the steps of a row's episode that put a sentence into the draft."""
        return tuple(
            taken
            for taken in self._drafts.taken(row)
            if taken.action != self.stop and not taken.is_illegal
        )

    def oracle(self, row: int, *, from_start: bool = True) -> Plan:
        """Returns the best draft found of a row's document, or the best that goes on from its own.

        Every draft is tried where there are few enough, a beam of them elsewhere; the plan's
        `method` says which. Time limits are not looked at: the budget ends a draft.
        """
        task, plans = self._planned(row)
        prefix = () if from_start else self.draft(row)
        if prefix not in plans:
            best = best_plan(task, prefix)
            # Every way point of a plan is planned too: a beam must not change its mind.
            for end in range(len(prefix), len(best.draft) + 1):
                plans.setdefault(best.draft[:end], best)
        return plans[prefix]

    def extractive_task(self, row: int) -> ExtractiveTask:
        """Returns a row's document as the oracle searches it."""
        return self._planned(row)[0]

    def _planned(self, row: int) -> _Planned:
        """Returns a row's document as a task, and its plans so far by what they start with."""
        planned = self._plans.get(row)
        if planned is None:
            self._drafts.clock(row)  # it may have no episode
            batch = self.source.batch(self._instance[[row]])
            planned = self._plans[row] = self.task.task(batch, 0), {}
        return planned

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
        return search_method(self.extractive_task(row))

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        super().restore(row, snapshot)
        self._follow(np.array([row]))

    def render(self, row: int, mode: str) -> str:
        """Returns a row's episode as text for a terminal ("ansi") or as one page ("html")."""
        if mode == "html":
            from lightbulb_envs.render_html import render_summary_page

            return render_summary_page(self, row)
        from lightbulb_envs.render import render_summary

        return render_summary(self.document(row), self.draft(row), self.scores(row))


class SummariseRow:
    """A row that is stepped alone; see `engines.one_row.OneRow`."""

    def __init__(self, engine: SummariseEngine, row: int):
        self._engine = engine
        self._row = row
        self._rows = np.array([row])
        self._names = engine.part_names
        self._step_row = engine._drafts.step_row
        self._has_features = engine.config.features
        observed = engine._observed
        self._tokens = observed.tokens[row]
        self._selected = observed.selected[row]
        self._left = observed.left[row]
        self._mask = observed.mask[row]

    def __reduce__(self) -> tuple[Any, ...]:
        return SummariseRow, (self._engine, self._row)  # its views must be of the engine's arrays

    def reset(self, instance: int) -> None:
        engine = self._engine
        document = None if self._has_features else engine._shelf.take_ready(instance)
        if document is None:
            engine.reset(self._rows, np.array([instance]))
            return
        engine._drafts.load_row(self._row, document)
        engine._instance[self._row] = instance
        engine._plans.pop(self._row, None)

    def step(self, action: Any) -> Paid:
        paid = self._step_row(self._row, action, self._names)
        if self._has_features:
            self._engine._follow(self._rows)
        return paid

    def observe(self) -> Observation:
        observation: Observation = {
            "tokens": self._tokens.copy(),
            "selected": self._selected.copy(),
            "budget": self._left.copy(),
            "action_mask": self._mask.copy(),
        }
        if self._has_features:
            observation["features"] = self._engine.observe(self._rows)["features"][0]
        return observation

    def instance(self) -> int:
        instance: int = self._engine._instance.item(self._row)
        return instance
