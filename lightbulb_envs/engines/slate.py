"""Summarising at one stroke: all sentences of the draft are chosen at once.

The instances and the reward are those of `summarise`; an episode is one action. A *slate* names
sentences in the order of telling, and ends at its first STOP; a *subset* (form "multibinary")
says of every sentence whether it is in, and the draft tells them in the article's order. What no
longer fits the budget is left out, and a sentence named twice is told once. As a reward can look
at the whole choice alone, this is a contextual bandit.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import are_legal, check_actions, mask_shape, to_plain
from lightbulb_envs.document import Document
from lightbulb_envs.engines.engine import Observation, Step, Taken
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine, SummariseTask
from lightbulb_envs.keywords import keyword
from lightbulb_envs.search import Plan
from lightbulb_envs.summation import add_in_order

FORMS = ("slate", "multibinary")


@dataclass(frozen=True, kw_only=True)
class SlateConfig(SummariseConfig):
    """Keywords of the slate environments: those of the summariser, and the form of the action."""

    form: str = keyword("slate", example="multibinary")
    """What an action is: "slate", as many places as the budget has sentences (or the observation,
    where it counts words), or "multibinary", a bit a sentence."""


class SlateTask(SummariseTask):
    """A slate config put to work."""

    def __init__(self, config: SlateConfig):
        super().__init__(config)
        if config.form not in FORMS:
            raise ValueError(f"form must be one of {', '.join(FORMS)}, got {config.form!r}")
        self.in_article_order = config.form == "multibinary"
        self.places = self.budget if self.counts_sentences else self.source.max_sentences


class _Picker(SummariseEngine):
    """Picks sentence by sentence what an action names."""

    Task: ClassVar[type[SummariseTask]] = SlateTask


class SlateEngine:
    """N episodes of one action each; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = SlateConfig
    baselines: ClassVar[str] = SummariseEngine.baselines
    canaries: ClassVar[str] = SummariseEngine.canaries
    keeps_tokens: ClassVar[bool] = True

    def __init__(self, config: SlateConfig, num_envs: int, max_steps: int | None = None):
        self.config = config
        self.num_envs = num_envs
        self.max_steps = max_steps
        self._picker = _Picker(config, num_envs)
        self.task: SlateTask = self._picker.task
        self.source = self.task.source
        self.num_instances = self.task.num_instances
        self.part_names = self._picker.part_names
        sentences = self._picker.stop
        spaces = gymnasium.spaces
        self.action_space: gymnasium.Space[Any]
        if self.task.in_article_order:
            self.action_space = spaces.MultiBinary(sentences)
        else:
            self.action_space = spaces.MultiDiscrete([sentences + 1] * self.task.places)
        mask = spaces.Box(0, 1, mask_shape(self.action_space), np.int8)
        told = {**self._picker.observation_space, "action_mask": mask}
        self.observation_space = spaces.Dict(told)
        self._steps = np.zeros(num_envs, dtype=np.int64)
        self._has_ended = np.zeros(num_envs, dtype=bool)
        self._taken: list[list[Taken]] = [[] for _ in range(num_envs)]

    @property
    def upcoming(self) -> Callable[[int], NDArray[np.int64]] | None:
        """What tells the instances to come, if anything does."""
        return self._picker.upcoming

    @upcoming.setter
    def upcoming(self, upcoming: Callable[[int], NDArray[np.int64]] | None) -> None:
        self._picker.upcoming = upcoming

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given."""
        self._picker.reset(rows, instances)
        self._steps[rows] = 0
        self._has_ended[rows] = False
        for row in rows.tolist():
            self._taken[row] = []

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given; a legal one ends the episode."""
        chosen = check_actions(actions, len(rows), self.action_space)
        if self._has_ended[rows].any():
            ended = rows[self._has_ended[rows]].tolist()
            raise RuntimeError(f"the episodes of rows {ended} have ended: call reset first")
        masks = self.observe(rows)["action_mask"]
        is_illegal = ~are_legal(self.action_space, masks, chosen)
        parts = np.zeros((len(rows), len(self.part_names)))
        self._steps[rows] += 1
        truncated = np.zeros(len(rows), dtype=bool)
        if self.max_steps is not None:
            truncated = self._steps[rows] >= self.max_steps
        for position, row in enumerate(rows.tolist()):
            if is_illegal[position]:
                parts[position, -1] = -self.config.illegal_penalty
            else:
                self._tell(row, chosen[position])
                parts[position, :-1] = list(self.scores(row).values())
            paid = tuple(parts[position].tolist())
            taken = Taken(to_plain(chosen[position]), paid, bool(is_illegal[position]))
            self._taken[row].append(taken)
        self._has_ended[rows] = ~is_illegal | truncated
        reward = np.array([add_in_order(row) for row in parts.tolist()])
        return Step(reward, parts, ~is_illegal, truncated, is_illegal)

    def _tell(self, row: int, action: NDArray[np.int64]) -> None:
        """Puts what an action names into the draft, as far as the budget goes."""
        own = np.array([row])
        named = np.flatnonzero(action) if self.task.in_article_order else action
        for sentence in named.tolist():
            if sentence == self._picker.stop:
                return
            if self._picker.observe(own)["action_mask"][0, sentence]:
                self._picker.step(own, np.array([sentence]))

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        observation = self._picker.observe(rows)
        mask = observation["action_mask"]
        if self.task.in_article_order:
            observation["action_mask"] = mask[:, :-1].copy()
        else:
            observation["action_mask"] = np.repeat(mask[:, None], self.task.places, axis=1)
        return observation

    def instance(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the rows' instances."""
        return self._picker.instance(rows)

    def document(self, row: int) -> Document:
        """Returns a row's document as text, with its facts where they are known."""
        return self._picker.document(row)

    def draft(self, row: int) -> tuple[int, ...]:
        """Returns the sentences of a row's draft, in the order of telling."""
        return self._picker.draft(row)

    def taken(self, row: int) -> tuple[Taken, ...]:
        """Returns the actions of a row's episode so far, and what each was paid."""
        return tuple(self._taken[row])

    def picks(self, row: int) -> tuple[Taken, ...]:
        """Returns the sentences of a row's draft, and what each added in that order."""
        return self._picker.picks(row)

    def scores(self, row: int) -> dict[str, float]:
        """Returns the weighted score of every part of a row's draft."""
        return self._picker.scores(row)

    def oracle(self, row: int) -> Plan:
        """Returns the best draft found of a row's document."""
        return self._picker.oracle(row)

    def oracle_action(self, row: int) -> Any:
        """Returns the action that names the oracle's draft."""
        draft = list(self.oracle(row).draft)
        if self.task.in_article_order:
            bits = np.zeros(self._picker.stop, dtype=np.int64)
            bits[draft] = 1
            return bits
        slate = np.full(self.task.places, self._picker.stop, dtype=np.int64)
        slate[: len(draft)] = draft
        return slate

    def oracle_return(self, row: int) -> float:
        """Returns the return of the oracle's draft of a row's document."""
        return self.oracle(row).value

    def oracle_method(self, row: int) -> str:
        """Returns "exact", or "beam-" and its width."""
        return self._picker.oracle_method(row)

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        return {
            "picker": self._picker.snapshot(row),
            "steps": int(self._steps[row]),
            "has_ended": bool(self._has_ended[row]),
            "taken": [asdict(taken) for taken in self._taken[row]],
        }

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        self._picker.restore(row, snapshot["picker"])
        self._steps[row] = snapshot["steps"]
        self._has_ended[row] = snapshot["has_ended"]
        self._taken[row] = [Taken.of(one) for one in snapshot["taken"]]

    def render(self, row: int, mode: str) -> str:
        """Returns a row's episode as text for a terminal ("ansi") or as one page ("html")."""
        if mode == "html":
            from lightbulb_envs.render_html import render_summary_page

            return render_summary_page(self, row)
        return self._picker.render(row, mode)
