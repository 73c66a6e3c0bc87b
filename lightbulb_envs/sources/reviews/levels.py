"""The levels of reviews: named attributes.

Ranges are inclusive. Chances are of a chunk where nothing else is said.
"""

from dataclasses import asdict, dataclass

Range = tuple[int, int]


@dataclass(frozen=True)
class ReviewLevel:
    """How a review is told."""

    chunks: Range
    degrees: float = 0.0
    """Chance of an opinion to be told by a degree, such as "very good"."""
    negations: float = 0.0
    """Chance of an opinion to be told by negation or comparison."""
    turns: int = 0
    """How often a chunk is a turn of each of four strengths, after which what came before counts
    half; opinions without a turn have weights of 12 in all."""
    silence: int = 3
    """How often a chunk says nothing that counts, beside those 12."""
    others: float = 0.0
    """Chance of a chunk that says nothing that counts to be about another aspect than the one
    that the title asks for; with 0 the title asks for none, and all aspects count."""
    quotes: float = 0.0
    """Chance of a chunk that says nothing that counts to be somebody else's opinion."""
    irony: float = 0.0
    """Chance of an opinion to be told by its opposite and a marker."""
    cue: float = 0.5
    """Chance of the title's signature to agree with the label; in `ood`, to disagree with it. A
    half is no cue."""

    @property
    def most_chunks(self) -> int:
        """Returns the most chunks that a review can have, `ood` included."""
        return self.chunks[1] + OOD_EXTRA


OOD_EXTRA = 1
"""Reviews of `ood` have up to one chunk more."""

LEVELS = (
    ReviewLevel(chunks=(5, 8)),
    ReviewLevel(chunks=(6, 9), degrees=0.2, negations=0.4),
    ReviewLevel(chunks=(6, 10), degrees=0.2, negations=0.4, turns=1),
    ReviewLevel(chunks=(7, 11), degrees=0.2, negations=0.4, turns=1, silence=8, others=0.7),
    ReviewLevel(
        chunks=(8, 12),
        degrees=0.2,
        negations=0.4,
        turns=1,
        silence=10,
        others=0.4,
        quotes=0.4,
        irony=0.2,
    ),
    ReviewLevel(chunks=(6, 10), degrees=0.2, negations=0.4, turns=1, cue=0.9),
)


def review_level(level: int) -> ReviewLevel:
    """Returns the attributes of a level; ValueError names the levels there are."""
    if level not in range(len(LEVELS)):
        raise ValueError(f"level must be one of 0 to {len(LEVELS) - 1}, got {level!r}")
    return LEVELS[level]


def review_level_table() -> list[dict[str, object]]:
    """Returns one row of named attributes a level."""
    return [{"level": number, **asdict(level)} for number, level in enumerate(LEVELS)]
