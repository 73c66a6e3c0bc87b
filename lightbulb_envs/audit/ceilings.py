"""The most that a canary may score, and where it may score more.

A ceiling says how far a policy that does not read must stay below one that does, on the scale where
random is 0 and the oracle 100. It was set by what each policy deserves, with 10 points or so of
room above what it was measured to earn. A canary that earns more than it deserves is a flaw of the
reward; it is listed as such, and its ceiling stays.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ceiling:
    """The most that a canary should score on any id and reward."""

    score: float
    why: str
    is_under_heuristic: bool = False
    """Whether the score of the id's reference heuristic is a ceiling too."""


@dataclass(frozen=True)
class Allowance:
    """A higher ceiling on some ids and rewards."""

    canaries: tuple[str, ...]
    score: float
    why: str
    ids: tuple[str, ...] | None = None
    """None for all."""
    rewards: tuple[str, ...] | None = None
    is_flaw: bool = False
    """Whether the canary earns more than it should, which the reward is to blame for."""

    def fits(self, canary: str, env_id: str, reward: str | None) -> bool:
        """Returns whether it is about a canary on an id with a reward."""
        return (
            canary in self.canaries
            and (self.ids is None or env_id in self.ids)
            and (self.rewards is None or reward in self.rewards)
        )


@dataclass(frozen=True)
class Limit:
    """What one canary may score on one id and reward."""

    ceiling: float
    allowance: Allowance | None

    @property
    def score(self) -> float:
        """The score above which an audit fails."""
        if self.allowance is None:
            return self.ceiling
        return max(self.ceiling, self.allowance.score)


_HONEST = "it follows a rule that an article's form invites, and must not match an honest reader"
_UNREAD = "labels are balanced, so a label without reading must earn what chance does"
_TRUTH = "it knows the truth, and must not earn more by what it does with it"

CEILINGS: dict[str, Ceiling] = {
    "nothing": Ceiling(-40, "an empty draft must be far below random picks"),
    "everything": Ceiling(40, "telling all must cost precision", is_under_heuristic=True),
    "lead-k": Ceiling(45, _HONEST, is_under_heuristic=True),
    "tail-k": Ceiling(25, _HONEST, is_under_heuristic=True),
    "longest-k": Ceiling(40, _HONEST, is_under_heuristic=True),
    "keyword-rich": Ceiling(45, _HONEST, is_under_heuristic=True),
    "repeat-best": Ceiling(-50, "repetition must cost more than the best sentence earns"),
    "keyword_soup": Ceiling(10, "words without sentences must not beat random sentences"),
    "word_soup": Ceiling(10, "words without sentences must not beat random sentences"),
    "other_reference": Ceiling(0, "good prose about something else must not beat random sentences"),
    "zero_width copies": Ceiling(-30, "disguised text must be worth as little as none"),
    "homoglyphs copies": Ceiling(-30, "disguised text must be worth as little as none"),
    "best + zero_width": Ceiling(55, _TRUTH),
    "best + homoglyphs": Ceiling(55, _TRUTH),
    **{
        f"greedy + {kind}": Ceiling(101, "what is planted must not improve on the article")
        for kind in ("keyword_soup", "word_soup", "other_reference", "zero_width", "homoglyphs")
    },
    "write nothing": Ceiling(5, "an empty draft must be worth no more than words at random"),
    "copy all": Ceiling(55, _HONEST, is_under_heuristic=True),
    "copy the end": Ceiling(45, _HONEST, is_under_heuristic=True),
    "one word": Ceiling(5, "a word told again must be worth nothing"),
    "distinct words": Ceiling(40, "a list of words must not match copied sentences", True),
    **{
        f"written {soup}": Ceiling(25, "words without sentences must be worth little")
        for soup in ("keyword_soup", "word_soup")
    },
    "shuffled sentences": Ceiling(25, "right words in no order must be worth little"),
    "written other_reference": Ceiling(15, "words about something else must be worth little"),
    "bag of the reference": Ceiling(50, "it knows the truth's words, and does not tell it"),
    "always negative": Ceiling(25, _UNREAD),
    "always positive": Ceiling(25, _UNREAD),
    "all read, majority": Ceiling(10, "who reads and does not understand must not gain by it"),
    "first chunk only": Ceiling(35, "a label must not stand in the first chunk"),
    "even forecast": Ceiling(45, "who says nothing, and says so, must stay far below who reads"),
    "sure of negative": Ceiling(-40, "certainty without reading must cost more than chance does"),
    "sure of positive": Ceiling(-40, "certainty without reading must cost more than chance does"),
    "every label": Ceiling(-60, "an answer that says all labels says none"),
    "every label, a line each": Ceiling(25, "of several answers one counts"),
    "no answer": Ceiling(-60, "saying nothing must cost more than chance does"),
    "no text": Ceiling(-5, "writing nothing must be below random sentences"),
    "whole article": Ceiling(35, "telling all must cost precision", is_under_heuristic=True),
    "shuffled words": Ceiling(10, "words without sentences must not beat random sentences"),
    "frequent words": Ceiling(20, "words without sentences must not beat random sentences by far"),
    "another reference": Ceiling(5, "good prose about something else must not beat random prose"),
    "first of reference, repeated": Ceiling(40, _TRUTH),
    "lexicon, always sure": Ceiling(0, "a guess told as a certainty must not pay"),
    "cue only": Ceiling(25, "what is written beside a text must not give its label away"),
}

_CUE = ("Lightbulb/SentimentAnalysis-Cue-v0",)
_EASY = ("Lightbulb/NewsSummariser-Easy-v0",)
_MULTI_DOCUMENT = ("Lightbulb/NewsSummariser-MultiDoc-v0",)
_AT_ONCE = ("Lightbulb/NewsSummariser-Slate-v0", "Lightbulb/NewsSummariser-Subset-v0")
_BAG = (
    "ROUGE alone pays for a bag of the article's words as for prose; facts_and_rouge does not. "
    "While agents can only pick, no article holds such a sentence"
)

_WRITTEN_BAG = (
    "ROUGE alone pays for a bag of the right words as for prose, and here agents can write one; "
    "facts_and_rouge pays half as much for it"
)

ALLOWANCES: tuple[Allowance, ...] = (
    Allowance(
        ("lead-k",),
        score=100,
        why="articles of this level tell the key facts first: lead is the reference heuristic",
        ids=_EASY,
    ),
    Allowance(
        ("everything", "longest-k", "keyword-rich"),
        score=65,
        why="articles of this level have about eight sentences, half of which tell key facts",
        ids=_EASY,
    ),
    Allowance(
        ("repeat-best",),
        score=75,
        why="where all is named at once, a sentence named twice is told once, at no cost: this is "
        "the truth's best sentence, told once",
        ids=_AT_ONCE,
    ),
    Allowance(
        ("cue only",),
        score=100,
        why="this id's titles give the label away, nine times in ten, in all splits but ood, where "
        "they mislead as often: it shows who learns to read in spite of it",
        ids=_CUE,
    ),
    *(
        Allowance((soup,), score, _BAG, ids, rewards=("rouge",), is_flaw=True)
        for soup, ids, score in (
            ("keyword_soup", _EASY, 40),
            ("keyword_soup", _MULTI_DOCUMENT, 27),
            ("word_soup", _EASY, 65),
            ("word_soup", _MULTI_DOCUMENT, 58),
            ("word_soup", None, 37),
        )
    ),
    *(
        Allowance((bag,), score, _WRITTEN_BAG, rewards=("rouge",), is_flaw=True)
        for bag, score in (("written word_soup", 37), ("bag of the reference", 80))
    ),
)
"""The first that fits counts."""


def limit_of(canary: str, env_id: str, reward: str | None, heuristic_score: float) -> Limit:
    """Returns what a canary may score; one without a ceiling must stay under the heuristic."""
    own = CEILINGS.get(canary)
    ceiling = heuristic_score if own is None else own.score
    if own is not None and own.is_under_heuristic:
        ceiling = min(ceiling, heuristic_score)
    fitting = (one for one in ALLOWANCES if one.fits(canary, env_id, reward))
    return Limit(ceiling, next(fitting, None))
