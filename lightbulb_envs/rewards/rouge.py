"""ROUGE-N, ROUGE-L and ROUGE-Lsum (Lin 2004), equal to `rouge-score` 0.1.2 bit for bit.

Words are integers: any numbering under which equal words have equal numbers gives the same
scores. A tracker is made for one reference. Its states are values: `extend` returns a new one and
leaves the old as it was, so a search may keep as many as it likes. Adding a sentence costs its
length, not the draft's.

What `rouge-score` does and the paper does not say, and is kept here:
- n-grams and subsequences run across sentence boundaries, except in ROUGE-Lsum;
- ROUGE-Lsum takes, for each pair of sentences, the one longest common subsequence that its
  backtracking finds, and counts no word more often than the draft or the reference holds it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

Words = Sequence[int]
State = TypeVar("State")


class Score(NamedTuple):
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float
    fmeasure: float


class RougeTracker(Protocol[State]):
    """One kind of ROUGE against one reference."""

    def start(self) -> State:
        """Returns the state of an empty draft."""

    def extend(self, state: State, words: Words) -> State:
        """Returns the state after one more sentence."""

    def score(self, state: State) -> Score:
        """Returns the score of the draft."""


def _score(matches: int, reference: int, candidate: int) -> Score:
    precision = matches / max(candidate, 1)
    recall = matches / max(reference, 1)
    if precision + recall > 0:
        return Score(precision, recall, 2 * precision * recall / (precision + recall))
    return Score(precision, recall, 0.0)


class RougeN:
    """ROUGE-N: n-grams in common, each as often as both hold it.

    A state holds how often each n-gram of the reference may still be matched, the matches, the
    draft's words, and its last n - 1 words.
    """

    def __init__(self, reference: Sequence[Words], n: int):
        words = [word for sentence in reference for word in sentence]
        grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        counts = Counter(grams)
        self._n = n
        self._total = len(grams)
        self._number = {gram: number for number, gram in enumerate(counts)}
        self._counts = list(counts.values())

    def start(self) -> tuple[list[int], int, int, tuple[int, ...]]:
        return self._counts, 0, 0, ()

    def extend(
        self, state: tuple[list[int], int, int, tuple[int, ...]], words: Words
    ) -> tuple[list[int], int, int, tuple[int, ...]]:
        left, matches, length, before = state
        left = left.copy()
        n, number = self._n, self._number
        run = (*before, *words)
        for end in range(n, len(run) + 1):
            gram = number.get(run[end - n : end])
            if gram is not None and left[gram] > 0:
                left[gram] -= 1
                matches += 1
        return left, matches, length + len(words), run[len(run) - n + 1 :] if n > 1 else ()

    def score(self, state: tuple[list[int], int, int, tuple[int, ...]]) -> Score:
        _, matches, length, _ = state
        return _score(matches, self._total, max(length - self._n + 1, 0))


def _positions(words: Words) -> dict[int, int]:
    """Returns for every word the bits of its places."""
    positions: dict[int, int] = {}
    for place, word in enumerate(words):
        positions[word] = positions.get(word, 0) | 1 << place
    return positions


class RougeL:
    """ROUGE-L: the longest common subsequence of the whole texts.

    Bit-parallel (Hyyrö 2004): bit i of the state's row is 0 where the length of the longest
    common subsequence with the first i + 1 words of the reference grows.
    """

    def __init__(self, reference: Sequence[Words]):
        words = [word for sentence in reference for word in sentence]
        self._length = len(words)
        self._ones = (1 << len(words)) - 1
        self._positions = _positions(words)

    def start(self) -> tuple[int, int]:
        return self._ones, 0

    def extend(self, state: tuple[int, int], words: Words) -> tuple[int, int]:
        row, length = state
        for word in words:
            match = self._positions.get(word, 0) & row
            row = ((row + match) | (row - match)) & self._ones
        return row, length + len(words)

    def score(self, state: tuple[int, int]) -> Score:
        row, length = state
        return _score(self._length - row.bit_count(), self._length, length)


class RougeLsum:
    """ROUGE-Lsum: for every reference sentence the union of its subsequences with the draft's.

    A state holds, for each reference sentence, the bits of its words that some sentence of the
    draft matched; how often the draft holds each word; and its length.
    """

    def __init__(self, reference: Sequence[Words]):
        self._sentences = [tuple(sentence) for sentence in reference]
        self._positions = [_positions(sentence) for sentence in self._sentences]
        self._length = sum(map(len, self._sentences))
        self._known = {word for sentence in self._sentences for word in sentence}

    def start(self) -> tuple[tuple[int, ...], dict[int, int], int]:
        return (0,) * len(self._sentences), {}, 0

    def extend(
        self, state: tuple[tuple[int, ...], dict[int, int], int], words: Words
    ) -> tuple[tuple[int, ...], dict[int, int], int]:
        union, counts, length = state
        counts = counts.copy()
        for word in words:
            if word in self._known:
                counts[word] = counts.get(word, 0) + 1
        matched = tuple(
            bits | _common_subsequence(sentence, positions, words)
            for bits, sentence, positions in zip(
                union, self._sentences, self._positions, strict=True
            )
        )
        return matched, counts, length + len(words)

    def score(self, state: tuple[tuple[int, ...], dict[int, int], int]) -> Score:
        union, counts, length = state
        wanted: Counter[int] = Counter()
        for bits, sentence in zip(union, self._sentences, strict=True):
            wanted.update(word for place, word in enumerate(sentence) if bits >> place & 1)
        matches = sum(min(count, counts.get(word, 0)) for word, count in wanted.items())
        return _score(matches, self._length, length)


def _common_subsequence(reference: Words, positions: dict[int, int], words: Words) -> int:
    """Returns the bits of the reference words in the subsequence that `rouge-score` finds.

    The table of lengths is kept as bit rows: after j words of the candidate, the length with the
    first i words of the reference is the number of zeros in the low i bits of row j.
    """
    ones = (1 << len(reference)) - 1
    row = ones
    rows = [row]
    for word in words:
        match = positions.get(word, 0) & row
        row = ((row + match) | (row - match)) & ones
        rows.append(row)
    found = 0
    i, j = len(reference), len(words)
    while i > 0 and j > 0:
        low = (1 << i) - 1
        if reference[i - 1] == words[j - 1]:
            found |= 1 << (i - 1)
            i -= 1
            j -= 1
        elif i - (rows[j - 1] & low).bit_count() > i - 1 - (rows[j] & (low >> 1)).bit_count():
            j -= 1
        else:
            i -= 1
    return found


def track(name: str, reference: Sequence[Words]) -> RougeTracker:  # type: ignore[type-arg]
    """Returns the tracker called rouge1 … rouge9, rougeL or rougeLsum."""
    if name == "rougeL":
        return RougeL(reference)
    if name == "rougeLsum":
        return RougeLsum(reference)
    if len(name) == 6 and name.startswith("rouge") and name[5] in "123456789":
        return RougeN(reference, int(name[5]))
    raise ValueError(f"no ROUGE is called {name!r}: use rouge1 to rouge9, rougeL or rougeLsum")


def rouge(name: str, reference: Sequence[Words], candidate: Sequence[Words]) -> Score:
    """Returns a ROUGE score of a whole draft; both texts are lists of sentences of word numbers."""
    tracker = track(name, reference)
    state = tracker.start()
    for sentence in candidate:
        state = tracker.extend(state, sentence)
    return tracker.score(state)
