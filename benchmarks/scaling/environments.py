"""Whole environments: a step's cost against their number, and against an article's sentences.

Episodes are those of `benchmarks.throughput.environments`: four sentences, and the next document.
A unit is a step of one environment that picks; resets are in its price.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium

from benchmarks.scaling.documents import documents
from benchmarks.scaling.series import TURN, Curves, race_sizes
from benchmarks.throughput.environments import ENV_ID, POOL, batched, read
from benchmarks.throughput.race import Contestant
from benchmarks.throughput.workloads import as_files

COUNTS = (1, 4, 16, 64, 256, 1024, 4096)
SENTENCES = (8, 16, 32, 64, 120)
BATCH = 256


def by_count(
    repeats: int, sizes: Sequence[int] = COUNTS, seconds: float = TURN, pool: int = POOL
) -> Curves:
    """Returns a step's cost against the number of environments that step in one call."""
    ways: dict[str, dict[str, Any]] = {
        "fixed pool, copy=False": {"num_instances": pool, "copy": False},
        "fixed pool, copy=True": {"num_instances": pool, "copy": True},
        "fresh documents, copy=False": {"copy": False},
    }
    contestants = {
        name: {rows: batched(_make(rows, keywords)) for rows in sizes}
        for name, keywords in ways.items()
    }
    return race_sizes(contestants, repeats, seconds)


def _make(rows: int, keywords: dict[str, Any]) -> Any:
    """Returns environments that have met all of their pool, where they have one."""
    env = gymnasium.make_vec(ENV_ID, num_envs=rows, **keywords)
    return read(env) if "num_instances" in keywords else env


def by_sentences(
    repeats: int, sizes: Sequence[int] = SENTENCES, seconds: float = TURN, rows: int = BATCH
) -> Curves:
    """Returns a step's cost against the sentences of an article, all of which are observed.

    There are as many documents as environments, and no facts are known: rewards are ROUGE alone.
    """
    ways = {"copy=False": False, "copy=True": True}
    contestants: dict[str, dict[int, Contestant]] = {name: {} for name in ways}
    for size in sizes:
        with as_files(documents(rows, sentences=size)) as keywords:
            for name, copy in ways.items():
                env = gymnasium.make_vec(ENV_ID, num_envs=rows, copy=copy, **keywords)
                contestants[name][size] = batched(read(env))
    return race_sizes(contestants, repeats, seconds)
