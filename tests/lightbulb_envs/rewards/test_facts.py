"""Fact scores: covering pays, and repeating, superseded and foreign facts cost."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lightbulb_envs.rewards.facts import FactTracker, fact_score

WEIGHTS = [1.5, 1.0, 0.5, 1.0]
IS_KEY = [True, True, False, False]
"""Two key facts, a piece of background, and a wrong report of fact 1."""

worlds = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        st.lists(st.floats(0.01, 2.0), min_size=size, max_size=size),
        st.lists(st.booleans(), min_size=size, max_size=size),
        st.lists(st.lists(st.integers(0, size - 1), max_size=3), max_size=6),
    )
)


def test_scores_by_hand():
    score = fact_score(WEIGHTS, IS_KEY, [[0, 2]])
    assert score.precision == 1.5 / 2.0
    assert score.recall == 1.5 / 2.5
    assert score.fmeasure == pytest.approx(2 * 0.75 * 0.6 / 1.35)


def test_all_key_facts_and_nothing_else_score_one():
    assert fact_score(WEIGHTS, IS_KEY, [[0], [1]]) == (1.0, 1.0, 1.0)


def test_repetition_costs_precision_and_gains_no_recall():
    once, twice = fact_score(WEIGHTS, IS_KEY, [[0]]), fact_score(WEIGHTS, IS_KEY, [[0], [0]])
    assert twice.recall == once.recall
    assert twice.precision == once.precision / 2


def test_a_superseded_report_costs_what_the_true_one_earns():
    wrong = fact_score(WEIGHTS, IS_KEY, [[0], [3]])
    assert wrong.recall == fact_score(WEIGHTS, IS_KEY, [[0]]).recall
    assert wrong.precision == 1.5 / 2.5


def test_an_empty_draft_scores_zero():
    assert fact_score(WEIGHTS, IS_KEY, []) == (0.0, 0.0, 0.0)


@given(worlds)
def test_scores_are_shares_and_recall_never_falls(world):
    weights, is_key, draft = world
    recall = 0.0
    for end in range(len(draft) + 1):
        score = fact_score(weights, is_key, draft[:end])
        assert all(0.0 <= part <= 1.0 + 1e-12 for part in score)
        assert score.recall >= recall
        recall = score.recall


@given(worlds)
def test_repeating_the_draft_never_raises_the_score(world):
    weights, is_key, draft = world
    assume(draft)
    once, twice = fact_score(weights, is_key, draft), fact_score(weights, is_key, draft + draft)
    assert twice.fmeasure <= once.fmeasure + 1e-12


def test_a_claim_that_tells_a_fact_wrong_costs_precision_by_its_weight():
    tracker = FactTracker([3.0, 1.0], [True, False])
    state = tracker.extend_wrong(tracker.extend(tracker.start(), (0,)), 1)
    assert tracker.score(state)[:2] == (0.75, 1.0)
    assert tracker.score(tracker.extend_wrong(tracker.start(), 0))[:2] == (0.0, 0.0)


@given(worlds)
def test_states_are_values(world):
    weights, is_key, draft = world
    tracker = FactTracker(weights, is_key)
    states = [tracker.start()]
    for claims in draft:
        states.append(tracker.extend(states[-1], claims))
    again = [fact_score(weights, is_key, draft[:end]) for end in range(len(draft) + 1)]
    assert [tracker.score(state) for state in states] == again
