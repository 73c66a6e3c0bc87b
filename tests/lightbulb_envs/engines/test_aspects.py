"""Two aspects are asked for in turn, and the best way to read for both is exact."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.score import mean_returns, random_returns
from lightbulb_envs.sources.reviews.aspect_reading import in_turn
from lightbulb_envs.sources.reviews.aspects import AspectSource, aspect_level
from lightbulb_envs.sources.reviews.source import programme_of

ID = "Lightbulb/SentimentAnalysis-Aspect-v0"
ROW = np.zeros(1, dtype=np.int64)


def started(instance=0, **settings):
    engine = lightbulb_envs.make_engine(ID, 1, **settings)
    engine.reset(ROW, np.array([instance]))
    return engine


def title(engine):
    tokens = engine.observe(ROW)["tokens"][0, 0]
    return engine.source.vocabulary.sentence(tokens.tolist())


def test_the_first_answer_changes_the_title_and_the_second_ends():
    for first, second in itertools.product((1, 2), repeat=2):
        engine = started(3)
        titles = engine.document(0).title.split(" / ")
        labels = engine.document(0).label.split(" / ")
        assert title(engine) == titles[0]
        engine.step(ROW, np.array([0]))
        one = engine.step(ROW, np.array([first]))
        assert not one.terminated[0]
        assert title(engine) == titles[1]
        assert engine.chunks_read(0) == [0]
        other = engine.step(ROW, np.array([second]))
        assert other.terminated[0]
        right = [engine.labels[action - 1] == label for action, label in
                 zip((first, second), labels, strict=True)]  # fmt: skip
        assert [one.reward[0], other.reward[0]] == [0.5 if is_right else -0.5 for is_right in right]
        assert engine.metrics(ROW)["accuracy"][0] == np.mean(right)
        assert engine.answer(0) == f"{engine.labels[first - 1]} / {engine.labels[second - 1]}"


@pytest.mark.parametrize("split", ["train", "ood"])
def test_chunks_of_both_aspects_are_mixed_and_keep_their_order(split):
    source = AspectSource(2, split)
    instances = np.arange(40)
    mixed, batch = source.mixed(instances), source.batch(instances)
    for row in range(40):
        length = int(mixed.said[0].length[row])
        question = mixed.question[row]
        assert (question[: 2 * length] >= 0).all()
        assert (question[2 * length :] == -1).all()
        assert np.bincount(question[: 2 * length]).tolist() == [length, length]
        alone = [
            source._reviews.told(2 * instances + number, said)[row, 1 : length + 1].tolist()
            for number, said in enumerate(mixed.said)
        ]
        told = batch.tokens[row, : 2 * length]
        for number in (0, 1):
            assert told[question[: 2 * length] == number].tolist() == alone[number]
    assert (mixed.said[0].aspect != mixed.said[1].aspect).all()
    assert (mixed.said[0].subject == mixed.said[1].subject).all()


def test_labels_are_the_ends_of_their_programmes_balanced_and_apart():
    source = AspectSource(2, "train")
    mixed = source.mixed(np.arange(3000))
    for said in mixed.said:
        ends = source.programme.states(said.operation)[:, -1]
        assert ((ends > source.programme.start) == (said.label == 1)).all()
        assert said.label.mean() == pytest.approx(0.5, abs=0.04)
    same = (mixed.said[0].label == mixed.said[1].label).mean()
    assert same == pytest.approx(0.5, abs=0.04)
    first = (mixed.question[:, 0] == 0).mean()
    assert first == pytest.approx(0.5, abs=0.04)


def test_the_best_return_is_that_of_searching_all_ways_to_read():
    """With three chunks an aspect, what is to come is counted by recursion, in fractions."""
    programme, length = programme_of(aspect_level(0)), 3
    cost, wrong = Fraction(1, 20), Fraction(-1)

    def commit(left, state):
        return (wrong + 2 * max(programme.belief(length - left, state, length))) / 2

    known = {}

    def value(left, states, is_second):
        key = (left, states, is_second)
        if key not in known:
            known[key] = _value(left, states, is_second)
        return known[key]

    def _value(left, states, is_second):
        stop = (
            commit(left[1], states[1])
            if is_second
            else commit(left[0], states[0]) + value(left, states, is_second=True)
        )
        total = sum(left)
        if not total:
            return stop
        on = -cost
        for aspect in (0, 1):
            if not left[aspect]:
                continue
            likely = programme.belief(length - left[aspect], states[aspect], length)
            fewer = tuple(one - (number == aspect) for number, one in enumerate(left))
            for label, chance in enumerate(likely):
                if not chance:
                    continue
                shares = programme._shares(left[aspect], states[aspect], label)
                for share, after in zip(shares, programme.after[:, states[aspect]], strict=True):
                    moved = tuple(int(after) if number == aspect else one
                                  for number, one in enumerate(states))  # fmt: skip
                    weight = Fraction(left[aspect], total) * chance * share
                    if weight:
                        on += weight * value(fewer, moved, is_second)
        return max(stop, on)

    start = programme.start
    exact = value((length, length), (start, start), is_second=False)
    assert in_turn(0, length, 0.05, -1.0).value == pytest.approx(float(exact), abs=1e-12)


def test_the_oracle_returns_on_average_what_it_promises():
    engine = lightbulb_envs.make_engine(ID, 32, split="validation")
    instances = np.arange(400)
    returned = mean_returns(make_baseline("oracle", engine), engine, instances)
    engine.reset(np.arange(32), np.arange(32))
    lengths = engine.source.mixed(instances).said[0].length.tolist()
    promised = np.array([in_turn(2, length, 0.05, -1.0).value for length in lengths])
    gap = returned - promised
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))
    lexicon = mean_returns(make_baseline("lexicon", engine), engine, instances[:100])
    assert returned.mean() > lexicon.mean() > random_returns(engine, instances[:100], 5).mean()


def test_the_oracle_of_the_engine_and_of_the_baselines_are_one():
    engine = lightbulb_envs.make_engine(ID, 4, split="test")
    for episode in roll_out(make_baseline("oracle", engine), engine, np.arange(12)):
        own = started(episode.instance, split="test")
        for action in episode.actions:
            assert own.oracle_action(0) == action
            own.step(ROW, np.array([action]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": 6}, "level must be one of 0 to 5"),
        ({"read_cost": -1.0}, "read_cost is a price"),
        ({"wrong": 1.0}, "paid less than 1"),
        ({"num_instances": 0}, "num_instances must be in"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        lightbulb_envs.make_engine(ID, 1, **settings)
