"""Laws of writing word by word: gains, masks, budgets, what may be written, and the oracle."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

import lightbulb_envs
from lightbulb_envs.adapters.gym_vector import TextVectorEnv
from lightbulb_envs.engines.engine import make_config
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.engines.summarise_tokens import TokensConfig, TokensEngine
from lightbulb_envs.engines.tokens_actions import FUNCTION_WORDS
from lightbulb_envs.render_tokens import draft_text
from lightbulb_envs.score import mean_returns
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.words import split_words

ROW = np.zeros(1, dtype=np.int64)
ID = "Lightbulb/NewsSummariser-Tokens-v0"
instances = st.integers(0, 2**40)
choices = st.lists(st.integers(0, 10**6), max_size=30)


def _open(instance=0, **keywords):
    engine = TokensEngine(TokensConfig(**keywords), 1)
    engine.reset(ROW, np.array([instance]))
    return engine


def _legal(engine, choice):
    """Returns a word that may be written."""
    words = np.flatnonzero(engine.observe(ROW)["action_mask"][0, :-1])
    return int(words[choice % len(words)])


def _write(engine, *actions):
    """Writes words, and stops if the budget does not; returns what was paid."""
    paid = 0.0
    for action in actions:
        step = engine.step(ROW, np.array([action]))
        assert not step.is_illegal[0]
        paid += step.reward[0]
        if step.terminated[0]:
            return paid
    return paid + engine.step(ROW, np.array([engine.stop])).reward[0]


def _actions(engine, text):
    """Returns the actions that write a text."""
    words = engine.words_of(0)
    return [words.index(word) for word in split_words(text)]


@settings(max_examples=30)
@given(instances, choices, st.booleans())
def test_a_return_is_what_rouge_score_says_of_the_draft(instance, chosen, stems):
    kinds = ("rouge1", "rouge2", "rougeL", "rougeLsum")
    suffix = "_stem" if stems else ""
    engine = _open(instance, reward={kind + suffix: 1.0 for kind in kinds})
    _write(engine, *(_legal(engine, choice) for choice in chosen))
    scorer = RougeScorer(kinds, use_stemmer=stems)
    truth = scorer.score(engine.document(0).reference_text, draft_text(engine, 0))
    assert engine.scores(0) == {kind + suffix: truth[kind].fmeasure for kind in kinds}


@settings(max_examples=20)
@given(instances, choices)
def test_gains_add_up_to_the_scores(instance, chosen):
    engine = _open(instance)
    paid = _write(engine, *(_legal(engine, choice) for choice in chosen))
    assert paid == pytest.approx(sum(engine.scores(0).values()), abs=1e-9)


@pytest.mark.parametrize("level", range(6))
def test_a_sentence_written_out_is_worth_what_it_is_worth_picked(level):
    writing = _open(level=level, budget=100)
    picking = SummariseEngine(SummariseConfig(level=level), 1)
    for instance in range(4):
        for engine in (writing, picking):
            engine.reset(ROW, np.array([instance]))
        for sentence, text in enumerate(writing.document(0).sentences[:3]):
            for word in _actions(writing, text):
                writing.step(ROW, np.array([word]))
            picking.step(ROW, np.array([sentence]))
            assert writing.scores(0) == pytest.approx(picking.scores(0), abs=1e-12)


def test_words_are_the_articles_in_order_then_function_words_each_once():
    engine = _open(3)
    words = engine.words_of(0)
    sentences = [word for text in engine.document(0).sentences for word in split_words(text)]
    distinct = list(dict.fromkeys(sentences))
    most = engine.task.num_words - len(FUNCTION_WORDS)
    assert words[: len(distinct)] == distinct
    assert not any(words[len(distinct) : most])
    assert words[most:] == [word if word not in distinct else "" for word in FUNCTION_WORDS]
    mask = engine.observe(ROW)["action_mask"][0]
    assert mask.tolist() == [*(int(bool(word)) for word in words), 1]


def test_every_word_of_the_newsroom_can_be_read_in_pieces():
    engine = TokensEngine(TokensConfig(level=4), 16)
    engine.reset(np.arange(16), np.arange(16))
    seen = engine.observe(np.arange(16))
    decode = engine.source.vocabulary.decode
    for row in range(16):
        for pieces, word in zip(seen["words"][row], engine.words_of(row), strict=True):
            if word:
                told = decode(pieces.tolist()).lower()
                assert told.strip("',") == word, "a mark may stand before what follows a name"


@pytest.mark.parametrize(("level", "split"), [(0, "ood"), (2, "ood"), (4, "train"), (5, "ood")])
def test_no_article_of_the_newsroom_has_more_words_than_have_an_action(level, split):
    source = NewsroomSource(level, split)
    most = 32 + 8 * source.max_sentences
    batch = source.batch(np.arange(500))
    assert max(len(np.unique(words)) for words in batch.words) < most


def test_the_draft_is_observed_and_the_budget_ends_it():
    engine = _open(budget=3)
    for place, word in enumerate((4, 0, 4)):
        step = engine.step(ROW, np.array([word]))
        seen = engine.observe(ROW)
        assert seen["draft"][0, : place + 1].tolist() == [5, 1, 5][: place + 1]
        assert seen["budget"][0, 0] == np.float32((2 - place) / 3)
        assert bool(step.terminated[0]) == (place == 2)
    assert not seen["action_mask"][0, :-1].any()
    with pytest.raises(RuntimeError, match="has ended"):
        engine.step(ROW, np.array([engine.stop]))


@pytest.mark.parametrize("kernel", ["auto", "python"])
def test_the_article_is_observed_in_actions(kernel, monkeypatch):
    monkeypatch.setenv("LIGHTBULB_KERNEL", kernel)
    engine = TokensEngine(TokensConfig(level=3, max_words=40), 2)
    for instances in ([0, 1], [2, 0]):  # a row shows nothing of the article before
        engine.reset(np.arange(2), np.array(instances))
        seen = engine.observe(np.arange(2))["article"]
        for row in range(2):
            words = engine.words_of(row)
            lines = [split_words(text) for text in engine.document(row).sentences]
            assert not seen[row, len(lines) :].any()
            for line, shown in zip(lines, seen[row], strict=False):
                told = [words.index(word) + 1 if word in words[:40] else 0 for word in line]
                assert shown.tolist() == told + [0] * (len(shown) - len(told))


def test_articles_longer_than_there_is_room_for_lose_their_last_words():
    engine = _open(max_words=12)
    words = engine.words_of(0)
    assert engine.action_space.n == 12 + len(FUNCTION_WORDS) + 1
    assert all(words[:12])
    assert words[:12] == _open().words_of(0)[:12]


def test_a_made_up_number_costs_what_the_right_one_is_worth():
    engine = _open(3)
    text = "Blackvale United finished three points ahead."
    assert f"In addition, {text}" in engine.document(0).sentences
    assert engine.document(0).facts[engine.document(0).claims[10][0]].predicate == "lead"
    event = _actions(engine, "the club won the winter cup in Abershore")
    worth = []
    for number in ("three", "seven", "14"):
        engine.reset(ROW, np.array([3]))
        _write(engine, *event, *_actions(engine, text.replace("three", number)))
        worth.append(engine.scores(0)["fact_f1"])
    engine.reset(ROW, np.array([3]))
    _write(engine, *event)
    alone = engine.scores(0)["fact_f1"]
    assert worth[0] > alone > worth[1] == worth[2] > 0


@settings(max_examples=10)
@given(st.integers(0, 5), instances, choices)
def test_following_the_oracle_from_anywhere_earns_what_it_promises(level, instance, chosen):
    engine = _open(instance, level=level)
    for choice in chosen[:3]:
        engine.step(ROW, np.array([_legal(engine, choice)]))
    plan = engine.oracle(0, from_start=False)
    assert plan.value >= sum(engine.scores(0).values()) - 1e-12
    while True:
        action = engine.oracle_action(0)
        if engine.step(ROW, np.array([action])).terminated[0]:
            break
    assert engine.draft(0) == plan.draft
    assert sum(engine.scores(0).values()) == pytest.approx(plan.value, abs=1e-12)


def test_baselines_are_ranked_as_they_should_be():
    engine = lightbulb_envs.make_engine(ID, 16, split="validation")
    mean = {}
    for name in ("random", "lead-3", "centrality", "greedy", "oracle"):
        actor = lightbulb_envs.baselines.make_baseline(name, engine)
        mean[name] = mean_returns(actor, engine, np.arange(16)).mean()
    assert mean["random"] < 0.1 < mean["lead-3"] < mean["oracle"]
    assert 0.35 < mean["centrality"] < mean["oracle"] - 0.2
    assert mean["greedy"] < mean["oracle"]


def test_real_text_is_written_about_too(news_file):
    engine = _open(source=f"jsonl:{news_file}")
    assert engine.part_names[:3] == ("rouge1_stem", "rouge2_stem", "rougeLsum_stem")
    assert engine.task.budget == 60
    best, paid = engine.oracle_return(0), _write(engine, *engine.oracle(0).draft)
    assert paid == pytest.approx(best, abs=1e-12)
    assert best > 0.5
    pieces = engine.observe(ROW)["words"][0]
    decode = engine.source.vocabulary.decode
    words = engine.words_of(0)
    for number, word in enumerate(words):
        assert word.startswith(decode(pieces[number].tolist())) or not word, "long words are cut"
        assert pieces[number].any() or not word


def test_another_tokenizer_tells_articles_and_words(tmp_path, news_file):
    _open(source=f"jsonl:{news_file}").source.vocabulary.save(tmp_path / "tokenizer.json")
    engine = _open(tokenizer=str(tmp_path / "tokenizer.json"))
    assert engine.observe(ROW)["words"].shape[-1] == 4
    assert engine.oracle_return(0) == pytest.approx(_open().oracle_return(0))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"budget": 0}, "budget must be in"),
        ({"max_words": 0}, "max_words must be in"),
        ({"illegal_penalty": -1.0}, "illegal_penalty"),
        ({"reward": "bleu"}, "presets"),
        ({"num_instances": 0}, "num_instances"),
    ],
)
def test_bad_keywords_are_refused_with_what_is_allowed(keywords, message):
    with pytest.raises(ValueError, match=message):
        TextVectorEnv("lightbulb_envs.engines.summarise_tokens:TokensEngine", **keywords)


def test_picking_keywords_are_not_those_of_writing():
    with pytest.raises(TypeError, match="unknown keyword 'budget_unit'"):
        make_config(TokensEngine, {"budget_unit": "words"})


@settings(max_examples=10)
@given(st.lists(instances, min_size=2, max_size=4, unique=True), st.integers(0, 2**32))
def test_a_batch_writes_as_single_rows_do(block, seed):
    random, config, rows = Random(seed), TokensConfig(budget=8), np.arange(len(block))
    batch = TokensEngine(config, len(block))
    batch.reset(rows, np.array(block))
    singles = [_open(instance, budget=8) for instance in block]
    playing = rows
    while len(playing):
        actions = np.array([random.randrange(batch.stop + 1) for _ in playing])
        together = batch.step(playing, actions)
        for place, row in enumerate(playing):
            alone = singles[row].step(ROW, actions[place : place + 1])
            for name, value in vars(together).items():
                assert np.array_equal(getattr(alone, name)[0], value[place]), name
            seen = batch.observe(np.array([row]))
            for name, array in singles[row].observe(ROW).items():
                assert np.array_equal(seen[name], array), name
        playing = playing[~(together.terminated | together.truncated)]
