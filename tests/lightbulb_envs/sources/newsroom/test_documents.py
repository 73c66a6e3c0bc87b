"""Laws of the newsroom's documents: text, arrays and facts agree, whatever block they are in."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.sources.newsroom.facts import KEY_FACTS, key_facts
from lightbulb_envs.sources.newsroom.levels import LEVELS
from lightbulb_envs.sources.newsroom.plan import Role
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.words import split_words, stem

levels = st.integers(0, len(LEVELS) - 1)
splits = st.sampled_from(["train", "validation", "test", "ood"])
instances = st.integers(0, 2**53 - 1)


@settings(max_examples=25)
@given(levels, splits, st.lists(instances, min_size=1, max_size=6))
def test_a_document_is_the_same_alone_as_in_a_block(level, split, block):
    source = NewsroomSource(level, split)
    together = source.batch(np.array(block))
    for row, instance in enumerate(block):
        alone = source.batch(np.array([instance]))
        for field in dataclasses.fields(together):
            one, many = getattr(alone, field.name)[0], getattr(together, field.name)[row]
            assert np.array_equal(one, many), field.name


@settings(max_examples=40)
@given(levels, splits, instances)
def test_word_numbers_spell_the_text_as_rouge_score_reads_it(level, split, instance):
    source = NewsroomSource(level, split)
    batch, document = source.batch(np.array([instance])), source.document(instance)
    for rows, texts in (
        (batch.words[0], document.sentences),
        (batch.reference_words[0], document.reference),
    ):
        for row, text in zip(rows, texts, strict=False):
            numbers = [int(number) for number in row if number >= 0]
            words = split_words(text)
            assert [source.vocabulary.word_text(number) for number in numbers] == words
            assert [source.stem_text(number) for number in numbers] == [stem(w) for w in words]


@settings(max_examples=40)
@given(levels, splits, instances)
def test_tokens_decode_to_the_text(level, split, instance):
    source = NewsroomSource(level, split)
    batch, document = source.batch(np.array([instance])), source.document(instance)
    assert batch.num_sentences[0] == len(document.sentences)
    for row, text in zip(batch.tokens[0], document.sentences, strict=False):
        assert source.vocabulary.decode(row.tolist()).lower() == text.lower()


@settings(max_examples=40)
@given(levels, splits, instances)
def test_claims_and_facts_agree(level, split, instance):
    source = NewsroomSource(level, split)
    document = source.document(instance)
    assert len(document.claims) == len(document.sentences)
    assert all(document.claims), "every sentence states a fact"
    stated = {fact for claims in document.claims for fact in claims}
    assert stated == set(range(len(document.facts))), "every fact is stated"
    assert sum(fact.is_key for fact in document.facts) >= 3


@settings(max_examples=40)
@given(levels, splits, st.lists(instances, min_size=1, max_size=8))
def test_key_facts_are_the_event_and_the_heaviest_of_its_story(level, split, block):
    facts = NewsroomSource(level, split).worlds(np.array(block)).facts
    for row in range(len(block)):
        is_key, weight = facts.is_key[row, :9], facts.weight[row, :9]
        assert is_key[0]
        assert not facts.is_key[row, 9:].any()
        others = weight[~is_key]
        assert weight[1:][is_key[1:]].min() >= others.max(initial=0.0)


@settings(max_examples=60)
@given(st.integers(2, 4), splits, instances)
def test_a_wrong_report_comes_before_its_correction(level, split, instance):
    document = NewsroomSource(level, split).document(instance)
    for number, fact in enumerate(document.facts):
        if fact.superseded_by is None:
            continue
        right = document.facts[fact.superseded_by]
        assert (fact.predicate, fact.weight) == (right.predicate, right.weight)
        assert fact.magnitude != right.magnitude
        assert right.is_key
        assert not fact.is_key
        first = {
            fact_number: min(
                place for place, claims in enumerate(document.claims) if fact_number in claims
            )
            for fact_number in (number, fact.superseded_by)
        }
        assert first[number] < first[fact.superseded_by]


@pytest.mark.parametrize("level", [2, 3, 4])
def test_every_mistake_of_many_articles_is_planned_before_its_correction(level):
    source = NewsroomSource(level, "train")
    block = np.arange(3000)
    world = source.worlds(block)
    plan, _ = source.plans(block, world)
    is_early, is_late = plan.role == Role.EARLY, plan.role == Role.CORRECTION
    has_mistake = (world.facts.superseded_by >= 0).any(axis=1)
    assert 0 < has_mistake.sum() < len(block)
    assert np.array_equal(is_early.sum(axis=1), has_mistake)
    assert np.array_equal(is_late.sum(axis=1), has_mistake)
    assert (is_early.argmax(axis=1) < is_late.argmax(axis=1))[has_mistake].all()


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 2.0)), min_size=9, max_size=9))
def test_the_event_is_a_key_fact_however_light_it_is(drawn):
    exists = np.array([[True, *(is_told for is_told, _ in drawn[1:])]])
    weight = np.array([[weight for _, weight in drawn]]) * exists
    is_key = key_facts(weight, exists)[0]
    assert is_key[0]
    assert not is_key[~exists[0]].any()
    assert is_key.sum() <= max(KEY_FACTS)
    others = weight[0, 1:]
    assert others[is_key[1:]].min(initial=np.inf) >= others[~is_key[1:]].max(initial=0.0)


@pytest.mark.parametrize("level", range(len(LEVELS)))
@pytest.mark.parametrize("split", ["train", "ood"])
def test_text_has_no_trace_of_templates_and_ends_properly(level, split):
    source = NewsroomSource(level, split)
    for instance in range(40):
        document = source.document(instance)
        for sentence in (*document.sentences, *document.reference):
            assert not re.search(r"[{}\[\]|#]|  | [.,:]|\.\.|,,|“ | ”", sentence), sentence
            assert sentence.endswith(".")
            assert sentence[0].isupper() or sentence[0].isdigit() or sentence[0] in "“$", sentence


def test_nobody_says_what_somebody_else_said():
    source = NewsroomSource(4, "train")
    for instance in range(60):
        quotes = [s.split("”")[0] for s in source.document(instance).sentences if s[0] == "“"]
        assert len(quotes) == len(set(quotes))


def test_pronouns_agree_with_the_name_they_stand_for():
    source = NewsroomSource(3, "train")
    women = 0
    for instance in range(150):
        cast = source.worlds(np.array([instance])).cast
        is_woman = bool(cast.actor_is_woman[0, 0])
        told = source.document(instance)
        story = [
            sentence
            for sentence, claims in zip(told.sentences, told.claims, strict=True)
            if told.facts[claims[0]].subject.split()[-1]
            == source.vocabulary.decode(
                [int(x) for x in source._book.grammar.phrases.take(cast.actor_surname[0, :1])[0]]
            )
        ]
        wrong = "he" if is_woman else "she"
        assert not any(re.search(rf"\b{wrong}\b", s, re.IGNORECASE) for s in story if "“" not in s)
        women += is_woman
    assert 40 < women < 110


def test_the_reference_tells_the_key_facts_and_no_other():
    source = NewsroomSource(4, "train")
    block = np.arange(200)
    world = source.worlds(block)
    _, reference = source.plans(block, world)
    for row in range(len(block)):
        told = {int(x) for x in (*reference.first[row], *reference.second[row]) if x >= 0}
        assert told == set(np.flatnonzero(world.facts.is_key[row]).tolist())


def test_a_bad_level_and_too_few_sentences_are_refused():
    with pytest.raises(ValueError, match="0 to 5, got 7"):
        NewsroomSource(7, "train")
    with pytest.raises(ValueError, match="up to 22 sentences"):
        NewsroomSource(2, "train", max_sentences=10)


@pytest.mark.parametrize("level", [0, 2, 4])
def test_more_rows_in_the_observation_change_no_document(level):
    usual, wide = NewsroomSource(level, "train"), NewsroomSource(level, "train", 60)
    own, padded = usual.batch(np.arange(20)), wide.batch(np.arange(20))
    rows = usual.max_sentences
    for name in ("tokens", "words", "claims"):
        assert np.array_equal(getattr(padded, name)[:, :rows], getattr(own, name))
        assert getattr(padded, name).shape[1] == 60
        assert (getattr(padded, name)[:, rows:] <= 0).all()
    assert usual.document(3) == wide.document(3)


def test_no_document_has_a_negative_number():
    with pytest.raises(ValueError, match="numbered from 0, got -1"):
        NewsroomSource(2, "train").document(-1)
