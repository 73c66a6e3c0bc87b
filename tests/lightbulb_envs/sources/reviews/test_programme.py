"""Labels are balanced, beliefs are what counting gives, and no way to read earns more."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.randomness import draw_words
from lightbulb_envs.sources.reviews.programme import LABELS, NOTHING, Operation, Programme

UP, DOWN, STAY = Operation(1), Operation(-1), Operation(0)
TURN_UP, TURN_DOWN = Operation(1, is_turn=True), Operation(-1, is_turn=True)

operations = st.sampled_from([UP, DOWN, STAY, Operation(2), Operation(-2), TURN_UP, TURN_DOWN])
weights = st.dictionaries(operations, st.integers(1, 5), min_size=1, max_size=5).map(
    lambda drawn: {UP: 2, DOWN: 1, STAY: 1, **drawn}  # so that every label can be reached
)
programmes = st.builds(Programme, weights, st.integers(1, 3), st.just(4))


def reviews(programme, weights_of, length):
    """Yields every review of a length: its operations, its weight and its states, by hand."""
    for path in itertools.product(range(len(programme.operations)), repeat=length):
        state, weight, states = 0, 1, [0]
        for number in path:
            one = programme.operations[number]
            state = (0 if one.is_turn else state) + one.shift
            state = max(-programme.most, min(programme.most, state))
            weight *= weights_of[number]
            states.append(state)
        yield path, weight, states


def sign(number):
    return (number > 0) - (number < 0)


def joint(programme, length):
    """Returns how likely each review is when labels are equally likely, with states and label."""
    listed = list(reviews(programme, programme._weights, length))
    by_label = Counter()
    for _, weight, states in listed:
        by_label[sign(states[-1])] += weight
    return [
        (path, Fraction(weight, 3 * by_label[sign(states[-1])]), states, sign(states[-1]) + 1)
        for path, weight, states in listed
    ]


def test_by_hand_a_turn_forgets_and_the_state_is_bounded():
    programme = Programme({UP: 1, DOWN: 1, TURN_DOWN: 1}, most=2, longest=4)
    up, turn = 0, 2
    passed = programme.states(np.array([[up, up, up, turn], [up, turn, NOTHING, NOTHING]]))
    assert (passed - programme.start).tolist() == [[0, 1, 2, 2, -1], [0, 1, -1, -1, -1]]
    assert [LABELS[programme.label_of(state)] for state in (0, 2, 4)] == list(LABELS)


@given(programmes, st.integers(2, 4))
def test_beliefs_are_what_counting_all_reviews_gives(programme, length):
    counted = joint(programme, length)
    for read in range(length + 1):
        reached = {states[read] for _, _, states, _ in counted}
        for state in reached:
            chance = [
                sum(
                    one for _, one, states, its in counted if states[read] == state and its == label
                )
                for label in range(3)
            ]
            wanted = tuple(one / sum(chance) for one in chance)
            assert programme.belief(read, state + programme.most, length) == wanted


@given(programmes, st.integers(2, 4), st.sampled_from([0.0, 0.05, 0.3]))
def test_no_way_to_read_earns_more_than_the_best(programme, length, cost):
    """The value is that of the best policy over histories, which sees more than the state."""
    counted = joint(programme, length)

    def best(prefix):
        matching = [entry for entry in counted if entry[0][: len(prefix)] == prefix]
        mass = sum(one for _, one, _, _ in matching)
        if not mass:
            return 0.0
        labels = [sum(one for _, one, _, its in matching if its == label) for label in range(3)]
        commit = 2 * float(max(labels) / mass) - 1
        if len(prefix) == length:
            return commit
        read_on = -cost
        for number in range(len(programme.operations)):
            longer = (*prefix, number)
            own = sum(one for path, one, _, _ in matching if path[: len(longer)] == longer)
            read_on += float(own / mass) * best(longer)
        return max(commit, read_on)

    stopping = programme.stopping(length, cost)
    assert stopping.value[0, programme.start] == pytest.approx(best(()), abs=1e-12)


@given(programmes, st.integers(2, 4))
def test_to_follow_the_best_way_earns_its_value(programme, length):
    cost = 0.1
    stopping = programme.stopping(length, cost)
    earned = 0.0
    for _, chance, states, label in joint(programme, length):
        read = 0
        while not (action := stopping.action[read, states[read] + programme.most]):
            read += 1
        earned += float(chance) * ((1.0 if action - 1 == label else -1.0) - cost * read)
    assert stopping.value[0, programme.start] == pytest.approx(earned, abs=1e-12)


def test_reviews_are_drawn_as_likely_as_they_are_counted():
    programme = Programme({UP: 3, DOWN: 2, STAY: 1, TURN_DOWN: 2}, most=2, longest=3)
    count, length = 60_000, 3
    labels = np.arange(count) % 3
    words = draw_words((1, 2), np.arange(count), length)
    drawn = programme.draw(words, labels, np.full(count, length))
    found = Counter(map(tuple, drawn.tolist()))
    for path, chance, _, _ in joint(programme, length):
        wanted = float(chance) * count
        assert abs(found[path] - wanted) < 5 * np.sqrt(wanted) + 1e-9
    last = programme.states(drawn)[:, -1]
    assert [programme.label_of(state) for state in last.tolist()] == labels.tolist()


def test_a_review_is_the_same_alone_and_beside_longer_ones():
    programme = Programme({UP: 1, DOWN: 1, STAY: 2}, most=3, longest=6)
    words = draw_words((3, 4), np.arange(8), 6)
    lengths, labels = np.array([2, 3, 4, 5, 6, 2, 3, 4]), np.arange(8) % 3
    together = programme.draw(words, labels, lengths)
    assert ((together != NOTHING).sum(axis=1) == lengths).all()
    for row in range(8):
        alone = programme.draw(words[[row], : lengths[row]], labels[[row]], lengths[[row]])
        assert alone[0].tolist() == together[row, : lengths[row]].tolist()


def test_what_leads_to_no_review_is_refused():
    with pytest.raises(ValueError, match="weight of 1 or more"):
        Programme({UP: 0}, most=1, longest=2)
    with pytest.raises(ValueError, match="1 or more, got 0 and 2"):
        Programme({UP: 1}, most=0, longest=2)
    only_up = Programme({UP: 1}, most=1, longest=2)
    with pytest.raises(ValueError, match="has every label"):
        only_up.draw(np.zeros((1, 2), dtype=np.uint32), np.array([0]), np.array([2]))
    with pytest.raises(ValueError, match="cannot have every label"):
        only_up.stopping(2, 0.1)
