"""Scoring rules are strictly proper: nobody expects more than who says what they believe."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lightbulb_envs.rewards.scoring_rules import RULES, brier, expected_score, spherical


@st.composite
def pairs(draw):
    """Returns a belief and a forecast of as many labels."""
    count = draw(st.integers(2, 5))
    found = []
    for _ in range(2):
        weights = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
        assume(sum(weights) > 0.01)
        found.append([weight / sum(weights) for weight in weights])
    return found


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
@given(drawn=pairs())
def test_who_says_what_they_believe_expects_most(rule, drawn):
    belief, forecast = drawn
    expected = sum(chance * rule(forecast, label) for label, chance in enumerate(belief))
    most = expected_score(rule, belief)
    assert expected <= most + 1e-12
    distance = max(abs(one - other) for one, other in zip(belief, forecast, strict=True))
    if distance > 0.01:
        assert expected < most - 1e-6


def test_scores_by_hand():
    assert brier([1.0, 0.0], 0) == 1.0
    assert brier([1.0, 0.0], 1) == -1.0
    assert brier([0.75, 0.25], 0) == 1 - 2 * 0.25**2
    assert spherical([0.6, 0.8], 1) == 0.8
    assert spherical([0.5, 0.5], 0) == pytest.approx(math.sqrt(0.5))
    assert expected_score(brier, [0.75, 0.25]) == 0.75**2 + 0.25**2
