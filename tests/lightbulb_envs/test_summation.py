"""Sums do not depend on the version of Python."""

from lightbulb_envs.summation import add_in_order


def test_values_are_added_from_left_to_right():
    assert add_in_order([1e16, 1.0, -1e16]) == 0.0
    assert add_in_order([0.1] * 10) == 0.9999999999999999
    assert add_in_order([]) == 0.0
