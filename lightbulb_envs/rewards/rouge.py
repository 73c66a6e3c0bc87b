"""ROUGE-N, ROUGE-L and ROUGE-Lsum (Lin 2004), equal to `rouge-score` 0.1.2 bit for bit.

`score` and `score_many` compare strings. The rest is what rewards are made of. There words are
integers: any numbering under which equal words have equal numbers gives the same scores. A tracker
is made for one reference. Its states are values: `extend` returns a new one and leaves the old as
it was, so a search may keep as many as it likes. Adding a sentence costs its length, not the
draft's.

What `rouge-score` does and the paper does not say, and is kept here:
- n-grams and subsequences run across sentence boundaries, except in ROUGE-Lsum;
- ROUGE-Lsum takes, for each pair of sentences, the one longest common subsequence that its
  backtracking finds, and counts no word more often than the draft or the reference holds it.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from lightbulb_envs.kernel import native
from lightbulb_envs.words import WordNumbers, split_words, stem

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
        return left, matches, length + len(words), run[max(len(run) - n + 1, 0) :]

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


DEFAULT_KINDS = ("rouge1", "rouge2", "rougeL")


def score(
    candidate: str,
    reference: str,
    kinds: Sequence[str] = DEFAULT_KINDS,
    *,
    use_stemmer: bool = False,
) -> dict[str, Score]:
    """Returns the scores of a text against its reference by kind, as `rouge-score` has them.

    >>> score("A bridge was opened.", "The bridge was opened on Monday.", ["rouge1"])["rouge1"]
    Score(precision=0.75, recall=0.5, fmeasure=0.6)

    Args:
        candidate: the text that is rated.
        reference: the text that it should be like.
        kinds: any of rouge1 to rouge9, rougeL and rougeLsum, whose sentences are lines.
        use_stemmer: whether Porter stems are compared in place of words (needs nltk).

    Raises:
        TypeError: a text that is no string.
        ValueError: an unknown kind.
    """
    names, codes = _codes(tuple(kinds))
    if type(candidate) is not str or type(reference) is not str:
        _check_texts(candidate, reference)
    scorer = _scorer()
    if scorer is None:
        return _score_plainly(candidate, reference, names, use_stemmer)
    scores = scorer.score(candidate, reference, names, codes, bool(use_stemmer), False)
    while type(scores) is set:  # words whose stems it has yet to learn
        scorer.learn({word: stem(word) for word in scores})
        scores = scorer.score(candidate, reference, names, codes, True, True)
    result: dict[str, Score] = scores
    return result


def score_many(
    candidates: Iterable[str],
    references: Iterable[str],
    kinds: Sequence[str] = DEFAULT_KINDS,
    *,
    use_stemmer: bool = False,
) -> list[dict[str, Score]]:
    """Returns what `score` does for each candidate and its own reference.

    Raises:
        ValueError: more of the ones than of the others.
    """
    pairs = zip(candidates, references, strict=True)
    return [score(one, other, kinds, use_stemmer=use_stemmer) for one, other in pairs]


def _check_texts(candidate: object, reference: object) -> None:
    for name, text in (("candidate", candidate), ("reference", reference)):
        if not isinstance(text, str):
            raise TypeError(f"{name} must be a string, got {text!r:.80}")


@functools.lru_cache
def _codes(kinds: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Returns kinds, and as the kernel knows them: n, 0 for ROUGE-L, -1 for ROUGE-Lsum."""
    if not kinds:
        raise ValueError("kinds names nothing: use rouge1 to rouge9, rougeL or rougeLsum")
    for kind in kinds:
        track(kind, ())
    other = {"rougeL": 0, "rougeLsum": -1}
    return kinds, tuple(other[kind] if kind in other else int(kind[5:]) for kind in kinds)


@functools.cache
def _scorer() -> Any:
    """Returns what scores texts in C, or None; which of them is settled at the first score."""
    module = native()
    return None if module is None else module.Scorer(Score)


def _score_plainly(
    candidate: str, reference: str, kinds: Sequence[str], use_stemmer: bool
) -> dict[str, Score]:
    """Returns what `score` does, in Python: the specification."""
    number = WordNumbers()

    def lines(text: str) -> list[list[int]]:
        words = [split_words(line) for line in text.split("\n")]
        return [[number(stem(word) if use_stemmer else word) for word in line] for line in words]

    told, tried = lines(reference), lines(candidate)
    return {kind: rouge(kind, told, tried) for kind in kinds}
