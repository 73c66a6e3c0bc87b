"""The C kernel is the plain Python, bit for bit, on whatever it is given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.document import NO_FACT, PADDING_WORD, DocumentBatch
from lightbulb_envs.engines import summary_task
from lightbulb_envs.engines.drafts import CompiledDrafts, Observed, PlainDrafts
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine, SummariseTask
from lightbulb_envs.kernel import VARIABLE, kernel_info
from lightbulb_envs.rewards.compiled import part_code
from lightbulb_envs.rewards.compose import PARTS
from lightbulb_envs.rewards.rouge import track
from lightbulb_envs.search import search

pytestmark = pytest.mark.skipif(kernel_info().name != "c", reason=str(kernel_info()))

ROWS = 3
weights = st.floats(1e-3, 10.0)
parts = st.dictionaries(st.sampled_from(sorted(PARTS)), weights, min_size=1)


@dataclass
class _Source:
    """A source of one batch of any documents."""

    documents: DocumentBatch

    def __post_init__(self) -> None:
        self.num_documents = len(self.documents)
        self.has_facts = True
        self.max_sentences = self.documents.words.shape[1]

    def batch(self, instances: Any) -> DocumentBatch:
        return self.documents.take(instances)

    def stem_text(self, word: int) -> str:
        return str(word // 2)  # two words to a stem


def _padded(rows: list[list[int]], height: int, width: int, padding: int) -> np.ndarray:
    array = np.full((height, width), padding, dtype=np.int32)
    for row, values in enumerate(rows):
        array[row, : len(values)] = values
    return array


@st.composite
def batches(draw) -> DocumentBatch:
    """Draws documents of few different words, so that much matches; some texts are long."""
    words = st.integers(0, draw(st.sampled_from([1, 3, 9, 40])))
    most_told = draw(st.sampled_from([3, 7, 40, 100]))
    told = st.lists(st.lists(words, max_size=most_told), max_size=4)
    article = st.lists(st.lists(words, max_size=draw(st.sampled_from([4, 12, 70]))), max_size=6)
    num_facts = draw(st.integers(0, 70))
    claims = st.lists(st.integers(NO_FACT, num_facts - 1), min_size=2, max_size=2)
    articles = draw(st.lists(article, min_size=ROWS, max_size=ROWS))
    references = draw(st.lists(told, min_size=ROWS, max_size=ROWS))
    fact_weight = draw(st.lists(st.floats(0, 5), min_size=num_facts, max_size=num_facts))
    return DocumentBatch(
        instance=np.arange(ROWS),
        num_sentences=np.array([len(article) for article in articles]),
        tokens=np.arange(ROWS * 6 * 2, dtype=np.int32).reshape(ROWS, 6, 2),
        words=np.stack([_padded(article, 6, 70, PADDING_WORD) for article in articles]),
        reference_words=np.stack([_padded(one, 4, 100, PADDING_WORD) for one in references]),
        claims=np.array(draw(st.lists(claims, min_size=ROWS * 6, max_size=ROWS * 6)))
        .reshape(ROWS, 6, 2)
        .astype(np.int32),
        fact_weight=np.tile(np.array(fact_weight, dtype=np.float64), (ROWS, 1)),
        fact_is_key=np.array(
            draw(st.lists(st.booleans(), min_size=ROWS * num_facts, max_size=ROWS * num_facts)),
            dtype=bool,
        ).reshape(ROWS, num_facts),
    )


def make_task(kernel: str, batch: DocumentBatch, **keywords: Any) -> SummariseTask:
    """Returns a task of a batch of documents, for one kernel or the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, kernel)
        patch.setattr(summary_task, "open_source", lambda config: _Source(batch))
        return SummariseTask(SummariseConfig(**keywords))


def _observed(sentences: int) -> Observed:
    return Observed(
        tokens=np.zeros((ROWS, sentences, 2), dtype=np.int32),
        selected=np.zeros((ROWS, sentences), dtype=np.int8),
        left=np.zeros((ROWS, 1), dtype=np.float32),
        mask=np.zeros((ROWS, sentences + 1), dtype=np.int8),
    )


def _assert_equal(ours: Any, theirs: Any) -> None:
    for name, value in vars(ours).items():
        assert np.array_equal(value, getattr(theirs, name)), name


steps = st.lists(st.lists(st.integers(0, 6), min_size=ROWS, max_size=ROWS), max_size=8)
budgets = st.sampled_from(
    [{"budget": 2}, {"budget": 6}, {"budget": 15, "budget_unit": "words"}, {"budget": 1}]
)


@settings(max_examples=200)
@given(batches(), parts, budgets, steps, st.sampled_from([None, 2, 5]), st.integers(0, 7))
def test_every_step_of_any_document_is_the_same(batch, reward, budget, steps, max_steps, resumed):
    observed, both = [], []
    for kernel, drafts in (("python", PlainDrafts), ("c", CompiledDrafts)):
        task = make_task(kernel, batch, reward=reward, illegal_penalty=0.3, **budget)
        assert task.is_compiled == (kernel == "c")
        observed.append(_observed(task.source.max_sentences))
        both.append(drafts(task, observed[-1], max_steps))
        both[-1].load(np.arange(ROWS), both[-1].compile(batch))
    plain, compiled = both
    rows = np.arange(ROWS)
    for number, actions in enumerate(steps):
        going = np.array([row for row in rows if not plain.clock(row)[1]], dtype=np.int64)
        _assert_equal(
            plain.step(going, np.array(actions)[going]),
            compiled.step(going, np.array(actions)[going]),
        )
        _assert_equal(*observed)
        for row in rows.tolist():
            assert plain.draft(row) == compiled.draft(row)
            assert list(plain.scores(row)) == list(compiled.scores(row))
            assert plain.clock(row) == compiled.clock(row)
            assert plain.taken(row) == compiled.taken(row)
        if number == resumed:
            for drafts in both:
                told = [(drafts.draft(row), *drafts.clock(row), drafts.taken(row)) for row in rows]
                drafts.restart(rows)
                for row in rows.tolist():
                    drafts.resume(row, *told[row])


@settings(max_examples=60)
@given(batches(), parts, st.sampled_from([None, 1, 3]))
def test_searches_find_the_same_drafts_of_the_same_value(batch, reward, width):
    found = []
    for kernel in ("python", "c"):
        task = make_task(kernel, batch, reward=reward, budget=3)
        found.append([search(task.task(batch, row), (), width) for row in range(ROWS)])
    assert found[0] == found[1]


@given(batches(), parts, st.lists(st.lists(st.integers(0, 5), min_size=ROWS, max_size=ROWS)))
def test_drafts_that_grow_together_score_what_each_does(batch, reward, picks):
    counts = batch.num_sentences
    potentials = [
        make_task("python", batch, reward=reward, budget=1).task(batch, row).potential
        for row in range(ROWS)
    ]
    states = [potential.start() for potential in potentials]
    task = make_task("c", batch, reward=reward, budget=1)
    together = task._compiled.batch(ROWS)
    together.load(task.compile(batch))
    scores = np.empty((ROWS, len(reward)))
    for step in picks if counts.all() else []:
        chosen = np.array(step) % counts
        together.extend(chosen, scores)
        for row, potential in enumerate(potentials):
            states[row] = potential.extend(states[row], int(chosen[row]))
            assert potential.scores(states[row]) == scores[row].tolist()


@pytest.mark.parametrize("length", [1, 63, 64, 65, 128, 129, 192, 193, 256, 257, 330])
def test_references_of_any_number_of_blocks_are_the_same(length):
    generator = np.random.default_rng(length)
    batch = DocumentBatch(
        instance=np.arange(ROWS),
        num_sentences=np.full(ROWS, 6),
        tokens=np.zeros((ROWS, 6, 2), dtype=np.int32),
        words=generator.integers(0, 50, (ROWS, 6, 40)).astype(np.int32),
        reference_words=generator.integers(0, 50, (ROWS, 1, length)).astype(np.int32),
        claims=np.full((ROWS, 6, 2), NO_FACT, dtype=np.int32),
        fact_weight=np.zeros((ROWS, 0)),
        fact_is_key=np.zeros((ROWS, 0), dtype=bool),
    )
    reward = {"rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0, "rougeLsum": 1.0, "rougeL_stem": 1.0}
    tasks = [make_task(kernel, batch, reward=reward, budget=1) for kernel in ("python", "c")]
    for row in range(ROWS):
        plain, compiled = (task.task(batch, row).potential for task in tasks)
        ours, theirs = compiled.start(), plain.start()
        for sentence in generator.permutation(6).tolist():
            ours, theirs = compiled.extend(ours, sentence), plain.extend(theirs, sentence)
            assert list(compiled.scores(ours)) == list(plain.scores(theirs))


by_word = st.dictionaries(
    st.sampled_from([name for name in PARTS if name.startswith("rouge") and "Lsum" not in name]),
    weights,
    min_size=1,
)


@given(batches(), by_word, st.lists(st.lists(st.integers(0, 9), min_size=ROWS, max_size=ROWS)))
def test_drafts_that_grow_word_by_word_score_what_sentences_of_a_word_do(batch, reward, words):
    task = make_task("c", batch, reward=reward, budget=1)
    together = task._compiled.batch(ROWS)
    together.load(task.compile(batch))
    scores = np.empty((ROWS, len(reward)))
    trackers = [
        (name, track(name.partition("_")[0], _read(task, batch.reference_words[row], name)), row)
        for name in reward
        for row in range(ROWS)
    ]
    states = [tracker.start() for _, tracker, _ in trackers]
    for step in words:
        numbers = [[word, task._stem(word)] for word in step]
        together.extend_words(np.array(numbers, dtype=np.int32), scores)
        for place, (name, tracker, row) in enumerate(trackers):
            states[place] = tracker.extend(states[place], [numbers[row]["_stem" in name]])
            score = reward[name] * tracker.score(states[place]).fmeasure
            assert score == scores[row, list(reward).index(name)]


def _read(task: SummariseTask, padded: np.ndarray, name: str) -> list[list[int]]:
    """Returns a reference as a part reads it."""
    rows = [[word for word in row if word != PADDING_WORD] for row in padded.tolist()]
    return [[task._stem(word) if "_stem" in name else word for word in row] for row in rows]


@pytest.mark.parametrize("level", [0, 2, 5])
@pytest.mark.parametrize("reward", [None, "rouge"])
def test_episodes_of_the_newsroom_are_the_same(level, reward, monkeypatch):
    engines = []
    for kernel in ("python", "c"):
        monkeypatch.setenv(VARIABLE, kernel)
        engines.append(SummariseEngine(SummariseConfig(level=level, reward=reward), 64, 5))
    generator, rows = np.random.default_rng(0), np.arange(64)
    for start in (0, 1000):
        for engine in engines:
            engine.reset(rows, np.arange(start, start + 64))
        going = rows
        while len(going):
            actions = generator.integers(0, engines[0].stop + 1, len(going))
            plain, compiled = (engine.step(going, actions) for engine in engines)
            _assert_equal(plain, compiled)
            told = [engine.observe(rows) for engine in engines]
            assert all(np.array_equal(told[0][name], told[1][name]) for name in told[0])
            going = going[~(plain.terminated | plain.truncated)]


def test_the_kernel_knows_every_part():
    assert all(part_code(name) is not None for name in PARTS)
    assert part_code("rouge") is None
    assert part_code("rouge12") is None
    assert part_code("bleu") is None
    assert part_code("rouge1_steam") is None
