"""Proper scoring rules: what a forecast of probabilities is worth once the label is known.

A rule is strictly proper when nobody expects more, on average, than who says what they believe.
Of Gneiting and Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation", both
with 1 for who is sure and right:

    brier      S(p, k) = 1 - sum_j (p_j - [j = k])^2    in [-1, 1], section 4.1, scaled
    spherical  S(p, k) = p_k / sqrt(sum_j p_j^2)        in [0, 1], section 4.1, alpha = 2

The logarithmic score is not here: it has no lower bound, and one answer may outweigh all others.
"""

import math
from collections.abc import Callable, Sequence

from lightbulb_envs.summation import add_in_order


def brier(forecast: Sequence[float], label: int) -> float:
    """Returns the quadratic score of probabilities (K,), of which label `label` came true."""
    return 1.0 - add_in_order(
        (chance - (number == label)) ** 2 for number, chance in enumerate(forecast)
    )


def spherical(forecast: Sequence[float], label: int) -> float:
    """Returns the spherical score of probabilities (K,), of which label `label` came true."""
    return forecast[label] / math.sqrt(add_in_order(chance * chance for chance in forecast))


RULES: dict[str, Callable[[Sequence[float], int], float]] = {"brier": brier, "spherical": spherical}
"""Scoring rules by name."""


def expected_score(rule: Callable[[Sequence[float], int], float], belief: Sequence[float]) -> float:
    """Returns what who says what they believe is paid on average, if they are right about it."""
    return add_in_order(chance * rule(belief, label) for label, chance in enumerate(belief))
