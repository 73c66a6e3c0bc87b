"""Weighted fact precision, recall and F1 of a draft.

A draft *claims* the facts that its sentences state, every time that they state them. With w the
weight of a fact and K the key facts (those that the reference tells):

    covered   = sum of w over the key facts that the draft claims
    recall    = covered / sum of w over K
    precision = covered / sum of w over all claims, repetitions included

So what is repeated, superseded, from another story or merely background costs precision by its
weight: a wrong number that was corrected later weighs what the right one does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lightbulb_envs.rewards.rouge import Score
from lightbulb_envs.summation import add_in_order


class FactState(NamedTuple):
    """Which key facts are covered (bits), their weight, and the weight of all claims."""

    seen: int
    covered: float
    claimed: float


class FactTracker:
    """Fact scores against one document's facts. States are values, as in `rouge`."""

    def __init__(self, weights: Sequence[float], is_key: Sequence[bool]):
        self._weights = list(weights)
        self._is_key = list(is_key)
        self._total = add_in_order(
            weight for weight, key in zip(weights, is_key, strict=True) if key
        )

    def start(self) -> FactState:
        return FactState(0, 0.0, 0.0)

    def extend(self, state: FactState, claims: Sequence[int]) -> FactState:
        """Returns the state after a sentence that claims the facts of these numbers."""
        seen, covered, claimed = state
        for fact in claims:
            weight = self._weights[fact]
            claimed += weight
            if self._is_key[fact] and not seen >> fact & 1:
                seen |= 1 << fact
                covered += weight
        return FactState(seen, covered, claimed)

    def extend_wrong(self, state: FactState, fact: int) -> FactState:
        """Returns the state after a claim that tells a fact wrong: it covers nothing."""
        return state._replace(claimed=state.claimed + self._weights[fact])

    def score(self, state: FactState) -> Score:
        precision = state.covered / state.claimed if state.claimed > 0 else 0.0
        recall = state.covered / self._total if self._total > 0 else 0.0
        if precision + recall > 0:
            return Score(precision, recall, 2 * precision * recall / (precision + recall))
        return Score(precision, recall, 0.0)


def fact_score(
    weights: Sequence[float], is_key: Sequence[bool], draft: Sequence[Sequence[int]]
) -> Score:
    """Returns the fact score of a whole draft, a list of the claims of its sentences."""
    tracker = FactTracker(weights, is_key)
    state = tracker.start()
    for claims in draft:
        state = tracker.extend(state, claims)
    return tracker.score(state)
