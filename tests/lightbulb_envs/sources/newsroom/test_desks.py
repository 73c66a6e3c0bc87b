"""Every desk has what an article needs, and salience can be read off the words."""

import itertools
import re

import numpy as np
import pytest

from lightbulb_envs.sources.grammar import PhraseTable, TemplateTable
from lightbulb_envs.sources.newsroom.desk import Predicate
from lightbulb_envs.sources.newsroom.desks import DESKS
from lightbulb_envs.sources.newsroom.numbers import VALUES, index_range, write_number
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.sources.newsroom.stylebook import MENTIONS

PREDICATES = [
    pytest.param(predicate, id=f"{desk.name}-{predicate.name}")
    for desk in DESKS
    for predicate in dict.fromkeys(
        (*(p for event in desk.events for p in event.predicates), *desk.backgrounds)
    )
]


def test_there_are_the_six_desks_that_were_asked_for():
    assert {desk.name for desk in DESKS} >= {
        "politics",
        "business",
        "sport",
        "science",
        "disasters",
        "courts",
    }
    names = [event.name for desk in DESKS for event in desk.events]
    assert len(names) == len(set(names)) >= 18


@pytest.mark.parametrize("predicate", PREDICATES)
def test_a_fact_can_be_told_in_several_ways_in_every_split(predicate: Predicate):
    assert len(set(predicate.main)) == len(predicate.main) >= 3
    assert len(set(predicate.ood)) == len(predicate.ood) >= 2
    assert not set(predicate.ood) & set(predicate.main)


def _wordings(templates: tuple[str, ...]) -> set[str]:
    """Returns templates with every choice made in every way."""
    made = set()
    for template in templates:
        parts = re.split(r"\[([^\]]*)\]", template)
        options = [
            [part] if place % 2 == 0 else part.replace("||", "|").split("|")
            for place, part in enumerate(parts)
        ]
        made |= {"".join(choice) for choice in itertools.product(*options)}
    return made


@pytest.mark.parametrize("event", [event for desk in DESKS for event in desk.events])
def test_references_use_other_words_than_articles(event):
    for told in (event, *event.predicates):
        assert told.reference
        assert not _wordings(told.reference) & _wordings((*told.main, *told.ood))
    for told in event.predicates:
        assert bool(told.tail) == bool(told.reference_tail) == bool(told.ood_tail)
        assert not _wordings(told.reference_tail) & _wordings((*told.tail, *told.ood_tail))


@pytest.mark.parametrize("predicate", PREDICATES)
def test_every_wording_states_the_number_or_value(predicate: Predicate):
    said = "{value}" if predicate.values else "{n}"
    for text in (
        *predicate.main,
        *predicate.ood,
        *predicate.tail,
        *predicate.ood_tail,
        *predicate.reference,
        *predicate.reference_tail,
    ):
        assert said in text, text


@pytest.mark.parametrize("predicate", PREDICATES)
def test_tiers_do_not_touch(predicate: Predicate):
    for (_, high), (low, _) in zip(predicate.tiers, predicate.tiers[1:], strict=False):
        assert high < low


def test_numbers_are_written_as_news_does():
    assert write_number(index_range(7, 7, "count")[0], "count") == "seven"
    assert write_number(index_range(7, 7, "digits")[0], "digits") == "7"
    assert write_number(index_range(12000, 12000, "count")[0], "count") == "12,000"
    assert write_number(index_range(1987, 1987, "year")[0], "year") == "1987"
    assert len(set(VALUES[:450])) == 450
    with pytest.raises(ValueError, match="between 101 and 109"):
        index_range(101, 109, "count")


def test_a_larger_number_of_the_same_kind_weighs_more():
    facts = NewsroomSource(3, "train").worlds(np.arange(2000)).facts
    story = (facts.story == 0) & (facts.superseded_by < 0)
    main = story & (np.arange(facts.kind.shape[1]) < 9) & (facts.magnitude >= 0)
    for kind in np.unique(facts.kind[main]):
        own = main & (facts.kind == kind)
        order = np.argsort(facts.magnitude[own], kind="stable")
        assert (np.diff(facts.weight[own][order]) >= 0).all()


def test_a_template_with_an_unknown_mention_is_refused():
    with pytest.raises(ValueError, match="{who}"):
        TemplateTable(PhraseTable(), MENTIONS).add_run(["{who} did it"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "either tiers or values"),
        ({"tiers": ((1, 2), (3, 4))}, "needs 3 tiers"),
        ({"values": ("a",)}, "ood_values"),
        ({"values": ("a",), "ood_values": ("b",), "tail": ("c",)}, "ood_tail"),
    ],
)
def test_an_incomplete_predicate_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Predicate("p", "event", 1.0, main=("a",), ood=("c",), **fields)
