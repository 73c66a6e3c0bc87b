"""Summarising in words: an article is shown, and any text that is written back is its summary.

The instances and the reward are those of `summarise`; an episode is one text. ROUGE is that of the
text and the reference as strings, and what the text claims is read from its words
(`rewards.stated_facts`), so that a fact counts where it is told as the newsroom tells it, in any of
its wordings. Words past the budget are not read. For language models, whose prompt
`adapters.text.TextWrapper` writes.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import check_actions
from lightbulb_envs.document import Document
from lightbulb_envs.engines.engine import Observation, Step, Taken
from lightbulb_envs.engines.shelf import Shelf, check_instances
from lightbulb_envs.engines.summary_task import SummaryConfig, SummaryTask
from lightbulb_envs.engines.tokens_task import BUDGET, MOST_BUDGET
from lightbulb_envs.keywords import keyword
from lightbulb_envs.rewards.text_scores import TextScorer
from lightbulb_envs.summation import add_in_order
from lightbulb_envs.text_space import UnicodeText

MOST_CHARACTERS = 1 << 16
"""Of a summary."""
KEPT = 1 << 14
"""Articles of a pool that are kept ready."""
EXAMPLES = (
    "Three people died.",
    "A big fire hit a warehouse in Oakbury on Tuesday.\n99 people died.",
    "The bill was put at $410 million, and the cause was melting snow.",
)
"""Texts that random ones are drawn from."""
_NONE = np.iinfo(np.int64).min
"""The instance of a row that has no episode yet; nobody can ask for it."""


@dataclass(frozen=True, kw_only=True)
class SummariseTextConfig(SummaryConfig):
    """Keywords of summarising in words, those of its documents included."""

    budget: int | None = keyword(None, example=5)
    """How many words of the summary are read. Default: 40, or 60 for real text."""


class SummariseTextEngine:
    """N summaries in words; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = SummariseTextConfig
    baselines: ClassVar[str] = "lightbulb_envs.baselines.text_summaries:BASELINES"
    canaries: ClassVar[str] = "lightbulb_envs.baselines.text_summaries:CANARIES"
    keeps_tokens: ClassVar[bool] = True

    def __init__(self, config: SummariseTextConfig, num_envs: int, max_steps: int | None = None):
        self.config, self.num_envs, self.max_steps = config, num_envs, max_steps
        self.task = SummaryTask(config)
        self.source, self.num_instances = self.task.source, self.task.num_instances
        has_facts = self.source.has_facts
        self.budget = BUDGET[has_facts] if config.budget is None else config.budget
        if not 1 <= self.budget <= MOST_BUDGET:
            raise ValueError(f"budget must be in [1, {MOST_BUDGET}] words, got {self.budget}")
        self.part_names: tuple[str, ...] = tuple(self.task.weights)
        self.task_text = (
            f"Summarise the article in your own words, or in its own, in at most {self.budget} "
            "words: what you write is the summary. Tell what an editor's short summary would."
        )
        shape = (self.source.max_sentences, self.source.max_tokens)
        spaces = gymnasium.spaces
        self.observation_space = spaces.Dict(
            {
                "tokens": spaces.Box(0, self.source.vocabulary.size - 1, shape, np.int32),
                "action_mask": spaces.Box(0, 1, (1,), np.int8),
            }
        )
        self.action_space: gymnasium.Space[Any] = UnicodeText(MOST_CHARACTERS, examples=EXAMPLES)
        self._instance = np.full(num_envs, _NONE)
        self._tokens = np.zeros((num_envs, *shape), dtype=np.int32)
        self._steps = np.zeros(num_envs, dtype=np.int64)
        self._has_ended = np.ones(num_envs, dtype=bool)
        self._taken: list[list[Taken]] = [[] for _ in range(num_envs)]
        self._open()

    def _open(self) -> None:
        is_endless = self.num_instances is None
        self._shelf = Shelf(self._read, self.num_envs, KEPT, is_endless=is_endless)
        self._scorer = TextScorer(self.source, self.task.weights, self.budget)

    def _read(self, instances: NDArray[np.int64]) -> Sequence[Any]:
        return [(tokens,) for tokens in self.source.batch(instances).tokens]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_shelf": None, "_scorer": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    @property
    def upcoming(self) -> Callable[[int], NDArray[np.int64]] | None:
        """What tells the instances to come, if anything does."""
        return self._shelf.upcoming

    @upcoming.setter
    def upcoming(self, upcoming: Callable[[int], NDArray[np.int64]] | None) -> None:
        self._shelf.upcoming = upcoming

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given; a row with the same instance is not read again."""
        instances = np.asarray(instances, dtype=np.int64)
        is_new = self._instance[rows] != instances
        if is_new.any():
            self._load(rows[is_new], instances[is_new])
        for row in rows.tolist():
            self._taken[row] = []
        self._steps[rows] = 0
        self._has_ended[rows] = False

    def _load(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Puts the documents of instances into rows."""
        wanted = instances.tolist()
        check_instances(wanted, self.source.num_documents)
        for row, (tokens,) in zip(rows.tolist(), self._shelf.take(wanted), strict=True):
            self._tokens[row] = tokens
        self._instance[rows] = instances

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one summary in every row given, which ends its episode."""
        texts = check_actions(actions, len(rows), self.action_space)
        if self._has_ended[rows].any():
            ended = rows[self._has_ended[rows]].tolist()
            raise RuntimeError(f"the episodes of rows {ended} have ended: call reset first")
        parts = np.zeros((len(rows), len(self.part_names)))
        for place, (row, text) in enumerate(zip(rows.tolist(), texts.tolist(), strict=True)):
            parts[place] = self._scorer.scores(int(self._instance[row]), text)
            self._taken[row].append(Taken(str(text), tuple(parts[place].tolist()), False))
        self._steps[rows] += 1
        self._has_ended[rows] = True
        truncated = np.zeros(len(rows), dtype=bool)
        if self.max_steps is not None:
            truncated = self._steps[rows] >= self.max_steps
        reward = np.array([add_in_order(row) for row in parts.tolist()])
        yes, no = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        return Step(reward, parts, terminated=yes, truncated=truncated, is_illegal=no)

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        return {
            "tokens": self._tokens[rows],
            "action_mask": np.ones((len(rows), 1), dtype=np.int8),
        }

    def instance(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the rows' instances."""
        return self._instance[rows]

    def document(self, row: int) -> Document:
        """Returns a row's document as text, with its facts where they are known."""
        return self.source.document(int(self._instance[row]))

    def summary(self, row: int) -> str | None:
        """Returns what was written of a row's document, None if nothing yet."""
        return self._taken[row][-1].action if self._taken[row] else None

    def taken(self, row: int) -> tuple[Taken, ...]:
        """Returns the actions of a row's episode so far, and what each was paid."""
        return tuple(self._taken[row])

    def scores(self, row: int) -> dict[str, float]:
        """Returns the weighted score of every part of what was written."""
        paid = self._taken[row][-1].parts if self._taken[row] else (0.0,) * len(self.part_names)
        return dict(zip(self.part_names, paid, strict=True))

    def oracle_action(self, row: int) -> str:
        """Returns the reference: no text is worth more, if the budget holds all of it."""
        return self.document(row).reference_text

    def oracle_return(self, row: int) -> float:
        """Returns what the reference is worth as a summary."""
        instance = int(self._instance[row])
        return add_in_order(self._scorer.scores(instance, self.oracle_action(row)))

    def oracle_method(self, row: int) -> str:
        """Returns "exact" where the reference is worth all that there is, "reference" elsewhere."""
        most = add_in_order(self.task.weights.values())
        return "exact" if self.oracle_return(row) >= most - 1e-9 else "reference"

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        return {
            "instance": int(self._instance[row]),
            "steps": int(self._steps[row]),
            "has_ended": bool(self._has_ended[row]),
            "taken": [asdict(taken) for taken in self._taken[row]],
        }

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        self.reset(np.array([row]), np.array([snapshot["instance"]]))
        self._steps[row] = snapshot["steps"]
        self._has_ended[row] = snapshot["has_ended"]
        self._taken[row] = [Taken.of(one) for one in snapshot["taken"]]

    def render(self, row: int, mode: str) -> str:
        """Returns a row's episode as text for a terminal ("ansi") or as one page ("html")."""
        document, summary = self.document(row), self.summary(row)
        lines = [document.text]
        if summary is not None:
            paid = ", ".join(f"{name} {score:.3f}" for name, score in self.scores(row).items())
            total = add_in_order(self.scores(row).values())
            lines += ["", "Summary:", summary, "", f"Return {total:.3f}: {paid}"]
            oracle = f"{self.oracle_return(row):.3f} ({self.oracle_method(row)})"
            lines += ["", f"Reference, which is the oracle's {oracle}:", document.reference_text]
        text = "\n".join(lines)
        if mode == "html":
            from lightbulb_envs.html_page import text_page

            return text_page(document.id, text)
        return text
