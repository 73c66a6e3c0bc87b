"""Incremental ROUGE against `rouge-score` and its Rust port called at every step."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.throughput.race import Contestant, race, told
from benchmarks.throughput.workloads import DOCUMENTS, NEWSROOM, WIDE, Text, scorers, texts
from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.kernel import kernel_info
from lightbulb_envs.ragged import Ragged, pad
from lightbulb_envs.rewards.compiled import compiled_reward
from lightbulb_envs.words import WordNumbers, split_words, stem

ROWS = 64
PICKS = 3
KINDS: dict[str, tuple[str, ...]] = {
    "ROUGE-1+2+L": ("rouge1", "rouge2", "rougeL"),
    "ROUGE-1+2+Lsum": ("rouge1", "rouge2", "rougeLsum"),
    "ROUGE-1+2+L, stemmed": ("rouge1_stem", "rouge2_stem", "rougeL_stem"),
}


def as_batch(documents: Sequence[Text], number: WordNumbers) -> DocumentBatch:
    """Returns texts as arrays."""
    articles = [[_numbers(one, number) for one in text.sentences] for text in documents]
    references = [
        [_numbers(line, number) for line in text.reference.split("\n")] for text in documents
    ]
    count = len(documents)
    height = max(map(len, articles))
    return DocumentBatch(
        instance=np.arange(count),
        num_sentences=np.array([len(article) for article in articles]),
        tokens=np.zeros((count, height, 0), dtype=np.int32),
        words=_padded(articles, height),
        reference_words=_padded(references, max(map(len, references))),
        claims=np.zeros((count, height, 0), dtype=np.int32),
        fact_weight=np.zeros((count, 0)),
        fact_is_key=np.zeros((count, 0), dtype=bool),
    )


def _numbers(text: str, number: WordNumbers) -> list[int]:
    return [number(word) for word in split_words(text)]


def _padded(texts_: Sequence[Sequence[Sequence[int]]], height: int) -> Any:
    rows = [row for text in texts_ for row in (*text, *[()] * (height - len(text)))]
    values, owner = Ragged.of(rows).take(np.arange(len(rows)))
    return pad(values, owner, len(rows), None, -1).reshape(len(texts_), height, -1)


class Episodes:
    """The same episodes for all: documents and picks, batch after batch."""

    def __init__(self, documents: Sequence[Text], picks: int, *, by_word: bool):
        generator = np.random.default_rng(0)
        self.documents = documents
        self.units = [_units(text, by_word=by_word) for text in documents]
        self.chosen = [generator.integers(0, len(documents), ROWS) for _ in range(8)]
        self.picks = [
            np.array([_draw(generator, len(self.units[one]), picks, by_word) for one in chosen])
            for chosen in self.chosen
        ]  # (ROWS, picks) each


def _units(text: Text, *, by_word: bool) -> list[str]:
    return (
        [word for one in text.sentences for word in split_words(one)]
        if by_word
        else list(text.sentences)
    )


def _draw(generator: np.random.Generator, count: int, picks: int, by_word: bool) -> Any:
    """Returns sentences in any order, or a run of words."""
    if by_word:
        return generator.integers(0, count - picks) + np.arange(picks)
    return generator.permutation(count)[:picks]


def ours(episodes: Episodes, parts: Sequence[str], *, by_word: bool) -> Contestant:
    """Returns the kernel, which extends all drafts in one call; an episode starts with a load."""
    reward = compiled_reward({part: 1 / len(parts) for part in parts})
    if reward is None:
        raise SystemExit(f"the benchmark is of the C kernel: {kernel_info()}")
    number = WordNumbers()
    batch = as_batch(episodes.documents, number)
    documents = reward.documents(batch, _stemmer(number.words()))
    drafts = reward.batch(ROWS)
    scores = np.empty((ROWS, len(parts)))
    batches = [
        ([documents[one] for one in chosen], list(_added(episodes, chosen, picks, number, by_word)))
        for chosen, picks in zip(episodes.chosen, episodes.picks, strict=True)
    ]
    extend = drafts.extend_words if by_word else drafts.extend

    def run() -> int:
        for loaded, steps in batches:
            drafts.load(loaded)
            for added in steps:
                extend(added, scores)
        return len(batches) * ROWS * len(batches[0][1])

    return run


def _added(
    episodes: Episodes, chosen: Any, picks: Any, number: WordNumbers, by_word: bool
) -> Iterator[Any]:
    """Yields what every step adds: numbers of sentences, or of words and their stems."""
    for step in np.ascontiguousarray(picks.T, dtype=np.int64):
        if not by_word:
            yield step
            continue
        words = [episodes.units[one][pick] for one, pick in zip(chosen, step, strict=True)]
        yield np.array([[number(word), -1] for word in words], dtype=np.int32)


def _stemmer(words: Sequence[str]) -> Callable[[Any], Any]:
    numbers = WordNumbers()
    table = np.array([numbers(stem(word)) for word in words] + [-1], dtype=np.int32)
    return lambda array: table[array]  # the last entry is that of padding, -1


def peer(episodes: Episodes, scorer: Any, joint: str, batches: int, rows: int = ROWS) -> Contestant:
    """Returns a scorer of strings that is called with the draft so far at every step."""

    def run() -> int:
        steps = 0
        for chosen, picks in zip(episodes.chosen[:batches], episodes.picks, strict=False):
            for document, own in zip(chosen[:rows].tolist(), picks.tolist(), strict=False):
                reference, units = episodes.documents[document].reference, episodes.units[document]
                draft: list[str] = []
                for unit in own:
                    draft.append(units[unit])
                    scorer.score(reference, joint.join(draft))
                    steps += 1
        return steps

    return run


def race_kernels(repeats: int) -> dict[str, Any]:
    """Returns the races of every workload and kind of ROUGE, sentence by sentence and by word."""
    results: dict[str, Any] = {}
    for workload in (*WIDE, NEWSROOM):
        documents = texts(workload, DOCUMENTS)
        for title, parts in KINDS.items():
            results[f"{title}; {workload}"] = _race(title, workload, documents, parts, repeats)
    for workload in WIDE:
        title, documents = "ROUGE-1+2+L, word by word", texts(workload, DOCUMENTS)
        parts = KINDS["ROUGE-1+2+L"]
        results[f"{title}; {workload}"] = _race(title, workload, documents, parts, repeats, 40)
    return results


def _race(
    title: str,
    workload: str,
    documents: Sequence[Text],
    parts: Sequence[str],
    repeats: int,
    words: int = 0,
) -> dict[str, Any]:
    episodes = Episodes(documents, words or PICKS, by_word=bool(words))
    kinds = [part.removesuffix("_stem") for part in parts]
    peers = scorers(kinds, use_stemmer=parts[0].endswith("_stem"))
    joint = " " if words else "\n"
    costs = race(
        {
            "ours": ours(episodes, parts, by_word=bool(words)),
            "rouge-score-rs": peer(episodes, peers["rouge-score-rs"], joint, 1),
            "rouge-score": peer(episodes, peers["rouge-score"], joint, 1, rows=8),
        },
        repeats,
    )
    return told(f"{title}; {workload}", costs, "ours")
