"""Episodes as text for a terminal."""

from collections.abc import Mapping, Sequence

from lightbulb_envs.document import Document


def render_summary(document: Document, draft: Sequence[int], scores: Mapping[str, float]) -> str:
    """Returns the article with its picks marked in order, their scores, and the reference."""
    place = {sentence: order for order, sentence in enumerate(draft, start=1)}
    lines = [f"{document.id}"]
    for number, sentence in enumerate(document.sentences):
        mark = f"[{place[number]}]" if number in place else "   "
        lines.append(f"{mark} {number:>2}  {sentence}")
    total = sum(scores.values())
    parts = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
    lines.append(f"score {total:.3f}  ({parts})")
    lines.append("reference: " + " ".join(document.reference))
    return "\n".join(lines)
