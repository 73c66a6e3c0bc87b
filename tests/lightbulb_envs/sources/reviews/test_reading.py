"""The best reading earns what it promises, and a signed title is worth what it is right by."""

import numpy as np
import pytest

from lightbulb_envs.sources.reviews.levels import LEVELS
from lightbulb_envs.sources.reviews.reading import best_reading
from lightbulb_envs.sources.reviews.source import ReviewSource

COUNT = 4000
COST = 0.05


def earned(best, label):
    """Returns what following the best way to read returns, and how many chunks it reads."""
    read = (best.action > 0).argmax(axis=1)
    answer = best.action[np.arange(len(label)), read] - 1
    return np.where(answer == label, 1.0, -1.0) - COST * read, read


@pytest.mark.parametrize("split", ["validation", "ood"])
@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_the_best_reading_earns_on_average_what_it_promises(level, split):
    source = ReviewSource(level, split)
    instances = np.arange(COUNT)
    best = best_reading(source, instances, COST, -1.0)
    batch = source.batch(instances)
    returns, read = earned(best, batch.label)
    gap = returns - best.value[:, 0]
    assert abs(gap.mean()) < 5 * gap.std() / np.sqrt(COUNT)
    read_all = 1.0 - COST * batch.num_chunks.mean()
    assert best.value[:, 0].mean() > read_all
    assert (read <= batch.num_chunks).all()


def test_beliefs_are_how_often_labels_are_right():
    source = ReviewSource(2, "train")
    best = best_reading(source, np.arange(COUNT), COST, -1.0)
    label = source.batch(np.arange(COUNT)).label
    told = best.belief[:, 3, 1]
    for low in np.arange(0, 1, 0.2):
        own = (told >= low) & (told < low + 0.2)
        if own.sum() > 200:
            error = abs(label[own].mean() - told[own].mean())
            assert error < 5 * 0.5 / np.sqrt(own.sum())


def test_with_all_read_nothing_is_left_to_doubt():
    source = ReviewSource(3, "train")
    batch = source.batch(np.arange(200))
    best = best_reading(source, np.arange(200), COST, -1.0)
    rows = np.arange(200)
    assert (best.belief[rows, batch.num_chunks, batch.label] == 1.0).all()


def test_a_signature_is_believed_as_often_as_it_is_right():
    for split, wanted in (("train", 0.9), ("ood", 0.1)):
        source = ReviewSource(5, split)
        best = best_reading(source, np.arange(100), COST, -1.0)
        signature = source.opinions(np.arange(100)).signature
        believed = best.belief[np.arange(100), 0, signature - 1]
        assert np.allclose(believed, wanted)


def test_dear_chunks_are_not_read():
    source = ReviewSource(2, "train")
    best = best_reading(source, np.arange(100), 3.0, -1.0)
    assert (best.action[:, 0] > 0).all()
    assert np.allclose(best.value[:, 0], 0.0)
