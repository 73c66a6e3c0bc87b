"""The levels of the newsroom: named attributes, frozen by what the baselines score.

Ranges are inclusive. Chances are of an article, or of a fact where it says so.
"""

from dataclasses import asdict, dataclass

Range = tuple[int, int]


@dataclass(frozen=True)
class Level:
    """How an article is told, and how much of it may be picked."""

    lead_bias: float
    """Chance of an inverted pyramid: the key facts first, by weight."""
    late_key_facts: float
    """Chance of a key fact, in any other article, to wait for the second half."""
    facts: Range
    """Facts that follow from the main event."""
    redundancy: Range
    """Sentences that repeat a fact in other words."""
    quotes: Range
    background: Range
    distractors: int
    """Other stories in the same article."""
    distractor_facts: Range
    corrections: float
    """Chance that a number is first reported wrong and corrected later; of each of two numbers
    where there are several reports."""
    budget: int
    """Sentences that may be picked."""
    reports: int = 1
    """Reports of the main event. Several are told one after the other, in any order, and where
    they differ the later one is right."""

    @property
    def max_sentences(self) -> int:
        """Returns the most sentences that an article can have, `ood` included."""
        others = self.distractors * (1 + self.distractor_facts[1])
        correction = 1 if self.corrections > 0 and self.reports == 1 else 0
        told = self.reports * (1 + self.facts[1]) + correction
        colour = self.quotes[1] + self.background[1] + OOD_EXTRA
        return told + self.redundancy[1] + colour + others

    @property
    def most_mistakes(self) -> int:
        """Returns how many facts are first reported wrong, at most."""
        return 1 if self.reports == 1 else 2


OOD_EXTRA = 2
"""Articles of `ood` have one quote and one piece of background more."""

LEVELS: tuple[Level, ...] = (
    Level(
        lead_bias=1.0,
        late_key_facts=0.0,
        facts=(3, 4),
        redundancy=(0, 0),
        quotes=(1, 1),
        background=(1, 2),
        distractors=0,
        distractor_facts=(0, 0),
        corrections=0.0,
        budget=3,
    ),
    Level(
        lead_bias=0.95,
        late_key_facts=0.2,
        facts=(4, 5),
        redundancy=(1, 1),
        quotes=(1, 2),
        background=(1, 2),
        distractors=0,
        distractor_facts=(0, 0),
        corrections=0.0,
        budget=3,
    ),
    Level(
        lead_bias=0.4,
        late_key_facts=0.5,
        facts=(4, 6),
        redundancy=(1, 3),
        quotes=(1, 3),
        background=(2, 3),
        distractors=1,
        distractor_facts=(1, 2),
        corrections=0.25,
        budget=4,
    ),
    Level(
        lead_bias=0.2,
        late_key_facts=0.6,
        facts=(5, 7),
        redundancy=(2, 4),
        quotes=(2, 4),
        background=(2, 4),
        distractors=1,
        distractor_facts=(2, 3),
        corrections=0.5,
        budget=4,
    ),
    Level(
        lead_bias=0.1,
        late_key_facts=0.7,
        facts=(5, 7),
        redundancy=(3, 5),
        quotes=(3, 4),
        background=(3, 4),
        distractors=2,
        distractor_facts=(2, 3),
        corrections=0.8,
        budget=4,
    ),
    Level(
        lead_bias=0.1,
        late_key_facts=0.5,
        facts=(5, 7),
        redundancy=(0, 0),
        quotes=(2, 3),
        background=(2, 3),
        distractors=1,
        distractor_facts=(2, 3),
        corrections=0.7,
        budget=4,
        reports=3,
    ),
)


def level_attributes(level: int) -> Level:
    """Returns the attributes of a level; ValueError names the levels there are."""
    if level not in range(len(LEVELS)):
        raise ValueError(f"level must be one of 0 to {len(LEVELS) - 1}, got {level!r}")
    return LEVELS[level]


def level_table() -> list[dict[str, object]]:
    """Returns one row of named attributes a level."""
    return [{"level": number, **asdict(level)} for number, level in enumerate(LEVELS)]
