"""Sums do not depend on the version of Python, nor on the processor."""

import numpy as np

from lightbulb_envs.summation import add_in_order, product_in_order


def test_values_are_added_from_left_to_right():
    assert add_in_order([1e16, 1.0, -1e16]) == 0.0
    assert add_in_order([0.1] * 10) == 0.9999999999999999
    assert add_in_order([]) == 0.0


def test_a_product_adds_its_terms_one_by_one():
    rng = np.random.default_rng(0)
    for shape, other in (((3, 5), (5, 4)), ((2, 3, 5), (5, 4)), ((1, 3, 5), (2, 5, 4))):
        left, right = rng.normal(size=shape), rng.normal(size=other)
        found = product_in_order(left, right)
        assert np.allclose(found, left @ right, atol=1e-12)
        wide, tall = np.broadcast_to(left, (*found.shape[:-1], 5)), right.reshape(-1, 5, 4)[-1]
        row, column = wide.reshape(-1, 3, 5)[-1, 2], tall[:, 3]
        assert found.reshape(-1, 3, 4)[-1, 2, 3] == add_in_order((row * column).tolist())
    assert product_in_order(np.array([[1e16, 1.0, -1e16]]), np.ones((3, 1))) == 0.0
