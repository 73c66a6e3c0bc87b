"""Documents are read in blocks, once where they are kept, and no more are kept than may be."""

import numpy as np
import pytest

from lightbulb_envs.engines.shelf import BLOCK, Shelf, check_instances


class Reader:
    """Reads documents, and remembers which."""

    def __init__(self):
        self.blocks = []

    def __call__(self, instances):
        self.blocks.append(instances.tolist())
        return [f"document {number}" for number in instances.tolist()]


def shelf_of(read, most=100, *, is_endless=False, num_envs=2):
    return Shelf(read, num_envs, most, is_endless=is_endless)


def test_documents_of_a_pool_are_read_once():
    read = Reader()
    shelf = shelf_of(read)
    assert shelf.take([3, 5, 3]) == ["document 3", "document 5", "document 3"]
    assert shelf.take([5, 3]) == ["document 5", "document 3"]
    assert shelf.take_ready(5) == "document 5"
    assert shelf.take_ready(5) == "document 5"
    assert shelf.take_ready(9) is None
    assert read.blocks == [[3, 5]]


def test_of_an_endless_supply_nothing_is_kept_that_was_taken():
    read = Reader()
    shelf = shelf_of(read, is_endless=True)
    shelf.take([3, 5])
    assert shelf.take_ready(3) is None
    shelf.upcoming = lambda count: np.array([7, 8])
    shelf.take([6])
    assert shelf.take_ready(7) == "document 7"
    assert shelf.take_ready(7) is None
    assert read.blocks == [[3, 5], [6, 7, 8]]


class Stream:
    """Rows that each get numbers in order."""

    def __init__(self, rows=1, num_envs=1, **settings):
        self.read = Reader()
        self.shelf = shelf_of(self.read, num_envs=num_envs, is_endless=True, **settings)
        self.next = np.arange(rows) * 1_000_000
        self.shelf.upcoming = lambda count: (self.next[:, None] + np.arange(count)).ravel()

    def episode(self, *rows):
        wanted = self.next[list(rows)].tolist()
        self.next[list(rows)] += 1
        ready = [self.shelf.take_ready(one) for one in wanted] if len(rows) == 1 else [None]
        found = ready if ready[0] is not None else self.shelf.take(wanted)
        assert found == [f"document {one}" for one in wanted]

    @property
    def sizes(self):
        return [len(block) for block in self.read.blocks]


def test_what_is_to_come_is_read_further_ahead_the_longer_it_comes():
    stream = Stream()
    for _ in range(3 * BLOCK):
        stream.episode(0)
    assert stream.sizes == [1, 2, 5, 17, 65, 257, 1025, 2048, 2048, 2048]


def test_rows_that_go_on_at_different_times_are_all_read_ahead():
    stream = Stream(rows=64, num_envs=64)
    chance = np.random.default_rng(0)
    for _ in range(400):
        stream.episode(*np.flatnonzero(chance.random(64) < 0.3).tolist())
    assert max(stream.sizes) > 1000
    assert len(stream.sizes) < 40


def test_nothing_is_read_ahead_for_long_where_it_does_not_come():
    stream = Stream()
    for seed in range(100):
        stream.next[0] = seed * 1000  # as a seed an episode does
        stream.episode(0)
    assert sum(stream.sizes) <= 150  # every other time one is tried
    for _ in range(100):
        stream.episode(0)
    assert max(stream.sizes) > 16


def test_the_oldest_make_room():
    read = Reader()
    shelf = shelf_of(read, most=BLOCK + 10)
    for start in range(0, 4 * BLOCK, BLOCK):
        shelf.take(list(range(start, start + BLOCK)))
    assert shelf.take_ready(0) is None
    assert shelf.take_ready(4 * BLOCK - 1) is not None
    assert len(shelf._kept) <= 2 * BLOCK


def test_instances_that_there_are_not_are_refused():
    check_instances([0, 9], 10)
    check_instances([1 << 61], None)
    with pytest.raises(ValueError, match=r"must be in \[0, 10\), got \[3, 10\]"):
        check_instances([3, 10], 10)
    with pytest.raises(ValueError, match="an instance must be in"):
        check_instances([-1], None)
