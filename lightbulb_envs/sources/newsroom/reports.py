"""The plan of several reports of one event, told one after the other.

Each report tells the event and some of its facts. A number that was first reported wrong is wrong
in the first report, may be wrong in the next, and is right in the latest. A report's first words
say which it is, for they stand in any order; so what most reports say may be wrong.
"""

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.ordering import stable_order
from lightbulb_envs.randomness import Draws
from lightbulb_envs.sources.newsroom.cast import VOICES
from lightbulb_envs.sources.newsroom.facts import Facts, opinions_start, stories_of
from lightbulb_envs.sources.newsroom.kinds import BACKGROUNDS, FACTS_PER_STORY, MAX_PREDICATES
from lightbulb_envs.sources.newsroom.levels import Level
from lightbulb_envs.sources.newsroom.plan import (
    MAIN,
    PAIR_CHANCE,
    TAIL_CHANCE,
    Outline,
    Plan,
    Role,
    draw_ranks,
)
from lightbulb_envs.sources.newsroom.stylebook import Stylebook

TOLD_CHANCE = 0.5
"""Chance that a report tells a fact of its event. What none would tell, the latest does."""
STILL_WRONG = 0.5
"""Chance that a report between the first and the latest has the wrong number, too."""
_REPORT = 100.0
"""Ranks between the first sentences of two reports: more than those within one."""


def draw_reports_plan(
    book: Stylebook, draws: Draws, facts: Facts, level: Level, variant: int, sentences: int
) -> Plan:
    """Draws the plans of a block of articles, padded to `sentences`."""
    outline = Outline(len(facts.kind))
    place = stable_order(draws.unit(level.reports))
    start = _REPORT * place.astype(np.float64)
    corrected = facts.superseded_by[:, -level.most_mistakes :]
    told = _draw_tellers(draws, facts, corrected, level.reports)
    for report in range(level.reports):
        version = _draw_versions(draws, facts, corrected, report, level.reports)
        _add_report(outline, book, draws, facts, level, variant, report, told, version, start)
    _add_colour(outline, draws, facts, level, start)
    _add_other_stories(outline, draws, facts, level)
    return outline.order(sentences)


def _draw_tellers(
    draws: Draws, facts: Facts, corrected: NDArray[np.int64], reports: int
) -> NDArray[np.bool_]:
    """Returns which report tells which facts of the main story, (N, reports, FACTS_PER_STORY)."""
    told = draws.unit(reports, FACTS_PER_STORY) < TOLD_CHANCE
    told[:, -1] |= ~told.any(axis=1)
    told[:, :, 0] = True  # the event
    for target in corrected.T:
        rows = np.flatnonzero(target >= 0)
        told[rows, :, target[rows]] = True
    return told & facts.exists[:, None, MAIN]


def _draw_versions(
    draws: Draws, facts: Facts, corrected: NDArray[np.int64], report: int, reports: int
) -> NDArray[np.int64]:
    """Returns the fact that a report tells in the place of each of the main story: it, or the
    wrong one that it supersedes, (N, FACTS_PER_STORY)."""
    version = np.tile(np.arange(FACTS_PER_STORY), (len(facts.kind), 1))
    chance = 1.0 if report == 0 else 0.0 if report == reports - 1 else STILL_WRONG
    is_wrong = draws.unit(corrected.shape[1]) < chance
    for number, target in enumerate(corrected.T):
        rows = np.flatnonzero((target >= 0) & is_wrong[:, number])
        version[rows, target[rows]] = facts.kind.shape[1] - corrected.shape[1] + number
    return version


def _add_report(
    outline: Outline,
    book: Stylebook,
    draws: Draws,
    facts: Facts,
    level: Level,
    variant: int,
    report: int,
    told: NDArray[np.bool_],
    version: NDArray[np.int64],
    start: NDArray[np.float64],
) -> None:
    """Adds the sentences of one report: its event first, then its facts."""
    rows = np.arange(len(told))
    is_pyramid = draws.unit(1)[:, 0] < level.lead_bias
    rank = draw_ranks(draws, facts, level, is_pyramid) + start[:, report, None]
    # Numbers that differ between reports stand alone.
    free = told[:, report] & ~np.isin(np.arange(FACTS_PER_STORY), 0)
    for target in facts.superseded_by[:, -level.most_mistakes :].T:
        free[rows, np.maximum(target, 0)] = False
    kind = np.maximum(facts.kind[:, MAIN], 0)
    can_tail = free & (book.tail.count[variant][kind] > 0)
    tail = np.argmax(np.where(can_tail, draws.unit(FACTS_PER_STORY), -1.0), axis=1)
    has_tail = can_tail.any(axis=1) & (draws.unit(1)[:, 0] < TAIL_CHANCE)
    free[rows, tail] &= ~has_tail
    order = stable_order(-np.where(free, draws.unit(FACTS_PER_STORY), -1.0))
    head, mate = order[:, 0], order[:, 1]
    has_mate = (free.sum(axis=1) >= 2) & (draws.unit(1)[:, 0] < PAIR_CHANCE)

    last = level.reports - 1
    opens = {0: Role.FIRST_REPORT, last: Role.LATEST_REPORT}.get(report, Role.LATER_REPORT)
    tail = np.where(has_tail, tail, -1)
    first = start[:, report]
    outline.add(opens, 0, 0, first, told[:, report, 0], tail, has_tail, passage=report)
    for fact in range(1, FACTS_PER_STORY):
        joins_other = (tail == fact) | (has_mate & (mate == fact))
        second = np.where(has_mate & (head == fact), mate, -1)
        is_told = told[:, report, fact] & ~joins_other
        outline.add(Role.FACT, 0, version[:, fact], rank[:, fact], is_told, second, passage=report)


def _add_colour(
    outline: Outline, draws: Draws, facts: Facts, level: Level, start: NDArray[np.float64]
) -> None:
    """Adds quotes and background, each somewhere in one of the reports."""
    base, colour = opinions_start(level), VOICES + BACKGROUNDS
    exists = facts.exists[:, base : base + colour]
    report = draws.below(level.reports, colour)
    rank = np.take_along_axis(start, report, axis=1) + 1.2 + 9.0 * draws.unit(colour)
    for number in range(colour):
        role = Role.OPINION if number < VOICES else Role.BACKGROUND
        outline.add(
            role, 0, base + number, rank[:, number], exists[:, number], passage=report[:, number]
        )


def _add_other_stories(outline: Outline, draws: Draws, facts: Facts, level: Level) -> None:
    """Adds the other stories, each in one block after one of the reports."""
    for story in range(1, stories_of(level)):
        base, passage = story * FACTS_PER_STORY, level.reports + story - 1
        exists = facts.exists[:, base : base + FACTS_PER_STORY]
        after = draws.below(level.reports, 1)[:, 0].astype(np.float64)
        block = _REPORT * (after + 1.0) - 10.0 + story
        step = draws.unit(MAX_PREDICATES)
        outline.add(Role.ELSEWHERE, story, base, block, exists[:, 0], passage=passage)
        for fact in range(1, FACTS_PER_STORY):
            rank = block + 0.5 * step[:, fact - 1]
            outline.add(Role.FACT, story, base + fact, rank, exists[:, fact], passage=passage)
