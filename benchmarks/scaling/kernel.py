"""Incremental ROUGE: what a sentence costs against its words, and against the reference's.

Beside it the Rust port of `rouge-score`, called with the draft so far. A unit is one sentence that
is added to one draft, `ROWS` of which grow in a call.
"""

from collections.abc import Mapping, Sequence

from benchmarks.scaling.documents import documents
from benchmarks.scaling.series import TURN, Curves, race_sizes
from benchmarks.throughput.kernel import KINDS, PICKS, Episodes, ours, peer
from benchmarks.throughput.race import Contestant
from benchmarks.throughput.workloads import DOCUMENTS, Text, scorers

WORDS = (5, 10, 21, 42, 84)
REFERENCES = (10, 55, 128, 140, 300, 1000)
PEER = "rouge-score-rs"


def by_words(
    repeats: int, sizes: Sequence[int] = WORDS, seconds: float = TURN, count: int = DOCUMENTS
) -> Curves:
    """Returns what a sentence costs against its words; the reference is of 55 words."""
    told = {size: documents(count, words=size) for size in sizes}
    return race_sizes(_contestants("ROUGE-1+2+L", told), repeats, seconds)


def by_reference(
    repeats: int, sizes: Sequence[int] = REFERENCES, seconds: float = TURN, count: int = DOCUMENTS
) -> Curves:
    """Returns what a sentence of 21 words costs against the words of the reference."""
    told = {size: documents(count, reference=size) for size in sizes}
    contestants = {
        **_contestants("ROUGE-1+2+L", told),
        **_contestants("ROUGE-1+2+Lsum", told),
    }
    return race_sizes(contestants, repeats, seconds)


def _contestants(kind: str, told: Mapping[int, Sequence[Text]]) -> dict[str, dict[int, Contestant]]:
    """Returns ours and the peer for one kind of ROUGE, at every size."""
    parts = KINDS[kind]
    scorer = scorers(parts, use_stemmer=False)[PEER]
    episodes = {size: Episodes(texts, PICKS, by_word=False) for size, texts in told.items()}
    return {
        f"ours, {kind}": {size: ours(one, parts, by_word=False) for size, one in episodes.items()},
        f"{PEER}, {kind}": {size: peer(one, scorer, "\n", 1) for size, one in episodes.items()},
    }
