"""Metrics of many labelled texts: accuracy, macro-F1, calibration error, the share that was read.

`info["metrics"]` has those of an episode; this sums up those of many.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10


def macro_f1(labels: ArrayLike, answers: ArrayLike) -> float:
    """Returns the mean F1 of all labels that are there or were answered, each counted alike.

    Args:
        labels: (N,) integers, the truth.
        answers: (N,) integers.
    """
    truth, told = _same_shape(labels, answers)
    scores = []
    for label in np.union1d(truth, told):
        both = float(((truth == label) & (told == label)).sum())
        scores.append(2 * both / float((truth == label).sum() + (told == label).sum()))
    return float(np.mean(scores))


def calibration_error(confidences: ArrayLike, are_right: ArrayLike, bins: int = BINS) -> float:
    """Returns the expected calibration error: how far confidence is from accuracy, on average.

    Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks", equation 5,
    with bins of equal width.

    Args:
        confidences: (N,) from 0 to 1, the probability that was given to the answer.
        are_right: (N,) whether the answer was right.
        bins: how many bins.
    """
    confidence, right = _same_shape(confidences, are_right)
    if not (confidence.min() >= 0 and confidence.max() <= 1):
        raise ValueError(
            f"confidences are probabilities, in [0, 1], got {confidence.min():g} to "
            f"{confidence.max():g}"
        )
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def summed_up(episodes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Returns the metrics of many episodes from those of each, as `info["metrics"]` has them.

    "accuracy" and other measurements are means; "macro_f1" is there where episodes have a label
    and an answer, and "calibration_error" where they have a confidence.
    """
    if not episodes:
        return {}
    columns = {name: np.array([one[name] for one in episodes]) for name in episodes[0]}
    found = {}
    if {"label", "answer"} <= columns.keys():
        found["macro_f1"] = macro_f1(columns["label"], columns["answer"])
    if {"confidence", "accuracy"} <= columns.keys():
        found["calibration_error"] = calibration_error(columns["confidence"], columns["accuracy"])
    means = {
        name: float(column.mean())
        for name, column in columns.items()
        if name not in ("label", "answer")
    }
    return {**means, **found}


def _same_shape(
    one: ArrayLike, other: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    left, right = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if left.ndim != 1 or left.shape != right.shape or not len(left):
        raise ValueError(
            "metrics need two lists of one length, with one entry a text and at least one, got "
            f"shapes {left.shape} and {right.shape}"
        )
    return left, right
