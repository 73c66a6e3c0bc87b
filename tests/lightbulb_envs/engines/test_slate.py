"""A slate or a subset is worth what picking its sentences one by one is worth."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.engines.engine import make_config
from lightbulb_envs.engines.slate import SlateConfig, SlateEngine
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.search import ExtractiveTask, count_drafts

ROW = np.zeros(1, dtype=np.int64)
LEVEL = 1


def _engine(form="slate", **more):
    engine = SlateEngine(SlateConfig(level=LEVEL, form=form, **more), 1)
    engine.reset(ROW, np.array([7]))
    return engine


def _picked(draft, instance=7, **more):
    """Returns the return of picking sentences one by one, then stopping."""
    engine = SummariseEngine(SummariseConfig(level=LEVEL, **more), 1)
    engine.reset(ROW, np.array([instance]))
    total = 0.0
    for action in (*draft, engine.stop):
        step = engine.step(ROW, np.array([action]))
        total += step.reward[0]
        if step.terminated[0]:
            break
    return total


COUNT = int(_engine().observe(ROW)["action_mask"][0, 0, :-1].sum())
sentences = st.integers(0, COUNT - 1)


@settings(max_examples=40)
@given(st.lists(sentences, max_size=3, unique=True))
def test_a_slate_is_worth_its_sentences_picked_in_order(draft):
    engine = _engine()
    stop = engine.action_space.nvec[0] - 1
    slate = np.array([*draft, *[stop] * (3 - len(draft))])
    step = engine.step(ROW, slate[None])
    assert step.terminated[0]
    assert engine.draft(0) == tuple(draft)
    assert step.reward[0] == pytest.approx(_picked(draft), abs=1e-12)


@settings(max_examples=40)
@given(st.sets(sentences, max_size=8))
def test_a_subset_is_worth_its_first_sentences_within_the_budget(chosen):
    engine = _engine("multibinary")
    bits = np.zeros(engine.action_space.n, dtype=np.int64)
    bits[list(chosen)] = 1
    step = engine.step(ROW, bits[None])
    draft = sorted(chosen)[:3]
    assert engine.draft(0) == tuple(draft)
    assert step.reward[0] == pytest.approx(_picked(draft), abs=1e-12)


def test_a_slate_ends_at_stop_and_tells_a_sentence_once():
    engine = _engine()
    stop = int(engine.action_space.nvec[0]) - 1
    engine.step(ROW, np.array([[2, stop, 4]]))
    assert engine.draft(0) == (2,)
    engine.reset(ROW, np.array([7]))
    engine.step(ROW, np.array([[2, 2, 4]]))
    assert engine.draft(0) == (2, 4)


def test_a_slate_with_a_sentence_that_is_not_there_is_illegal_and_may_be_tried_again():
    engine = _engine()
    missing = COUNT  # padding
    before = engine.observe(ROW)
    step = engine.step(ROW, np.array([[0, missing, 1]]))
    assert step.is_illegal[0]
    assert not step.terminated[0]
    assert step.reward[0] == -0.01
    after = engine.observe(ROW)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert engine.step(ROW, np.array([[0, 1, 2]])).terminated[0]
    assert [taken.is_illegal for taken in engine.taken(0)] == [True, False]
    with pytest.raises(RuntimeError, match="have ended"):
        engine.step(ROW, np.array([[0, 1, 2]]))


def test_a_time_limit_ends_an_episode_of_illegal_slates():
    engine = SlateEngine(SlateConfig(level=LEVEL), 1, max_steps=2)
    engine.reset(ROW, np.array([7]))
    illegal = np.full((1, 3), COUNT)
    assert not engine.step(ROW, illegal).truncated[0]
    step = engine.step(ROW, illegal)
    assert step.truncated[0]
    assert not step.terminated[0]
    with pytest.raises(RuntimeError, match="have ended"):
        engine.step(ROW, illegal)


def test_a_budget_of_words_leaves_out_what_no_longer_fits():
    engine = _engine(budget=30, budget_unit="words")
    assert engine.action_space.nvec.tolist() == [engine.task.source.max_sentences + 1] * len(
        engine.action_space.nvec
    )
    slate = np.arange(len(engine.action_space.nvec)) % COUNT
    engine.step(ROW, slate[None])
    words = [len(text.split()) for text in engine.document(0).sentences]
    assert 0 < len(engine.draft(0)) < COUNT
    assert sum(words[sentence] for sentence in engine.draft(0)) <= 33  # ROUGE splits "5-year"


@pytest.mark.parametrize("instance", [0, 4, 7])
@pytest.mark.parametrize("form", ["slate", "multibinary"])
def test_the_oracle_is_the_best_of_all_there_is(form, instance):
    engine = _engine(form, budget=2)
    engine.reset(ROW, np.array([instance]))
    choose = itertools.permutations if form == "slate" else itertools.combinations
    there = len(engine.document(0).sentences)
    best = max(
        _picked(draft, instance, budget=2)
        for count in range(3)
        for draft in choose(range(there), count)
    )
    assert engine.oracle_method(0) == "exact"
    assert engine.oracle_return(0) == pytest.approx(best, abs=1e-12)
    step = engine.step(ROW, engine.oracle_action(0)[None])
    assert step.reward[0] == pytest.approx(best, abs=1e-12)


def test_subsets_are_counted_without_their_orders():
    task = _engine("multibinary", budget=2).task
    counts = []
    for in_article_order in (False, True):
        document = ExtractiveTask(None, [1] * 5, 2, in_article_order)
        counts.append(count_drafts(document))
    assert counts == [5 + 5 * 4, 5 + 5 * 4 // 2]
    assert task.in_article_order


def test_a_beam_over_subsets_tells_them_in_the_articles_order():
    engine = SlateEngine(SlateConfig(level=4, form="multibinary"), 1)
    for instance in range(6):
        engine.reset(ROW, np.array([instance]))
        plan = engine.oracle(0)
        assert plan.method == "beam-16"
        assert plan.draft == tuple(sorted(plan.draft))
        assert engine.step(ROW, engine.oracle_action(0)[None]).reward[0] == plan.value


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="form must be one of slate, multibinary"):
        SlateEngine(make_config(SlateEngine, {"form": "list"}), 1)


def test_a_slate_shows_its_features_too():
    engine = _engine(features=True)
    assert engine.observe(ROW)["features"].shape == (1, engine.task.source.max_sentences, 4)
