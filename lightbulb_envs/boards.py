"""What a person sees of an episode in a terminal, and how numbers that are typed become actions.

Summarisers have boards of their own; any other engine with numbered actions is shown as it
renders itself. All boards offer the same: `opening` shows all there is, `situation` what changes
with every move, `ending` what may be told at the end; `read` makes a legal action of numbers, and
`typed` turns one back.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lightbulb_envs.actions import are_legal, to_plain
from lightbulb_envs.answers import Answers, RefusedError, ranges
from lightbulb_envs.engines.engine import Engine, has_stop, task_text
from lightbulb_envs.engines.slate import SlateEngine
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.engines.summarise_tokens import TokensEngine
from lightbulb_envs.render import account_lines, printable

_ROW = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class Look:
    """How wide lines are, and whether there are colours."""

    width: int = 80
    has_colour: bool = False

    def strong(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.has_colour else text

    def soft(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.has_colour else text

    def wrapped(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        """Returns a text as lines, the first led in by `first`, the others by `rest`."""
        indent = " " * len(first) if rest is None else rest
        width = max(self.width - len(indent), 20)
        lines = textwrap.wrap(printable(text), width, break_on_hyphens=False) or [""]
        return [first + lines[0], *(indent + line for line in lines[1:])]


class PlainBoard:
    """Any engine that can be answered in a line: what it renders, and the legal actions."""

    def __init__(self, engine: Engine):
        self.answers = Answers(engine.action_space, has_stop=has_stop(engine))
        self._engine = engine

    def _legal(self) -> list[int]:
        mask = self._engine.observe(_ROW)["action_mask"][0]
        return [int(action) for action in np.flatnonzero(mask)]

    def opening(self) -> list[str]:
        return [*filter(None, [task_text(self._engine)]), *self.situation()]

    def situation(self) -> list[str]:
        if self.answers.is_free:
            return [self._engine.render(0, "ansi")]
        if self.answers.in_percent:
            return [self._engine.render(0, "ansi"), f"answer: {self.answers.asked}"]
        legal = [action for action in self._legal() if action != self.answers.stop]
        stop = ", stop" if len(legal) < len(self._legal()) else ""
        return [self._engine.render(0, "ansi"), f"legal actions: {ranges(legal)}{stop}"]

    def ending(self) -> list[str]:
        return [self._engine.render(0, "ansi")]

    def read(self, numbers: Sequence[int]) -> Any:
        action = self.answers.action(numbers)
        if self.answers.in_percent:
            return action
        if action not in (legal := self._legal()):
            raise RefusedError(f"{action} is not legal now: legal actions are {ranges(legal)}")
        return action

    def typed(self, action: Any) -> str:
        if self.answers.is_free:
            return " ".join(action.split())  # for a line is what is typed
        return " ".join(map(str, self.answers.named(action)))


class ArticleBoard:
    """A summariser: the numbered article, the draft, and afterwards the reference and the facts."""

    def __init__(self, engine: SummariseEngine | SlateEngine, look: Look):
        self._engine = engine
        self._look = look
        self._most = engine.source.max_sentences
        self._is_slate = isinstance(engine, SlateEngine)
        self._is_subset = engine.task.in_article_order
        self.answers = Answers(engine.action_space, has_stop=True)

    def opening(self) -> list[str]:
        document, draft = self._engine.document(0), self._engine.draft(0)
        place = {sentence: order for order, sentence in enumerate(draft, start=1)}
        costs = self._costs()
        lines = [self._look.strong(printable(document.id)), ""]
        for number, sentence in enumerate(document.sentences[: self._most]):
            mark = f"[{place[number]}]" if number in place else "   "
            words = "" if costs is None else f"{costs[number]:>4}w"
            first = f"{mark} {number:>2}{words}  "
            shown = self._look.wrapped(sentence, first)
            lines += [self._look.strong(line) for line in shown] if number in place else shown
        cut = len(document.sentences) - self._most
        if cut > 0:
            lines.append(self._look.soft(f"    (the article goes on for {cut} more sentences)"))
        return [*lines, "", *self.situation()]

    def _costs(self) -> list[int] | None:
        """Returns the words of every sentence, None where the budget does not count words."""
        if self._engine.task.counts_sentences:
            return None
        batch = self._engine.source.batch(self._engine.instance(_ROW))
        return [int(count) for count in (batch.words[0] >= 0).sum(axis=1)]

    def _left(self) -> int:
        share = float(self._engine.observe(_ROW)["budget"][0, 0])
        return round(share * self._engine.task.budget)

    def situation(self) -> list[str]:
        budget, unit = self._engine.task.budget, self._engine.config.budget_unit
        lines = self._draft("draft", self._engine.draft(0))
        if not self._is_slate:
            return [*lines, f"budget: {self._left()} of {budget} {unit} left"]
        how = "as in: 2 0, told in that order"
        if self._is_subset:
            how = "as in: 0 2, told in the article's order"
        return [*lines, f"budget: {budget} {unit}; name the whole draft on one line, {how}"]

    def _draft(self, name: str, draft: Sequence[int]) -> list[str]:
        sentences = self._engine.document(0).sentences
        lines = [f"{name}:" if draft else f"{name}: empty"]
        for number in draft:
            lines += self._look.wrapped(sentences[number], f"{number:>6}  ")
        return lines

    def ending(self) -> list[str]:
        document, draft = self._engine.document(0), self._engine.draft(0)
        lines = self._draft("your draft", draft)
        last = self._engine.taken(0)[-1].action
        left_out = [number for number in self.answers.named(last) if number not in draft]
        if left_out:
            lines.append(f"left out, for the budget: {', '.join(map(str, left_out))}")
        lines += self._draft(
            f"oracle's draft ({self._engine.oracle_method(0)} search)", self._engine.oracle(0).draft
        )
        lines.append("reference:")
        for sentence in document.reference:
            lines += self._look.wrapped(sentence, " " * 8)
        for line in account_lines(document, draft, self._engine.task.weights):
            indent = "  " if line[0] == " " else ""
            lines += self._look.wrapped(line.strip(), indent, 2 * indent)
        return lines

    def read(self, numbers: Sequence[int]) -> Any:
        count = min(len(self._engine.document(0).sentences), self._most)
        for number in numbers:
            if number >= count:
                raise RefusedError(f"there is no sentence {number}: they go from 0 to {count - 1}")
            if numbers.count(number) > 1:
                raise RefusedError(f"{number} is named twice, and a draft tells it once")
        action = self.answers.action(numbers)
        mask = self._engine.observe(_ROW)["action_mask"]
        if not are_legal(self._engine.action_space, mask, np.array([action]))[0]:
            raise RefusedError(self._reason(numbers))
        return action

    def _reason(self, chosen: Sequence[int]) -> str:
        """Returns why sentences that are there may not be picked now."""
        for number in chosen:
            if number in self._engine.draft(0):
                return f"{number} is in the draft already: u takes the last pick back"
        return f"that is more than the {self._left()} {self._engine.config.budget_unit} left"

    def typed(self, action: Any) -> str:
        if to_plain(action) == self.answers.stop:
            return "s, to stop"
        return " ".join(map(str, self.answers.named(action)))


class WritingBoard:
    """Writing word by word: the article, the numbered words, and the draft as it grows."""

    def __init__(self, engine: TokensEngine, look: Look):
        self._engine = engine
        self._look = look
        self.answers = Answers(engine.action_space, has_stop=True)

    def opening(self) -> list[str]:
        document, words = self._engine.document(0), self._engine.words_of(0)
        lines = [self._look.strong(printable(document.id)), ""]
        for sentence in document.sentences[: self._engine.source.max_sentences]:
            lines += self._look.wrapped(sentence, "  ")
        told = "  ".join(f"{number}\u00a0{word}" for number, word in enumerate(words) if word)
        return [*lines, "", *self._look.wrapped(told, "words: ", "  "), "", *self.situation()]

    def _draft(self, name: str, draft: Sequence[int]) -> list[str]:
        words = self._engine.words_of(0)
        text = " ".join(words[action] for action in draft)
        return self._look.wrapped(text or "empty", f"{name}: ", "  ")

    def situation(self) -> list[str]:
        draft, budget = self._engine.draft(0), self._engine.task.budget
        left = f"budget: {budget - len(draft)} of {budget} words left"
        return [*self._draft("draft", draft), left]

    def ending(self) -> list[str]:
        engine = self._engine
        oracle = f"oracle's draft ({engine.oracle_method(0)})"
        reference = " ".join(engine.document(0).reference)
        return [
            *self._draft("your draft", engine.draft(0)),
            *self._draft(oracle, engine.oracle(0).draft),
            *self._look.wrapped(reference, "reference: ", "  "),
        ]

    def read(self, numbers: Sequence[int]) -> Any:
        action = self.answers.action(numbers)
        if not self._engine.observe(_ROW)["action_mask"][0, action]:
            raise RefusedError(f"{action} stands for no word here: the list of words has those")
        return action

    def typed(self, action: Any) -> str:
        if action == self.answers.stop:
            return "s, to stop"
        return f"{action}, for {printable(self._engine.words_of(0)[action])!r}"


Board = ArticleBoard | WritingBoard | PlainBoard


def make_board(engine: Engine, look: Look) -> Board:
    """Returns the board for an engine; ValueError when nobody can type its actions."""
    if isinstance(engine, (SummariseEngine, SlateEngine)):
        return ArticleBoard(engine, look)
    if isinstance(engine, TokensEngine):
        return WritingBoard(engine, look)
    return PlainBoard(engine)
