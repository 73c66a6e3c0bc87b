"""How close a draft's length is to the reference's."""


def length_score(reference: int, candidate: int) -> float:
    """Returns the shorter length over the longer, in words: 1 when equal, 0 for an empty draft."""
    longest = max(reference, candidate)
    return min(reference, candidate) / longest if longest > 0 else 0.0
