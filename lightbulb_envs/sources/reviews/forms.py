"""How an operation is worded: the forms that an opinion takes, by what they are worth.

The value of every form is written down here, and is what the label is computed from: a word as it
stands, a degree ("very good" is worth 3, "rather good" 1), negation ("not superb" is worth -1,
"not even decent" -3, "anything but bad" 2), comparison, irony (an opinion with a marker is worth
its opposite), and an opinion of somebody else, which is worth nothing.
"""

from lightbulb_envs.sources.reviews.lexicon import IRONY, OTHERS, RATHER, VERY, WAS, opinions

SHIFTS = (-3, -2, -1, 1, 2, 3)
MENTIONS = {"it": 1, "noun": 1, "name": 1, "first": 1, "last": 1, "cue": 1}
"""Mentions in templates and how many slots each fills. `{it}` is what an opinion is about."""


def plain(shift: int) -> tuple[str, ...]:
    """Returns an opinion in words of the lexicon."""
    word = opinions(shift)
    return (f"{{it}} {WAS} {word}.", f"[I|we] found {{it}} {word}.")


def degree(shift: int) -> tuple[str, ...]:
    """Returns an opinion that is made stronger or weaker; plain where there is no such one."""
    good = 1 if shift > 0 else -1
    if abs(shift) == 3:
        return (f"{{it}} {WAS} {VERY} {opinions(2 * good)}.",)
    if abs(shift) == 1:
        return (f"{{it}} {WAS} {RATHER} {opinions(2 * good)}.",)
    return plain(shift)


def negated(shift: int) -> tuple[str, ...]:
    """Returns an opinion by negation or comparison."""
    if shift == -1:
        return (f"{{it}} was [not|hardly||by no means] {opinions(3)}.",)
    if shift == -2:
        return (
            f"{{it}} was [not|never||in no way] {opinions(2)}.",
            "{it} was worse than [I had hoped|last time||the first time].",
        )
    if shift == -3:
        return (
            f"{{it}} was not even {opinions(1)}.",
            "{it} was far worse than [I had hoped|last time||the first time].",
        )
    if shift == 1:
        return (f"{{it}} was [not|hardly||by no means] {opinions(-3)}.",)
    if shift == 2:
        return (
            f"{{it}} was anything but {opinions(-2)}.",
            "{it} was better than [I had feared|last time||the first time].",
        )
    return (
        f"{{it}} was anything but {opinions(-3)}.",
        "{it} was far better than [I had feared|last time||the first time].",
    )


def ironic(shift: int) -> tuple[str, ...]:
    """Returns a bad opinion by its opposite and a marker; a good one plainly."""
    if shift > 0:
        return plain(shift)
    return (f"{{it}} {WAS} {opinions(-shift)}, {IRONY}.",)


def quoted(shift: int) -> tuple[str, ...]:
    """Returns somebody else's opinion; it is worth nothing, whatever it says."""
    return (
        f"{OTHERS} [called|found||judged] {{it}} {opinions(shift)}.",
        f"“{{it}} is {opinions(shift)},” said {OTHERS}.",
    )


FORMS = (plain, degree, negated, ironic, quoted)
PLAIN, DEGREE, NEGATED, IRONIC, QUOTED = range(len(FORMS))
