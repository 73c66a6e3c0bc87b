"""Reading with a cost: read a review chunk by chunk, and commit to a label when sure.

An episode is a review. Action 0 reads the next chunk, for which it pays; action k commits to label
k - 1, which pays 1 where it is right, and ends the episode. The title, the number of chunks and
what is read are observed; a chunk that is not read yet is padding. A decision process of this
shape is optimal stopping (Wald 1945); that reading may stop early is the idea of skim-reading
(Yu, Lee and Le 2017, "Learning to Skim Text").
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.actions import check_actions, to_plain
from lightbulb_envs.engines.engine import Observation, Step, Taken
from lightbulb_envs.engines.sentiment_config import BanditConfig, SentimentConfig
from lightbulb_envs.engines.shelf import Shelf, check_instances, num_instances_of
from lightbulb_envs.sources.labelled import Review
from lightbulb_envs.sources.reviews.reading import best_reading
from lightbulb_envs.sources.reviews.source import ReviewSource
from lightbulb_envs.sources.source import open_source
from lightbulb_envs.summation import add_in_order

READ = 0
"""The action that reads on."""
PARTS = ("answer", "reading", "illegal_action")
KEPT = 1 << 15
"""Texts of a pool that are kept ready."""
_NONE = np.iinfo(np.int64).min
"""The instance of a row that has no episode yet; nobody can ask for it."""


class SentimentEngine:
    """N episodes of reading; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = SentimentConfig
    is_read_at_once: ClassVar[bool] = False
    reveals_in_order: ClassVar[bool] = True
    baselines: ClassVar[str] = "lightbulb_envs.baselines.reading:BASELINES"
    canaries: ClassVar[str] = "lightbulb_envs.baselines.reading_canaries:READING_CANARIES"
    illegal_text: ClassVar[str] = "there is no such chunk left"
    part_names: tuple[str, ...] = PARTS
    questions: ClassVar[int] = 1
    """Labels that an episode asks for; each is paid so much less."""

    def __init__(self, config: Any, num_envs: int, max_steps: int | None = None):
        self.config = config
        self.num_envs = num_envs
        self.max_steps = max_steps
        self.source: Any = self._open_source()
        self.num_instances = num_instances_of(config.num_instances, self.source.num_documents)
        self.labels: tuple[str, ...] = self.source.labels
        self.rules: ReviewSource | None = self.source.rules
        self.read_cost: float = getattr(config, "read_cost", 0.0)
        lines, tokens = self.source.max_sentences, self.source.max_tokens
        self.reads = self._count_reads()
        """Actions that read: those before the labels."""
        self.task_text = self._task()
        spaces = gymnasium.spaces
        most = self.source.vocabulary.size - 1
        self.observation_space = spaces.Dict(
            {
                "tokens": spaces.Box(0, most, (lines, tokens), np.int32),
                "unread": spaces.Box(0.0, 1.0, (1,), np.float32),
                "action_mask": spaces.Box(0, 1, (self.reads + len(self.labels),), np.int8),
            }
        )
        self.action_space: gymnasium.Space[Any] = spaces.Discrete(self.reads + len(self.labels))
        self._instance = np.full(num_envs, _NONE)
        self._text = np.zeros((num_envs, lines, tokens), dtype=np.int32)
        self._tokens = np.zeros_like(self._text)  # what is read of it
        self._length = np.zeros(num_envs, dtype=np.int64)
        self._label = np.zeros(num_envs, dtype=np.int64)
        self._is_read = np.zeros((num_envs, lines - 1), dtype=bool)
        self._answer = np.full(num_envs, -1)  # -1 where there is none yet
        self._steps = np.zeros(num_envs, dtype=np.int64)
        self._has_ended = np.ones(num_envs, dtype=bool)
        self._open()

    def _open_source(self) -> Any:
        """Returns a `LabelledSource`."""
        return open_source(self.config)

    def _count_reads(self) -> int:
        return 1

    def _task(self) -> str:
        """Returns what is to be done, in words."""
        told = "Say which label a text has"
        if self.rules is not None:
            told = "Say what a review thinks of what it is about"
        named = enumerate(self.labels, self.reads)
        listed = " or ".join(f"{number} for {label}" for number, label in named)
        return f"{told}{self._task_of(listed)}"

    def _task_of(self, labels: str) -> str:
        if self.is_read_at_once:
            return f": answer {labels}."
        return (
            f". Read it chunk by chunk, which costs {self.read_cost:g} a chunk, and commit when "
            f"you are sure: answer {READ} to read on, {labels}."
        )

    def _chunk(self, rows: NDArray[np.int64], actions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the chunks that actions read, if they do: the next ones."""
        return self._count_read(rows)

    def _count_read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns how many chunks rows have read."""
        count: NDArray[np.int64] = self._is_read[rows].sum(axis=1)
        return count

    def _open(self) -> None:
        """Makes what is remembered of episodes and documents; there is nothing yet."""
        self._taken: list[list[Taken]] = [[] for _ in range(self.num_envs)]
        is_endless = self.num_instances is None
        self._shelf = Shelf(self._prepare, self.num_envs, KEPT, is_endless=is_endless)
        self._best: dict[int, tuple[NDArray[np.int64], float]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `pickle` keeps: no documents, and nothing that can be found again."""
        return {**self.__dict__, "_shelf": None, "_best": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        taken = self._taken
        self._open()
        self._taken = taken

    @property
    def upcoming(self) -> Callable[[int], NDArray[np.int64]] | None:
        """What tells the instances to come, if anything does."""
        return self._shelf.upcoming

    @upcoming.setter
    def upcoming(self, upcoming: Callable[[int], NDArray[np.int64]] | None) -> None:
        self._shelf.upcoming = upcoming

    def _prepare(self, instances: NDArray[np.int64]) -> Sequence[tuple[Any, ...]]:
        """Returns what `_place` needs of texts: tokens, length and label."""
        batch = self.source.batch(instances)
        return list(zip(batch.tokens, batch.num_chunks.tolist(), batch.label.tolist(), strict=True))

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given: its title is read.

        A row with the same instance keeps the text that it has.
        """
        instances = np.asarray(instances, dtype=np.int64)
        is_new = self._instance[rows] != instances
        if is_new.any():
            self._load(rows[is_new], instances[is_new])
        for row in rows.tolist():
            self._taken[row] = []
        self._tokens[rows] = 0
        self._tokens[rows, 0] = self._text[rows, 0]
        self._is_read[rows] = False
        if self.is_read_at_once:
            self._tokens[rows] = self._text[rows]
            self._is_read[rows] = np.arange(self._is_read.shape[1]) < self._length[rows, None]
        self._answer[rows] = -1
        self._steps[rows] = 0
        self._has_ended[rows] = False

    def _load(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Puts the texts of instances into rows."""
        wanted = instances.tolist()
        check_instances(wanted, self.source.num_documents)
        for row, prepared in zip(rows.tolist(), self._shelf.take(wanted), strict=True):
            self._place(row, *prepared)
            self._best.pop(row, None)
        self._instance[rows] = instances

    def _place(self, row: int, tokens: NDArray[np.int32], length: int, label: int) -> None:
        """Puts a text into a row."""
        self._text[row] = tokens
        self._length[row], self._label[row] = length, label

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> Step:
        """Takes one action in every row given."""
        chosen = check_actions(actions, len(rows), self.action_space)
        if self._has_ended[rows].any():
            ended = rows[self._has_ended[rows]].tolist()
            raise RuntimeError(f"the episodes of rows {ended} have ended: call reset first")
        wants = chosen < self.reads
        chunk = self._chunk(rows, chosen)
        may = chunk < self._length[rows]
        may[may] = ~self._is_read[rows[may], chunk[may]]
        is_illegal = wants & ~may
        reads = wants & may
        is_right = chosen - self.reads == self._label[rows]
        parts = np.zeros((len(rows), len(PARTS)))
        answers = np.where(is_right, 1.0, self.config.wrong)
        parts[:, 0] = np.where(wants, 0.0, answers / self.questions)
        parts[:, 1] = np.where(reads, -self.read_cost, 0.0)
        parts[:, 2] = np.where(is_illegal, -self.config.illegal_penalty, 0.0)
        reader, line = rows[reads], 1 + chunk[reads]
        self._answer[rows[~wants]] = chosen[~wants] - self.reads
        self._is_read[reader, line - 1] = True
        self._tokens[reader, line] = self._text[reader, line]
        self._steps[rows] += 1
        truncated = np.zeros(len(rows), dtype=bool)
        if self.max_steps is not None:
            truncated = self._steps[rows] >= self.max_steps
        terminated = self._ends(rows, ~wants)
        self._has_ended[rows] = terminated | truncated
        for place, row in enumerate(rows.tolist()):
            paid = tuple(parts[place].tolist())
            self._taken[row].append(Taken(to_plain(chosen[place]), paid, bool(is_illegal[place])))
        reward = np.array([add_in_order(row) for row in parts.tolist()])
        return Step(reward, parts, terminated, truncated, is_illegal)

    def _ends(self, rows: NDArray[np.int64], answers: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Takes note of answers; returns which of the episodes have ended by them."""
        return answers

    def observe(self, rows: NDArray[np.int64]) -> Observation:
        """Returns fresh arrays of the rows' observations."""
        left = self._length[rows] - self._count_read(rows)
        mask = np.ones((len(rows), self.reads + len(self.labels)), dtype=np.int8)
        mask[:, : self.reads] = self._may_read(rows)
        unread = (left / (self.source.max_sentences - 1)).astype(np.float32)[:, None]
        return {"tokens": self._tokens[rows], "unread": unread, "action_mask": mask}

    def _may_read(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns which of the actions that read are legal, (n, reads)."""
        return (self._count_read(rows) < self._length[rows])[:, None]

    def instance(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the rows' instances."""
        return self._instance[rows]

    def metrics(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Returns what is measured of rows that have terminated; see `lightbulb_envs.metrics`."""
        label, answer = self._label[rows], self._answer[rows]
        return {
            "label": label,
            "answer": answer,
            "accuracy": (label == answer).astype(np.float64),
            "share_read": self._count_read(rows) / self._length[rows],
        }

    def document(self, row: int) -> Review:
        """Returns a row's review as text."""
        review: Review = self.source.document(int(self._instance[row]))
        return review

    def num_read(self, row: int) -> int:
        """Returns how many chunks a row's episode has read."""
        return int(self._is_read[row].sum())

    def chunks_read(self, row: int) -> list[int]:
        """Returns which chunks a row's episode has read, counted from 0, in their order."""
        return [int(chunk) for chunk in np.flatnonzero(self._is_read[row])]

    def answer(self, row: int) -> str | None:
        """Returns the label that a row's episode has committed to, None if none yet."""
        number = int(self._answer[row])
        return self.labels[number] if number >= 0 else None

    def told(self, action: int) -> str:
        """Returns an action in words."""
        if action >= self.reads:
            return self.labels[action - self.reads]
        return "read on" if self.reads == 1 else f"read chunk {action}"

    def beliefs(self, row: int) -> NDArray[np.float64] | None:
        """Returns the chances of the labels (C + 1, K) after so many chunks; None for real text.

        They are those of a reader who knows the rules by which reviews are told.
        """
        if self.rules is None:
            return None
        own = self._instance[[row]]
        best = best_reading(self.rules, own, self.read_cost, self.config.wrong)
        return best.belief[0, : int(self._length[row]) + 1]

    def taken(self, row: int) -> tuple[Taken, ...]:
        """Returns the actions of a row's episode so far, and what each was paid."""
        return tuple(self._taken[row])

    def _plan(self, row: int) -> tuple[NDArray[np.int64], float]:
        """Returns the best action by the chunks that are read, and the value at the start.

        Nobody knows by what rules real text is told: there it is the label, at once.
        """
        if self.rules is None:
            return np.full(int(self._length[row]) + 1, self.reads + self._label[row]), 1.0
        if row not in self._best:
            own = self._instance[[row]]
            best = best_reading(self.rules, own, self.read_cost, self.config.wrong)
            start = self._length[row] if self.is_read_at_once else 0
            self._best[row] = best.action[0], float(best.value[0, start])
        return self._best[row]

    def oracle_action(self, row: int) -> int:
        """Returns what a reader does who knows the rules, and not what is not read yet."""
        return int(self._plan(row)[0][self.num_read(row)])

    def oracle_return(self, row: int) -> float:
        """Returns what such a reader's return is on average, given what the start shows.

        Of real text, whose rules nobody knows, it is the return of who knows the label: 1.
        """
        return self._plan(row)[1]

    def oracle_method(self, row: int) -> str:
        """Returns "expected": no reader returns more on average, by dynamic programming.

        Of real text it is "exact": nobody returns more than who knows the label.
        """
        return "expected" if self.rules is not None else "exact"

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        return {
            "instance": int(self._instance[row]),
            "read": self.chunks_read(row),
            "answer": int(self._answer[row]),
            "steps": int(self._steps[row]),
            "has_ended": bool(self._has_ended[row]),
            "taken": [asdict(taken) for taken in self.taken(row)],
        }

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        self.reset(np.array([row]), np.array([snapshot["instance"]]))
        lines = [1 + chunk for chunk in snapshot["read"]]
        self._is_read[row, snapshot["read"]] = True
        self._tokens[row, lines] = self._text[row, lines]
        self._steps[row] = snapshot["steps"]
        self._has_ended[row] = snapshot["has_ended"]
        self._answer[row] = snapshot["answer"]
        self._taken[row] = [Taken.of(one) for one in snapshot["taken"]]

    def render(self, row: int, mode: str) -> str:
        """Returns a row's episode as text for a terminal ("ansi") or as one page ("html")."""
        if mode == "html":
            from lightbulb_envs.render_review_html import render_review_page

            return render_review_page(self, row)
        review, read = self.document(row), self.chunks_read(row)
        lines = [*filter(None, [review.title]), *self._told(review, read)]
        left = len(review.chunks) - len(read)
        if left:
            lines.append(f"({left} of {len(review.chunks)} chunks unread)")
        if (answer := self.answer(row)) is not None:
            lines.append(f"Answer: {answer}. It is {review.label}.")
        return "\n".join(lines)

    def _told(self, review: Review, read: list[int]) -> list[str]:
        return [review.chunks[chunk] for chunk in read]


class BanditEngine(SentimentEngine):
    """N reviews that are read from the start, at no cost: an episode is one answer."""

    Config: ClassVar[type] = BanditConfig
    is_read_at_once: ClassVar[bool] = True
    reveals_in_order: ClassVar[bool] = False
    keeps_tokens: ClassVar[bool] = True
