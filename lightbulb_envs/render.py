"""Episodes and facts as text for a terminal, and what a draft claims, in words."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lightbulb_envs.document import Document, Fact
from lightbulb_envs.rewards.facts import fact_score
from lightbulb_envs.rewards.rouge import Score
from lightbulb_envs.summation import add_in_order

_SPACES = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COVERS, REPEATED, SUPERSEDED, NOT_KEY = "covers", "repeated", "superseded", "not key"
CLAIM_KINDS = (COVERS, SUPERSEDED, REPEATED, NOT_KEY)
"""What a claim does: it covers a key fact, or states a fact that was corrected, or one that the
draft has told before, or one that the reference does not tell."""


def printable(text: str) -> str:
    """Returns a text on one line, with a mark for every character that would command a terminal.

    Real text may hold escape sequences, marks that turn the direction of all that follows, or
    halves of surrogate pairs, which cannot be written at all.
    """
    return _COMMANDS.sub("\ufffd", _SPACES.sub(" ", text))


def render_summary(document: Document, draft: Sequence[int], scores: Mapping[str, float]) -> str:
    """Returns the article with its picks marked in order, their scores, and the reference."""
    place = {sentence: order for order, sentence in enumerate(draft, start=1)}
    lines = [printable(document.id)]
    for number, sentence in enumerate(document.sentences):
        mark = f"[{place[number]}]" if number in place else "   "
        lines.append(f"{mark} {number:>2}  {printable(sentence)}")
    total = add_in_order(scores.values())
    parts = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
    lines.append(f"score {total:.3f}  ({parts})")
    lines.append("reference: " + printable(" ".join(document.reference)))
    return "\n".join(lines)


def fact_lines(document: Document) -> list[str]:
    """Returns one line a fact, and which sentences state it."""
    lines = []
    for number, fact in enumerate(document.facts):
        said = stating(document, number)
        mark = "key" if fact.is_key else "   "
        note = f", superseded by {fact.superseded_by}" if fact.superseded_by is not None else ""
        lines.append(
            f"{number:>3} {mark} weight {fact.weight:4.2f}  {fact.subject} | {fact.predicate} | "
            f"{fact.object} | {fact.time}{note}  (sentences {', '.join(map(str, said)) or 'none'})"
        )
    return lines


def stating(document: Document, fact: int) -> list[int]:
    """Returns the sentences that state a fact."""
    return [sentence for sentence, claims in enumerate(document.claims) if fact in claims]


def fact_text(fact: Fact) -> str:
    """Returns a fact in a few words, such as "the fire: killed, three people"."""
    return f"{fact.subject}: {fact.predicate.replace('_', ' ')}, {fact.object}"


class Claim(NamedTuple):
    """A fact that a sentence of a draft states, and what that does: one of CLAIM_KINDS."""

    fact: int
    sentence: int
    kind: str


def claims_of(document: Document, draft: Sequence[int]) -> list[Claim]:
    """Returns what a draft claims, in order; nothing where facts are unknown."""
    told: set[int] = set()
    claims = []
    for sentence in draft:
        for number in document.claims[sentence] if document.claims else ():
            fact = document.facts[number]
            if fact.superseded_by is not None:
                kind = SUPERSEDED
            elif number in told:
                kind = REPEATED
            else:
                kind = COVERS if fact.is_key else NOT_KEY
            told.add(number)
            claims.append(Claim(number, sentence, kind))
    return claims


def correction_text(document: Document, fact: Fact) -> str:
    """Returns what stands instead of a superseded fact, and which sentences say so."""
    assert fact.superseded_by is not None
    said = ", ".join(map(str, stating(document, fact.superseded_by)))
    stands = document.facts[fact.superseded_by].object
    return f"the article's latest word is {stands} (sentence {said})"


def claims_score(document: Document, claims: Sequence[Claim]) -> Score:
    """Returns fact precision, recall and F1 of claims."""
    weight = [fact.weight for fact in document.facts]
    is_key = [fact.is_key for fact in document.facts]
    return fact_score(weight, is_key, [[claim.fact for claim in claims]])


def cost_text(document: Document, draft: Sequence[int], weights: Mapping[str, float]) -> str:
    """Returns what the claims that cover nothing cost, in words; "" without such claims.

    Facts alone are looked at: a sentence with such a claim may still earn ROUGE.

    Args:
        weights: of the reward's parts, by name.
    """
    claims = claims_of(document, draft)
    useful = [claim for claim in claims if claim.kind == COVERS]
    idle = [claim for claim in claims if claim.kind != COVERS]
    if not idle:
        return ""
    claimed, wasted = (
        add_in_order(document.facts[claim.fact].weight for claim in some) for some in (claims, idle)
    )
    opening = f"The draft claims facts of weight {claimed:.2f}, and "
    if not useful:
        return opening + "none of it covers a key fact: fact precision, recall and F1 are 0."
    score, without = claims_score(document, claims), claims_score(document, useful)
    text = (
        f"{opening}{wasted:.2f} of it covers no key fact. Without those claims fact precision "
        f"would be {without.precision:.2f} instead of {score.precision:.2f}, and fact F1 "
        f"{without.fmeasure:.2f} instead of {score.fmeasure:.2f}"
    )
    cost = weights.get("fact_precision", 0.0) * (without.precision - score.precision)
    cost += weights.get("fact_f1", 0.0) * (without.fmeasure - score.fmeasure)
    if cost == 0.0:
        return text + "; no part of this reward counts that, so it costs nothing."
    return text + f": as far as facts go, they cost {cost:.3f} of the return."


def account_lines(
    document: Document, draft: Sequence[int], weights: Mapping[str, float]
) -> list[str]:
    """Returns the key facts that a draft covers and misses, and its other claims with their cost.

    Empty where facts are unknown.
    """
    if not document.facts:
        return []
    claims = claims_of(document, draft)
    covering = {claim.fact: claim.sentence for claim in claims if claim.kind == COVERS}
    keys = [number for number, fact in enumerate(document.facts) if fact.is_key]
    lines = [f"key facts covered: {len(covering)} of {len(keys)}"]
    for number in keys:
        where = f"covered by {covering[number]}" if number in covering else "missed"
        fact = document.facts[number]
        lines.append(f"  {where:<16} {fact.weight:4.2f}  {fact_text(fact)}")
    for claim in claims:
        if claim.kind != COVERS:
            fact = document.facts[claim.fact]
            wrong = claim.kind == SUPERSEDED
            note = f": {correction_text(document, fact)}" if wrong else ""
            where = f"{claim.kind} in {claim.sentence}"
            lines.append(f"  {where:<16} {fact.weight:4.2f}  {fact_text(fact)}{note}")
    cost = cost_text(document, draft, weights)
    return [*lines, cost] if cost else lines
