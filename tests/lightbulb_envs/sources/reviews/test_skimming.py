"""What some chunks tell of a review's label is what counting all reviews says."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.sources.reviews.programme import Operation, Programme
from lightbulb_envs.sources.reviews.reading import best_reading
from lightbulb_envs.sources.reviews.skimming import Skimmer, skim
from lightbulb_envs.sources.reviews.source import ReviewSource

TINY = Programme(
    {Operation(-2): 1, Operation(0): 1, Operation(1): 2, Operation(-1, is_turn=True): 1},
    most=3,
    longest=4,
    lean=Fraction(3, 2),
)
LENGTH = 4


def counted(read, before):
    """Returns how likely labels are, and operations and labels at each chunk, by counting."""
    weights = [[Fraction(one, sum(row)) for one in row] for row in TINY.weights()]
    chances = np.zeros((LENGTH, len(TINY.operations), 2), dtype=object)
    whole, total = [Fraction(0)] * 2, np.array([Fraction(0)] * 2)
    for operations in itertools.product(range(len(TINY.operations)), repeat=LENGTH):
        state, share = TINY.start, Fraction(1)
        for one in operations:
            share *= weights[state][one]
            state = int(TINY.after[one, state])
        if state == TINY.start:
            continue
        label = TINY.label_of(state)
        whole[label] += share
        if all(operations[chunk] == one for chunk, one in read.items()):
            total[label] += share
            for chunk, one in enumerate(operations):
                chances[chunk, one, label] += share
    scale = np.array([before[label] / whole[label] for label in (0, 1)])
    likely, chances = total * scale, chances * scale
    return (likely / likely.sum()).astype(float), (chances / likely.sum()).astype(float)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.integers(0, LENGTH - 1), st.integers(0, 3), max_size=LENGTH),
    st.sampled_from([(0.5, 0.5), (0.9, 0.1)]),
)
def test_beliefs_are_those_of_counting_all_reviews(read, before):
    exact = tuple(Fraction(one).limit_denominator(10) for one in before)
    try:
        belief, chances = counted(read, exact)
    except ZeroDivisionError:
        return  # no review has these
    found, spread = Skimmer(TINY, LENGTH, before).look(read)
    assert found == pytest.approx(belief, abs=1e-12)
    assert spread == pytest.approx(chances, abs=1e-12)


@pytest.mark.parametrize("level", range(6))
def test_reading_in_order_teaches_what_the_programme_says(level):
    source = ReviewSource(level, "validation")
    instances = np.arange(20)
    said = source.opinions(instances)
    best = best_reading(source, instances, 0.05, -1.0)
    for row in range(20):
        length = int(said.length[row])
        if said.signature[row]:
            continue
        skimmer = Skimmer(source.programme, length, (0.5, 0.5))
        for count in range(length + 1):
            read = {chunk: int(said.operation[row, chunk]) for chunk in range(count)}
            assert skimmer.look(read)[0] == pytest.approx(best.belief[row, count], abs=1e-9)


def test_a_plan_reads_no_chunk_twice_and_ends_in_a_label():
    source = ReviewSource(2, "train")
    said = source.opinions(np.arange(30))
    for row in range(30):
        operations = said.operation[row, : int(said.length[row])]
        told = skim(source.programme, operations, (0.5, 0.5), 0.05, -1.0)
        *read, label = told
        assert len(set(read)) == len(read)
        assert all(0 <= chunk < len(operations) for chunk in read)
        assert label - len(operations) in (0, 1)
        rest = skim(source.programme, operations, (0.5, 0.5), 0.05, -1.0, read[:1])
        assert rest == told[1:] or not read


def test_what_costs_too_much_is_not_read():
    source = ReviewSource(2, "train")
    operations = source.opinions(np.array([0])).operation[0]
    operations = operations[operations >= 0]
    assert len(skim(source.programme, operations, (0.5, 0.5), 2.0, -1.0)) == 1
    free = skim(source.programme, operations, (0.5, 0.5), 0.0, -1.0)
    assert len(free) > 2


def _values(read, cost, wrong, ahead):
    """Returns what each next chunk returns on average to who looks so far ahead, and committing."""
    belief, chances = Skimmer(TINY, LENGTH, (0.5, 0.5)).look(read)
    commit = wrong + (1 - wrong) * belief.max()
    values = {}
    for chunk in sorted(set(range(LENGTH)) - set(read) if ahead else ()):
        value = -cost
        for operation, likely in enumerate(chances[chunk].sum(axis=1).tolist()):
            if likely > 1e-12:
                then, own = _values({**read, chunk: operation}, cost, wrong, ahead - 1)
                value += likely * max(own, *then.values(), own)
        values[chunk] = value
    return values, commit


@pytest.mark.parametrize("cost", [0.02, 0.1, 0.2, 0.25, 0.3, 0.4])
@pytest.mark.parametrize("read", [{}, {0: 2}, {3: 1}, {1: 3, 2: 0}])
def test_it_reads_what_returns_most_to_who_looks_two_chunks_ahead(read, cost):
    operations = np.array([2, 3, 0, 1])
    known = {chunk: int(operations[chunk]) for chunk in read}
    chosen = skim(TINY, operations, (0.5, 0.5), cost, -1.0, list(known))
    two, commit = _values(known, cost, -1.0, 2)
    one, _ = _values(known, cost, -1.0, 1)
    likeliest = sorted(one, key=lambda chunk: -one[chunk])[:3]
    best = max(likeliest, key=two.get)
    if two[best] <= commit + 1e-9:
        assert len(chosen) == 1
    else:
        assert two[chosen[0]] == pytest.approx(two[best], abs=1e-9)


def test_it_reads_where_one_chunk_alone_does_not_pay():
    source, cost = ReviewSource(0, "validation"), 0.05
    said = source.opinions(np.arange(24))
    found = 0
    for length, row in zip(said.length.tolist(), said.operation, strict=True):
        operations = row[:length]
        *chunks, _ = skim(source.programme, operations, (0.5, 0.5), cost, -1.0)
        for count, chunk in enumerate(chunks):
            read = {one: int(operations[one]) for one in chunks[:count]}
            belief, chances = Skimmer(source.programme, length, (0.5, 0.5)).look(read)
            left = sorted(set(range(length)) - set(read))
            one_more = 2 * chances[left].max(axis=2).sum(axis=1).max() - 1 - cost
            found += one_more < 2 * belief.max() - 1 - 1e-9
            assert chunk in left
    assert found


def test_the_chunk_that_promises_most_alone_is_not_always_the_one_to_read():
    source = ReviewSource(1, "validation")
    said = source.opinions(np.array([49]))
    operations = said.operation[0, : int(said.length[0])]
    chosen = skim(source.programme, operations, (0.5, 0.5), 0.05, -1.0)
    read = {one: int(operations[one]) for one in chosen[:4]}
    _, chances = Skimmer(source.programme, len(operations), (0.5, 0.5)).look(read)
    promise = chances.max(axis=2).sum(axis=1)
    left = sorted(set(range(len(operations))) - set(read))
    assert chosen[4] != max(left, key=promise.__getitem__)
