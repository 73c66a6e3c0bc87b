"""Labels are balanced, beliefs are what counting gives, and no way to read earns more."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.randomness import draw_words
from lightbulb_envs.sources.reviews.programme import LABELS, NOTHING, Operation, Programme

UP, DOWN, STAY = Operation(1), Operation(-1), Operation(0)
TURN_UP, TURN_DOWN = Operation(1, is_turn=True), Operation(-1, is_turn=True)

operations = st.sampled_from([UP, DOWN, STAY, Operation(2), Operation(-2), TURN_UP, TURN_DOWN])
weights = st.dictionaries(operations, st.integers(1, 5), min_size=1, max_size=5).map(
    lambda drawn: {UP: 2, DOWN: 1, STAY: 1, **drawn}  # so that every label can be reached
)
leans = st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(2)])

few = settings(max_examples=30)  # each counts hundreds of reviews, in fractions


def make(weights_of, most, longest, lean):
    """Returns a programme that remembers what it was made of."""
    programme = Programme(weights_of, most, longest, lean)
    programme.made_of = weights_of, lean
    return programme


programmes = st.builds(make, weights, st.integers(1, 3), st.just(4), leans)


def chances(weights_of, lean, state):
    """Returns how likely every operation is in a state, as the module's formula has it."""
    pulls = []
    for one, weight in weights_of.items():
        before = state // 2 if state > 0 else -(-state // 2)
        before = before if one.is_turn else state
        after = before + one.shift
        pulls.append(weight * (lean**after + lean**-after) / (lean**before + lean**-before))
    return [pull / sum(pulls) for pull in pulls]


def reviews(programme, length):
    """Yields every review of a length: its operations, its chance and its states, by hand."""
    likely = {
        state: chances(*programme.made_of, state)
        for state in range(-programme.most, programme.most + 1)
    }
    for path in itertools.product(range(len(programme.operations)), repeat=length):
        state, chance, states = 0, Fraction(1), [0]
        for number in path:
            one = programme.operations[number]
            chance *= likely[state][number]
            if one.is_turn:
                state = state // 2 if state > 0 else -(-state // 2)
            state = max(-programme.most, min(programme.most, state + one.shift))
            states.append(state)
        if state:
            yield path, chance, states


def sign(number):
    return (number > 0) - (number < 0)


def joint(programme, length):
    """Returns how likely each review is when labels are equally likely, with states and label."""
    listed = list(reviews(programme, length))
    by_label = Counter()
    for _, weight, states in listed:
        by_label[sign(states[-1])] += weight
    return [
        (path, weight / (2 * by_label[sign(states[-1])]), states, int(states[-1] > 0))
        for path, weight, states in listed
    ]


def test_by_hand_a_turn_halves_and_the_state_is_bounded():
    programme = Programme({UP: 1, DOWN: 1, TURN_DOWN: 1}, most=3, longest=5)
    up, down, turn = 0, 1, 2
    passed = programme.states(np.array([[up, up, up, up, turn], [down, down, down, turn, NOTHING]]))
    assert (passed - programme.start).tolist() == [[0, 1, 2, 3, 3, 0], [0, -1, -2, -3, -2, -2]]
    assert [LABELS[programme.label_of(state)] for state in (0, 6)] == list(LABELS)


def test_by_hand_reviews_lean():
    """From 1, with a lean of 2: up pulls 17/4, down 2, and 1 itself 5/2."""
    programme = Programme({UP: 1, DOWN: 1}, most=3, longest=3, lean=Fraction(2))
    up, down = programme._weights[programme.start + 1]
    assert Fraction(up, down) == Fraction(17, 4) / 2
    assert len(set(programme._weights[programme.start])) == 1


@few
@given(programmes, st.integers(2, 3))
def test_beliefs_are_what_counting_all_reviews_gives(programme, length):
    counted = joint(programme, length)
    for read in range(length + 1):
        reached = {states[read] for _, _, states, _ in counted}
        for state in reached:
            chance = [
                sum(
                    one for _, one, states, its in counted if states[read] == state and its == label
                )
                for label in range(2)
            ]
            wanted = tuple(one / sum(chance) for one in chance)
            assert programme.belief(read, state + programme.most, length) == wanted


@few
@given(programmes, st.integers(2, 3), st.sampled_from([0.0, 0.05, 0.3]))
def test_no_way_to_read_earns_more_than_the_best(programme, length, cost):
    """The value is that of the best policy over histories, which sees more than the state."""
    counted = joint(programme, length)

    def best(prefix):
        matching = [entry for entry in counted if entry[0][: len(prefix)] == prefix]
        mass = sum(one for _, one, _, _ in matching)
        if not mass:
            return 0.0
        labels = [sum(one for _, one, _, its in matching if its == label) for label in range(2)]
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


@few
@given(programmes, st.integers(2, 3))
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
    programme = make({UP: 3, DOWN: 2, STAY: 1, TURN_DOWN: 2}, 2, 3, Fraction(3, 2))
    count, length = 60_000, 3
    labels = np.arange(count) % 2
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
    lengths, labels = np.array([2, 3, 4, 5, 6, 2, 3, 4]), np.arange(8) % 2
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
    with pytest.raises(ValueError, match="lean must be 1 or more, got 1/2"):
        Programme({UP: 1}, most=1, longest=2, lean=Fraction(1, 2))
    only_up = Programme({UP: 1}, most=1, longest=2)
    with pytest.raises(ValueError, match="has every label"):
        only_up.draw(np.zeros((1, 2), dtype=np.uint32), np.array([0]), np.array([2]))
    with pytest.raises(ValueError, match="cannot have every label"):
        only_up.stopping(2, 0.1)
