"""Composed rewards: named weights, gains that add up, clear refusals."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.rewards.compose import PARTS, PRESETS, Potential, ScoredDocument, reward_weights
from lightbulb_envs.rewards.length import length_score

words = st.lists(st.integers(0, 5), min_size=1, max_size=6)


@st.composite
def documents(draw):
    sentences = draw(st.lists(words, min_size=1, max_size=6))
    reference = draw(st.lists(words, min_size=1, max_size=3))
    facts = draw(st.integers(1, 5))
    claims = draw(
        st.lists(
            st.lists(st.integers(0, facts - 1), max_size=2),
            min_size=len(sentences),
            max_size=len(sentences),
        )
    )
    return ScoredDocument(
        words=lambda stemmed: sentences,
        reference=lambda stemmed: reference,
        claims=claims,
        fact_weight=draw(st.lists(st.floats(0.1, 2), min_size=facts, max_size=facts)),
        fact_is_key=draw(st.lists(st.booleans(), min_size=facts, max_size=facts)),
    )


weights = st.dictionaries(st.sampled_from(sorted(PARTS)), st.floats(0.01, 3), min_size=1)


@given(documents(), weights, st.integers(0, 2**32))
def test_gains_telescope_to_the_final_score(document, chosen, seed):
    potential = Potential(chosen, document)
    order = list(range(len(document.words(False))))
    Random(seed).shuffle(order)
    state = potential.start()
    assert potential.value(state) == 0.0
    gained = dict.fromkeys(chosen, 0.0)
    before = potential.scores(state)
    for sentence in order:
        state = potential.extend(state, sentence)
        after = potential.scores(state)
        for name, new, old in zip(chosen, after, before, strict=True):
            gained[name] += new - old
        before = after
    for name, final in zip(chosen, potential.scores(state), strict=True):
        assert gained[name] == pytest.approx(final, abs=1e-9)


@given(documents(), st.lists(st.integers(0, 5), max_size=6, unique=True))
def test_the_length_part_counts_the_words_of_the_draft(document, choices):
    sentences, reference = document.words(False), document.reference(False)
    draft = [sentence for sentence in choices if sentence < len(sentences)]
    potential = Potential({"length": 1.0}, document)
    state = potential.start()
    for sentence in draft:
        state = potential.extend(state, sentence)
    length = sum(len(sentences[sentence]) for sentence in draft)
    assert potential.value(state) == length_score(sum(map(len, reference)), length)


def test_presets_name_parts_and_weigh_one():
    for preset in PRESETS.values():
        assert preset.keys() <= PARTS.keys()
        assert sum(preset.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("reward", "has_facts", "message"),
    [
        ("bleu", True, "facts_and_rouge, rouge"),
        ({}, True, "at least one part"),
        ({"rouge10": 1.0}, True, "rouge10"),
        ({"rouge1": 0.0}, True, "must be positive"),
        ({"rouge1": float("nan")}, True, "must be positive"),
        ({"fact_f1": 1.0}, False, "knows none"),
    ],
)
def test_bad_rewards_are_refused_with_what_is_allowed(reward, has_facts, message):
    with pytest.raises(ValueError, match=message):
        reward_weights(reward, has_facts=has_facts)


def test_length_by_hand():
    assert length_score(10, 0) == 0.0
    assert length_score(10, 5) == 0.5
    assert length_score(10, 10) == 1.0
    assert length_score(10, 20) == 0.5
    assert length_score(0, 0) == 0.0
