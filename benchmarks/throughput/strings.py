"""`rouge.score`, strings in and scores out, against `rouge-score` and its Rust port."""

from typing import Any

import numpy as np

from benchmarks.throughput.race import Contestant, race, told
from benchmarks.throughput.workloads import NEWSROOM, WIDE, scorers, texts
from lightbulb_envs.rewards import rouge

KINDS = ("rouge1", "rouge2", "rougeL")
PAIRS = 300


def pairs_of(workload: str) -> list[tuple[str, str]]:
    """Returns drafts of one to three sentences and their references."""
    generator = np.random.default_rng(0)
    pairs = []
    for text in texts(workload, PAIRS):
        chosen = generator.permutation(len(text.sentences))[: generator.integers(1, 4)]
        pairs.append(("\n".join(text.sentences[one] for one in chosen), text.reference))
    return pairs


def race_strings(repeats: int) -> dict[str, Any]:
    """Returns the races, plain and stemmed; what has been met before is known to all."""
    results: dict[str, Any] = {}
    for workload in (*WIDE, NEWSROOM):
        pairs = pairs_of(workload)
        for use_stemmer in (False, True):
            title = f"strings{', stemmed' if use_stemmer else ''}; {workload}"
            peers = scorers(KINDS, use_stemmer=use_stemmer)
            costs = race(
                {
                    "ours": _ours(pairs, use_stemmer),
                    "rouge-score-rs": _theirs(pairs, peers["rouge-score-rs"]),
                    "rouge-score": _theirs(pairs[:30], peers["rouge-score"]),
                },
                repeats,
            )
            results[title] = told(title, costs, "ours")
    return results


def _ours(pairs: list[tuple[str, str]], use_stemmer: bool) -> Contestant:
    def run() -> int:
        for candidate, reference in pairs:
            rouge.score(candidate, reference, KINDS, use_stemmer=use_stemmer)
        return len(pairs)

    return run


def _theirs(pairs: list[tuple[str, str]], scorer: Any) -> Contestant:
    def run() -> int:
        for candidate, reference in pairs:
            scorer.score(reference, candidate)
        return len(pairs)

    return run
