"""The best draft that can be picked from a document: exact where that is feasible, else a beam.

A draft is a sequence of sentences; ROUGE looks at their order, so order is searched too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lightbulb_envs.rewards.compiled import CompiledPotential
from lightbulb_envs.rewards.compose import Potential

EXACT_LIMIT = 2000
"""Drafts up to which all are tried. Part of what a version of an id means."""
BEAM_WIDTH = 16
"""Drafts of one length that a beam keeps. Part of what a version of an id means."""


@dataclass(frozen=True)
class Plan:
    """The best draft found, its potential, and how it was found: "exact" or "beam-16"."""

    draft: tuple[int, ...]
    value: float
    method: str


@dataclass(frozen=True)
class ExtractiveTask:
    """One document to pick from: its potential, what each sentence costs, and the budget."""

    potential: Potential | CompiledPotential
    costs: Sequence[int]
    budget: int
    in_article_order: bool = False
    """Whether a draft is told in the article's order, whatever the order of picking."""


def count_drafts(task: ExtractiveTask, prefix: Sequence[int] = ()) -> int:
    """Returns an upper bound of the number of drafts that start with `prefix` and go on."""
    left = sorted(cost for sentence, cost in enumerate(task.costs) if sentence not in prefix)
    budget = task.budget - sum(task.costs[sentence] for sentence in prefix)
    total, ways = 0, 1
    for number, cost in enumerate(left):
        budget -= cost
        if budget < 0:
            break
        ways *= len(left) - number
        if task.in_article_order:
            ways //= number + 1
        total += ways
        if total > EXACT_LIMIT:
            break
    return total


def search_method(task: ExtractiveTask, prefix: Sequence[int] = ()) -> str:
    """Returns how the best draft is found: "exact", or "beam-" and its width."""
    return "exact" if count_drafts(task, prefix) <= EXACT_LIMIT else f"beam-{BEAM_WIDTH}"


def best_plan(task: ExtractiveTask, prefix: Sequence[int] = ()) -> Plan:
    """Returns the best draft that starts with `prefix`; that may be `prefix` itself."""
    method = search_method(task, prefix)
    draft, value = search(task, prefix, None if method == "exact" else BEAM_WIDTH)
    return Plan(draft, value, method)


def search(
    task: ExtractiveTask, prefix: Sequence[int], width: int | None
) -> tuple[tuple[int, ...], float]:
    """Returns the best draft and its potential, keeping `width` drafts of a length, None all.

    Of equally good drafts the shorter wins, then the one whose sentences come first.
    """
    start = tuple(prefix)
    state = _state(task, start)
    best = (start, task.potential.value(state))
    spent = sum(task.costs[sentence] for sentence in prefix)
    beam: list[tuple[tuple[int, ...], Any, int]] = [(start, state, spent)]
    while beam:
        longer: list[tuple[float, tuple[int, ...], Any, int]] = []
        known: set[tuple[int, ...]] = set()
        for draft, before, cost in beam:
            for sentence, price in enumerate(task.costs):
                if sentence in draft or cost + price > task.budget:
                    continue
                grown = _with(task, draft, sentence)
                if grown in known:
                    continue
                known.add(grown)
                if grown[-1] == sentence:
                    after = task.potential.extend(before, sentence)
                else:
                    after = _state(task, grown)
                value = task.potential.value(after)
                longer.append((-value, grown, after, cost + price))
        longer.sort(key=lambda entry: entry[:2])
        if longer and -longer[0][0] > best[1]:
            best = (longer[0][1], -longer[0][0])
        beam = [(draft, after, cost) for _, draft, after, cost in longer[:width]]
    return best


def _with(task: ExtractiveTask, draft: tuple[int, ...], sentence: int) -> tuple[int, ...]:
    grown = (*draft, sentence)
    return tuple(sorted(grown)) if task.in_article_order else grown


def _state(task: ExtractiveTask, draft: tuple[int, ...]) -> Any:
    state = task.potential.start()
    for sentence in draft:
        state = task.potential.extend(state, sentence)
    return state
