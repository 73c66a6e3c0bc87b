"""Episodes and facts as text for a terminal."""

from collections.abc import Mapping, Sequence

from lightbulb_envs.document import Document
from lightbulb_envs.summation import add_in_order


def render_summary(document: Document, draft: Sequence[int], scores: Mapping[str, float]) -> str:
    """Returns the article with its picks marked in order, their scores, and the reference."""
    place = {sentence: order for order, sentence in enumerate(draft, start=1)}
    lines = [f"{document.id}"]
    for number, sentence in enumerate(document.sentences):
        mark = f"[{place[number]}]" if number in place else "   "
        lines.append(f"{mark} {number:>2}  {sentence}")
    total = add_in_order(scores.values())
    parts = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
    lines.append(f"score {total:.3f}  ({parts})")
    lines.append("reference: " + " ".join(document.reference))
    return "\n".join(lines)


def fact_lines(document: Document) -> list[str]:
    """Returns one line a fact, and which sentences state it."""
    lines = []
    for number, fact in enumerate(document.facts):
        said = [place for place, claims in enumerate(document.claims) if number in claims]
        mark = "key" if fact.is_key else "   "
        note = f", superseded by {fact.superseded_by}" if fact.superseded_by is not None else ""
        lines.append(
            f"{number:>3} {mark} weight {fact.weight:4.2f}  {fact.subject} | {fact.predicate} | "
            f"{fact.object} | {fact.time}{note}  (sentences {', '.join(map(str, said)) or 'none'})"
        )
    return lines
