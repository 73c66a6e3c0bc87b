"""A replay gives back what was put in, forgets the oldest, and draws every step alike."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_agents.replay import ArticleStore, EpisodeReplay, PrioritizedEpisodeReplay

SHAPE = (2, 3)


def tokens_of(number):
    """Returns tokens that tell an article's number."""
    return np.full((1, *SHAPE), number % 50_000 + 1, dtype=np.int32)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=30))
def test_articles_come_back_until_they_are_forgotten(operations):
    store = ArticleStore(SHAPE, 60_000)
    held, first = {}, 0
    for count, forgotten in operations:
        start = store.add(
            np.concatenate(
                [np.zeros((0, *SHAPE), np.int32)]
                + [tokens_of(store.end + one) for one in range(count)]
            )
        )
        held |= {start + one: tokens_of(start + one)[0] for one in range(count)}
        first = max(first, min(first + forgotten - 2, store.end))  # often one long forgotten
        store.forget(first)
        held = {number: value for number, value in held.items() if number >= first}
        numbers = np.array(list(held), dtype=np.int64)
        assert len(store.held()) == len(held)
        assert np.array_equal(
            store.take(numbers).reshape(-1, *SHAPE), [*held.values()] or np.zeros((0, *SHAPE))
        )
        assert np.array_equal(store.held(), store.take(np.arange(store.first, store.end)))


@pytest.mark.parametrize("highest", [65_535, 65_536, 100_000])
def test_a_large_vocabulary_keeps_its_numbers(highest):
    store = ArticleStore(SHAPE, highest)
    store.add(np.full((1, *SHAPE), highest, dtype=np.int32))
    assert (store.take(np.array([0])) == highest).all()


class Player:
    """Plays made-up episodes: a step's reward is its own number, and its article tells it."""

    def __init__(self, replay):
        self.replay = replay
        self.steps = 0

    def play(self, lengths, picks=1):
        """Puts in an episode of each length, each a group of its own, an article a step."""
        group = np.repeat(np.arange(len(lengths)), lengths)
        count = len(group)
        numbers = self.steps + np.arange(count)
        start = self.replay.articles.add(np.concatenate([tokens_of(one) for one in numbers]))
        last = np.cumsum(lengths) - 1
        done = np.isin(np.arange(count), last)
        seen = {
            "article": start + np.arange(count),
            "picks": np.tile(np.arange(picks), (count, 1)),
        }
        self.replay.store(
            {
                "obs": seen,
                "act": numbers % 3,
                "rew": numbers.astype(np.float64),
                "terminated": done,
                "truncated": np.zeros(count, dtype=bool),
                "done": done,
                "obs_next": {name: value.copy() for name, value in seen.items()},
            },
            group,
        )
        self.steps += count


def a_replay(size=20):
    return EpisodeReplay(size, ArticleStore(SHAPE, 60_000), np.random.default_rng(0))


rounds = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=5), min_size=1, max_size=8)


@settings(max_examples=60)
@given(rounds)
def test_the_newest_steps_are_kept_and_each_finds_its_article(rounds):
    replay = a_replay()
    player = Player(replay)
    ends = []
    for lengths in rounds:
        ends += (player.steps + np.cumsum(lengths) - 1).tolist()
        player.play(lengths)
        kept = np.arange(max(0, player.steps - 20), player.steps)
        places = kept % 20
        assert len(replay) == len(kept)
        batch = replay[places]
        assert np.array_equal(batch.rew, kept)
        found = replay.articles.take(np.asarray(batch.obs.article))
        assert np.array_equal(found[:, 0, 0], kept % 50_000 + 1)
        following = np.where(np.isin(kept, ends), kept, kept + 1)
        assert np.array_equal(replay.next(places), following % 20)
        for place in replay.sample_indices(6).tolist():
            assert 0 <= place < len(replay)
        assert np.array_equal(np.sort(replay.sample_indices(0)), np.arange(len(kept)))


def test_minibatches_hold_all_steps_of_their_articles_and_every_step_alike():
    replay = a_replay(size=30)
    player = Player(replay)
    player.play([3, 4])
    player.play([1, 2, 3, 4] * 2 + [3, 4])  # more than it holds: the oldest is there in part
    counts = np.zeros(30)
    for _ in range(4000):
        places = replay.sample_indices(6)
        groups = [
            one for one in np.split(places, np.flatnonzero(replay.done[places]) + 1) if len(one)
        ]
        for one in groups:
            first = replay.rew[one[0]]
            assert np.array_equal(replay.rew[one], np.arange(first, first + len(one)))
        np.add.at(counts, places, 1)
    whole = np.isin(replay.rew, replay.groups[0] + np.arange(player.steps - replay.groups[0]))
    assert (counts[~whole] == 0).all()
    assert counts[whole] == pytest.approx(counts[whole].mean(), rel=0.12)


def test_drafts_with_more_picks_than_before_find_room():
    replay = a_replay()
    player = Player(replay)
    player.play([2], picks=1)
    player.play([2], picks=3)
    player.play([1], picks=2)
    assert replay[np.arange(5)].obs.picks.tolist() == [
        [0, -1, -1], [0, -1, -1], [0, 1, 2], [0, 1, 2], [0, 1, -1],
    ]  # fmt: skip


def test_more_than_it_holds_is_refused():
    with pytest.raises(ValueError, match="30 steps were played at once, and the replay holds 20"):
        Player(a_replay()).play([3] * 10)


def _prioritized(size=20, alpha=1.0):
    articles = ArticleStore(SHAPE, 60_000)
    return PrioritizedEpisodeReplay(size, articles, np.random.default_rng(0), alpha, beta=1.0)


def test_steps_with_larger_errors_are_drawn_more_often_and_count_less():
    replay = _prioritized()
    Player(replay).play([4])
    replay.update_weight(np.arange(4), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    drawn = np.concatenate([replay.sample_indices(100) for _ in range(100)])
    share = np.bincount(drawn, minlength=4) / len(drawn)
    assert share == pytest.approx(np.array([0.1, 0.2, 0.3, 0.4]), abs=0.02)
    assert replay[np.arange(4)].weight * [1, 2, 3, 4] == pytest.approx(np.ones(4), rel=1e-5)


def test_drawing_leaves_numpys_global_generator_alone():
    for replay in (a_replay(), _prioritized()):
        Player(replay).play([4, 3])
        np.random.seed(3)  # noqa: NPY002 # which is what must not be used
        before = np.random.get_state()[1].tolist()  # noqa: NPY002
        replay.sample_indices(5)
        assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("make", [a_replay, _prioritized])
def test_what_is_kept_can_be_written_down_and_read_back(make):
    settings = {"alpha": 0.6} if make is _prioritized else {}
    replay, other = make(**settings), make(**settings)
    player = Player(replay)
    for _ in range(4):
        player.play([3, 4])
    if make is _prioritized:
        replay.update_weight(np.arange(5), torch.arange(5) / 3 + 1)  # in single precision
    other.set_arrays({name: tensor.clone() for name, tensor in replay.arrays().items()})
    for one in (replay, other):
        one.generator = np.random.default_rng(7)
    assert np.array_equal(replay.sample_indices(12), other.sample_indices(12))
    places = np.arange(20)
    left, right = replay[places], other[places]
    assert np.array_equal(left.rew, right.rew)
    assert np.array_equal(replay.next(places), other.next(places))
    article = np.asarray(left.obs.article)
    assert np.array_equal(replay.articles.take(article), other.articles.take(article))
    if make is _prioritized:
        assert np.array_equal(left.weight, right.weight)
    for one in (replay, other):
        again = Player(one)
        again.steps = player.steps
        again.play([2, 2])
    assert np.array_equal(replay[places].rew, other[places].rew)
    if make is _prioritized:
        assert np.array_equal(replay[places].weight, other[places].weight)


def test_an_empty_replay_can_be_written_down():
    other = a_replay()
    other.set_arrays(a_replay().arrays())
    assert len(other) == 0
