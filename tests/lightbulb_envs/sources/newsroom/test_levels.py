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
"""Digests of 32 documents of every level. They may change with SUITE_VERSION alone."""


@pytest.mark.parametrize("split", ["train", "validation", "test", "ood"])
def test_documents_are_those_of_this_version_of_the_suite(split):
    digest = hashlib.blake2b(digest_size=8)
    for level in range(len(LEVELS)):
        batch = NewsroomSource(level, split).batch(np.arange(32))
        for field in dataclasses.fields(batch):
            digest.update(np.ascontiguousarray(getattr(batch, field.name)).tobytes())
    assert GOLDEN["suite"] == SUITE_VERSION
    assert digest.hexdigest() == GOLDEN[split]


@pytest.mark.parametrize("level", range(len(LEVELS)))
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
