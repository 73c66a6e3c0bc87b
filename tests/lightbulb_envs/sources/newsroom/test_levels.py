"""Levels differ by what they name, and documents change only with the version of the suite."""

import dataclasses
import hashlib

import numpy as np
import pytest

from lightbulb_envs.sources.newsroom.facts import opinions_start
from lightbulb_envs.sources.newsroom.levels import LEVELS, level_attributes, level_table
from lightbulb_envs.sources.newsroom.plan import Role
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.splits import SUITE_VERSION

GOLDEN = {
    "suite": 0,
    "train": "41e7b58d8510f1c8",
    "validation": "0550d7630cbfb972",
    "test": "6c87bf0d6a62ac00",
    "ood": "333f80a2d4f3a5c7",
}
"""Digests of 32 documents of levels 0 to 4. They may change with SUITE_VERSION alone."""
GOLDEN_REPORTS = {
    "train": "7043843eca082bab",
    "validation": "e8dd0c11b919c7ff",
    "test": "0f1ad619d1478366",
    "ood": "7c97b6182ec5fa10",
}
"""The same of level 5."""
SEVERAL_REPORTS = 5


@pytest.mark.parametrize("split", ["train", "validation", "test", "ood"])
def test_documents_are_those_of_this_version_of_the_suite(split):
    assert GOLDEN["suite"] == SUITE_VERSION
    assert _digest(split, range(SEVERAL_REPORTS)) == GOLDEN[split]
    assert _digest(split, [SEVERAL_REPORTS]) == GOLDEN_REPORTS[split]


def _digest(split, levels):
    digest = hashlib.blake2b(digest_size=8)
    for level in levels:
        batch = NewsroomSource(level, split).batch(np.arange(32))
        for field in dataclasses.fields(batch):
            digest.update(np.ascontiguousarray(getattr(batch, field.name)).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("level", range(SEVERAL_REPORTS))
def test_an_article_has_what_its_level_names(level):
    attributes = level_attributes(level)
    source = NewsroomSource(level, "train")
    block = np.arange(1500)
    world = source.worlds(block)
    plan, _ = source.plans(block, world)

    def counted(role):
        return (plan.role == role).sum(axis=1)

    repeats, quotes, background = map(counted, (Role.REPEAT, Role.OPINION, Role.BACKGROUND))
    for counts, (low, high) in (
        (repeats, attributes.redundancy),
        (quotes, attributes.quotes),
        (background, attributes.background),
    ):
        assert counts.min() == low
        assert counts.max() == high
    stories = [
        len(set(row[row >= 0].tolist())) for row in np.where(plan.first >= 0, plan.story, -1)
    ]
    assert set(stories) == {1 + attributes.distractors}
    corrected = (world.facts.superseded_by >= 0).any(axis=1).mean()
    assert corrected == pytest.approx(attributes.corrections, abs=0.05)
    event_first = (plan.first[:, 0] == 0).mean()
    assert event_first == pytest.approx(attributes.lead_bias, abs=0.05)


def test_key_facts_wait_for_the_second_half_more_often_at_higher_levels():
    def late_share(level):
        source = NewsroomSource(level, "train")
        block = np.arange(1000)
        world = source.worlds(block)
        plan, _ = source.plans(block, world)
        is_key = np.take_along_axis(world.facts.is_key, np.maximum(plan.first, 0), 1)
        is_key &= (plan.role == Role.FACT) | (plan.role == Role.CORRECTION)
        length = (plan.first >= 0).sum(axis=1, keepdims=True)
        place = np.arange(plan.first.shape[1]) / length
        return (is_key & (place >= 0.5)).sum() / is_key.sum()

    shares = [late_share(level) for level in (1, 2, 3, 4)]
    assert shares == sorted(shares)
    assert shares[-1] > 2 * shares[0]


def test_articles_of_ood_are_longer_and_told_in_other_words():
    usual, ood = NewsroomSource(2, "test"), NewsroomSource(2, "ood")
    block = np.arange(500)
    assert ood.batch(block).num_sentences.mean() > usual.batch(block).num_sentences.mean() + 1
    words = [
        set(" ".join(s.document(i).text for i in range(150)).lower().split()) for s in (usual, ood)
    ]
    assert len(words[1] - words[0]) > 150


def test_the_longest_article_fits():
    for level, attributes in enumerate(LEVELS):
        for split in ("train", "ood"):
            source = NewsroomSource(level, split)
            plan, _ = source.plans(block := np.arange(3000), source.worlds(block))
            told = (plan.first >= 0).sum(axis=1)
            assert told.max() <= attributes.max_sentences
            facts = source.worlds(block).facts
            assert facts.kind.shape[1] > opinions_start(attributes)


def test_the_table_has_a_row_a_level():
    rows = level_table()
    assert [row["level"] for row in rows] == list(range(len(LEVELS)))
    assert {"lead_bias", "redundancy", "distractors", "late_key_facts", "corrections"} <= rows[
        0
    ].keys()


REPORTS = (Role.FIRST_REPORT, Role.LATER_REPORT, Role.LATEST_REPORT)


def _reports(split, count=1500):
    source = NewsroomSource(SEVERAL_REPORTS, split)
    world = source.worlds(block := np.arange(count))
    return world.facts, source.plans(block, world)[0]


@pytest.mark.parametrize("split", ["train", "ood"])
def test_every_report_opens_with_the_event_and_says_which_it_is(split):
    _, plan = _reports(split)
    attributes = level_attributes(SEVERAL_REPORTS)
    for role in REPORTS:
        assert ((plan.role == role).sum(axis=1) == 1).all()
        assert (plan.first[plan.role == role] == 0).all()
    first_place = np.argmax(plan.role == Role.FIRST_REPORT, axis=1)
    assert 0.28 < (first_place == 0).mean() < 0.38  # in any order
    # A passage is told in one go, but for another story that stands between two reports.
    own = np.where(plan.first >= 0, plan.passage, -1)
    assert own.max() == attributes.reports + attributes.distractors - 1
    for row in own[:200]:
        told = row[row >= 0]
        assert (np.diff(told) != 0).sum() == len(set(told.tolist())) - 1
    for role, (low, high) in (
        (Role.OPINION, attributes.quotes),
        (Role.BACKGROUND, attributes.background),
    ):
        counts = (plan.role == role).sum(axis=1)
        extra = int(split == "ood")
        assert (counts.min(), counts.max()) == (low + extra, high + extra)


def test_the_latest_report_is_right_and_the_first_is_wrong():
    facts, plan = _reports("train")
    wrong = slice(facts.kind.shape[1] - 2, None)
    corrected = facts.superseded_by[:, wrong]
    assert 0.8 < (corrected >= 0).any(axis=1).mean() < 0.95
    assert (corrected >= 0).all(axis=1).mean() > 0.3
    assert (corrected[:, 0] != corrected[:, 1])[(corrected >= 0).all(axis=1)].all()
    for row, number in zip(*np.nonzero(corrected >= 0), strict=True):
        mistake = facts.kind.shape[1] - 2 + number
        truth = corrected[row, number]
        tells = plan.first[row]
        reports = [set(plan.passage[row, tells == fact].tolist()) for fact in (mistake, truth)]
        assert 0 in reports[0]
        assert 2 in reports[1]
        assert not reports[0] & reports[1]
        assert facts.magnitude[row, mistake] != facts.magnitude[row, truth]
        assert not facts.is_key[row, mistake]


def test_what_most_reports_say_is_often_wrong():
    facts, plan = _reports("train")
    mistakes = np.arange(facts.kind.shape[1] - 2, facts.kind.shape[1])
    outvoted = total = 0
    for row in range(len(plan.first)):
        for mistake in mistakes:
            truth = facts.superseded_by[row, mistake]
            if truth >= 0:
                outvoted += (plan.first[row] == mistake).sum() > (plan.first[row] == truth).sum()
                total += 1
    assert 0.3 < outvoted / total < 0.7


def test_every_fact_is_told_somewhere():
    facts, plan = _reports("train", 300)
    for row in range(300):
        told = set(plan.first[row].tolist()) | set(plan.second[row].tolist())
        assert set(np.flatnonzero(facts.exists[row]).tolist()) <= told
