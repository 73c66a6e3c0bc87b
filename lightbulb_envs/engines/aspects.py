"""Reading a review for two aspects in turn: label the first when sure, read on, label the second.

Actions are those of `sentiment`: 0 reads the next chunk, k commits to label k - 1 for the aspect
that the title asks about. The first answer changes the title, the second one ends the episode. Each
answer is paid half.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.sentiment import SentimentEngine
from lightbulb_envs.engines.sentiment_config import check_price
from lightbulb_envs.keywords import keyword
from lightbulb_envs.sources.reviews.aspect_reading import in_turn
from lightbulb_envs.sources.reviews.aspects import QUESTIONS, AspectSource


@dataclass(frozen=True, kw_only=True)
class AspectConfig:
    """Keywords of reading for two aspects in turn."""

    level: int = keyword(2, example=0)
    """Level of the simulated reviews, 0 to 5: how opinions are told."""
    split: str | None = keyword(None, example="ood")
    """train (the default), validation, test, ood or heldout."""
    read_cost: float = keyword(0.05, example=0.2)
    """What a chunk costs to read."""
    wrong: float = keyword(-1.0, example=-2.0)
    """What two wrong labels are paid; two right ones are paid 1."""
    illegal_penalty: float = keyword(0.01, example=0.5)
    """What reading on costs when all is read."""
    num_instances: int | None = keyword(None, example=5)
    """Reviews to draw episodes from: the first so many. Default: no end of them."""

    def __post_init__(self) -> None:
        check_price("read_cost", self.read_cost)
        check_price("illegal_penalty", self.illegal_penalty)
        if self.wrong >= 1:
            raise ValueError(f"a wrong label must be paid less than 1, got wrong={self.wrong}")


class AspectEngine(SentimentEngine):
    """N episodes of reading for two aspects; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = AspectConfig
    reveals_in_order: ClassVar[bool] = False
    questions: ClassVar[int] = QUESTIONS
    baselines: ClassVar[str] = "lightbulb_envs.baselines.aspects:BASELINES"

    def __init__(self, config: AspectConfig, num_envs: int, max_steps: int | None = None):
        super().__init__(config, num_envs, max_steps)
        self._labels = np.zeros((num_envs, QUESTIONS), dtype=np.int64)
        self._titles = np.zeros((num_envs, QUESTIONS, self.source.max_tokens), dtype=np.int32)
        self._given = np.full((num_envs, QUESTIONS), -1)  # answers, -1 where there is none yet

    def _open_source(self) -> AspectSource:
        return AspectSource(self.config.level, self.config.split or "train")

    def _task_of(self, labels: str) -> str:
        return (
            ", in two of its aspects. Read it chunk by chunk, which costs "
            f"{self.read_cost:g} a chunk, and say what it thinks of the one that its title asks "
            f"about when you are sure; then the title asks about the other. Answer 0 to read on, "
            f"{labels}."
        )

    def _prepare(self, instances: NDArray[np.int64]) -> list[tuple[Any, ...]]:
        batch = self.source.batch(instances)
        lengths, labels = batch.num_chunks.tolist(), batch.labels.tolist()
        return list(zip(batch.tokens, lengths, labels, batch.titles, strict=True))

    def _place(self, row: int, tokens: Any, length: int, labels: Any, titles: Any = None) -> None:
        self._text[row, 1:], self._text[row, 0] = tokens, titles[0]
        self._length[row], self._label[row] = length, labels[0]
        self._labels[row], self._titles[row] = labels, titles

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given: its title asks about the first aspect."""
        super().reset(rows, instances)
        self._given[rows] = -1
        self._ask(rows, 0)  # a row that keeps its text may have come to the second

    def _ends(self, rows: NDArray[np.int64], answers: NDArray[np.bool_]) -> NDArray[np.bool_]:
        is_second = self._given[rows, 0] >= 0
        self._given[rows[answers & is_second], 1] = self._answer[rows[answers & is_second]]
        turned = rows[answers & ~is_second]
        self._given[turned, 0] = self._answer[turned]
        self._ask(turned, 1)
        ends: NDArray[np.bool_] = answers & is_second
        return ends

    def _ask(self, rows: NDArray[np.int64], question: int) -> None:
        self._label[rows] = self._labels[rows, question]
        self._text[rows, 0] = self._tokens[rows, 0] = self._titles[rows, question]

    def metrics(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Returns what is measured of rows that have terminated; see `lightbulb_envs.metrics`."""
        return {
            "accuracy": (self._given[rows] == self._labels[rows]).mean(axis=1),
            "share_read": self._count_read(rows) / self._length[rows],
        }

    def answer(self, row: int) -> str | None:
        """Returns the labels that a row's episode has committed to, None if none yet."""
        given = [self.labels[number] for number in self._given[row].tolist() if number >= 0]
        return " / ".join(given) or None

    def beliefs(self, row: int) -> None:
        """Returns nothing: there are two labels to believe in."""

    def oracle_action(self, row: int) -> int:
        """Returns what a reader does who knows the rules, and not what is not read yet."""
        (plan,) = plans(self, self._instance[[row]])
        return int(plan[int(self._given[row, 0] >= 0), self.num_read(row)])

    def oracle_return(self, row: int) -> float:
        """Returns what such a reader's return is on average."""
        length = int(self._length[row]) // QUESTIONS
        return in_turn(self.config.level, length, self.read_cost, self.config.wrong).value

    def oracle_method(self, row: int) -> str:
        """Returns "expected": no reader returns more on average, by dynamic programming."""
        return "expected"

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        return {**super().snapshot(row), "given": self._given[row].tolist()}

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        super().restore(row, snapshot)
        self._given[row] = snapshot["given"]
        if snapshot["given"][0] >= 0:
            self._ask(np.array([row]), 1)


def plans(engine: AspectEngine, instances: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Returns the best actions on reviews: (2, C + 1) each, by the question and chunks read."""
    source: AspectSource = engine.source
    mixed = source.mixed(instances)
    states = [source.programme.states(said.operation) for said in mixed.said]
    found = []
    for place, length in enumerate(mixed.said[0].length.tolist()):
        best = in_turn(engine.config.level, length, engine.read_cost, engine.config.wrong)
        question = mixed.question[place, : QUESTIONS * length]
        read = [np.append(0, (question == number).cumsum()) for number in range(QUESTIONS)]
        one, two = (length - count for count in read)
        at, other = (states[number][place][read[number]] for number in range(QUESTIONS))
        found.append(np.stack((best.first[one, two, at, other], best.second[one, two, other])))
    return found
