"""The words of reviews: opinions by strength, what is reviewed, and who else has an opinion.

In `[usual|usual||ood]` the part after `||` is for `ood`, which has words of its own beside the
usual ones.
"""

from dataclasses import dataclass

OPINIONS: dict[int, str] = {
    3: "superb wonderful outstanding brilliant magnificent excellent",
    2: "good pleasant lovely enjoyable charming delightful",
    1: "decent fine acceptable agreeable tolerable passable",
    -1: "bland plain forgettable dull unremarkable mediocre",
    -2: "bad poor disappointing unpleasant tiresome shabby",
    -3: "terrible awful dreadful horrible appalling disastrous",
}
"""Opinions by the shift that they cause."""
OOD_OPINIONS: dict[int, str] = {
    3: "sublime stunning",
    2: "likeable rewarding",
    1: "adequate reasonable",
    -1: "lukewarm drab",
    -2: "weak dismal",
    -3: "abysmal atrocious",
}

VERY = "[very|really|truly||very|thoroughly]"
RATHER = "[rather|somewhat|fairly||rather|mildly]"
WAS = "[was|seemed|proved||was|turned out]"
TURNS = (
    "that said,",
    "but in the end",
    "[all the same|then again|even so||all things considered|be that as it may],",
)
"""What comes before counts half."""
OTHERS = "[my brother|my neighbour|the brochure|a friend|the paper||my aunt|the guidebook]"
"""Somebody else, whose opinion is not the review's."""
IRONY = "[just what we needed|how lucky we were|thank you so much||what a treat, I must say]"
"""Marks an opinion that means its opposite."""


@dataclass(frozen=True)
class Subject:
    """What may be reviewed."""

    noun: str
    aspects: tuple[tuple[str, ...], ...]
    """Four, each by some nouns in the singular; the first one names it."""
    facts: tuple[str, ...]
    """Sentences that say nothing of its worth."""


SUBJECTS = (
    Subject(
        "restaurant",
        (
            ("the food", "the cooking", "the menu"),
            ("the service", "the welcome"),
            ("the dining room", "the decor"),
            ("the wine list", "the wine"),
        ),
        (
            "we [came|went] on a [Monday|Friday|Sunday||Tuesday].",
            "it has [ten|twenty|forty||thirty] tables.",
            "it lies near the [station|river|market||harbour].",
            "the menu changes every [week|month||season].",
            "a table is kept for [two|three||four] sittings.",
            "the kitchen closes at [nine|ten||eleven].",
        ),
    ),
    Subject(
        "hotel",
        (
            ("the bedroom", "the bed"),
            ("the breakfast", "the morning meal"),
            ("the reception", "the front desk"),
            ("the pool", "the garden"),
        ),
        (
            "we stayed for [two|three|four||five] nights.",
            "it has [six|eight|nine||seven] floors.",
            "it stands beside the [lake|park|church||bridge].",
            "breakfast is served from [six|seven||eight].",
            "our window faced the [street|yard|hill||sea].",
            "it belongs to a [family|bank|company||trust].",
        ),
    ),
    Subject(
        "film",
        (
            ("the story", "the plot"),
            ("the acting", "the cast"),
            ("the music", "the score"),
            ("the camera work", "the lighting"),
        ),
        (
            "it runs for [two|three||four] hours.",
            "it was shot in [winter|summer|autumn||spring].",
            "we saw it on a [Saturday|Thursday||Wednesday].",
            "it is set in a [village|port|factory||castle].",
            "it is told in [three|five||seven] parts.",
            "it follows a [teacher|sailor|doctor||baker].",
        ),
    ),
    Subject(
        "museum",
        (
            ("the collection", "the exhibition"),
            ("the tour", "the guide"),
            ("the building", "the hall"),
            ("the café", "the shop"),
        ),
        (
            "it opened [ten|twenty|forty||thirty] years ago.",
            "a ticket is for one [day|week||month].",
            "it stands opposite the [theatre|library|school||court].",
            "it has [three|five||four] floors.",
            "groups enter by the [north|south||east] door.",
            "it shows [maps|clocks|ships||coins].",
        ),
    ),
    Subject(
        "train line",
        (
            ("the seat", "the carriage"),
            ("the timetable", "the timing"),
            ("the staff", "the crew"),
            ("the dining car", "the catering"),
        ),
        (
            "we took it on a [Monday|Friday|Sunday||Tuesday].",
            "it has [six|eight|nine||seven] stops.",
            "it follows the [river|coast|valley||canal].",
            "it runs every [hour|day||morning].",
            "the journey takes [two|three||four] hours.",
            "it was built in the [spring|last century||war].",
        ),
    ),
)


def opinions(shift: int) -> str:
    """Returns the choice of words that cause a shift."""
    usual = "|".join(OPINIONS[shift].split())
    return f"[{usual}||{usual}|{'|'.join(OOD_OPINIONS[shift].split())}]"
