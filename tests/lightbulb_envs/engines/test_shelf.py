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


def test_what_is_to_come_is_read_with_what_is_wanted():
    read, asked = Reader(), []
    shelf = shelf_of(read, num_envs=4)
    shelf.upcoming = lambda count: asked.append(count) or np.arange(10, 13)
    shelf.take([1])
    shelf.take([10, 11, 12])
    assert read.blocks == [[1, 10, 11, 12]]
    assert asked == [BLOCK // 4]


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
