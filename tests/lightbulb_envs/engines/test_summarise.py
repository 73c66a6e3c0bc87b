"""Laws of the summariser's engine: gains, masks, budgets, replays and the oracle."""

import itertools
from dataclasses import fields
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from lightbulb_envs.adapters.gym_vector import TextVectorEnv
from lightbulb_envs.engines.engine import make_config
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.search import (
    EXACT_LIMIT,
    ExtractiveTask,
    count_drafts,
    search,
    search_method,
)
from lightbulb_envs.summation import add_in_order

ROW = np.zeros(1, dtype=np.int64)
instances = st.integers(0, 2**40)
seeds = st.integers(0, 2**32)
configs = st.builds(
    SummariseConfig,
    level=st.integers(0, 5),
    split=st.sampled_from(["train", "test", "ood"]),
    reward=st.sampled_from(
        [None, "rouge", {"fact_recall": 1.0, "length": 0.5}, {"rougeLsum": 2.0, "rouge2_stem": 1.0}]
    ),
    budget=st.integers(1, 6),
    illegal_penalty=st.sampled_from([0.0, 0.01, 0.5]),
)


def _play(engine, actions):
    """Plays actions until the episode ends; yields (action, observation before, step)."""
    for action in actions:
        before = engine.observe(ROW)
        step = engine.step(ROW, np.array([action]))
        yield action, before, step
        if step.terminated[0] or step.truncated[0]:
            return


@settings(max_examples=50)
@given(configs, instances, st.lists(st.integers(0, 40), max_size=12))
def test_gains_add_up_to_the_score_and_parts_to_the_reward(config, instance, choices):
    engine = SummariseEngine(config, 1)
    engine.reset(ROW, np.array([instance]))
    total, penalties = 0.0, 0.0
    for _, _, step in _play(engine, [choice % (engine.stop + 1) for choice in choices]):
        assert add_in_order(step.parts[0].tolist()) == step.reward[0]
        assert np.isfinite(step.reward[0])
        total += step.reward[0]
        penalties += step.parts[0, -1]
    assert total - penalties == pytest.approx(sum(engine.scores(0).values()), abs=1e-9)


@settings(max_examples=50)
@given(configs, instances, st.lists(st.integers(0, 40), max_size=12))
def test_what_the_mask_calls_illegal_changes_nothing_and_costs_the_penalty(
    config, instance, choices
):
    engine = SummariseEngine(config, 1)
    engine.reset(ROW, np.array([instance]))
    for action, before, step in _play(engine, [c % (engine.stop + 1) for c in choices]):
        is_legal = before["action_mask"][0, action] == 1
        assert step.is_illegal[0] == (not is_legal)
        if is_legal:
            assert step.parts[0, -1] == 0.0
            continue
        after = engine.observe(ROW)
        assert all(np.array_equal(before[name], after[name]) for name in before)
        assert step.reward[0] == -config.illegal_penalty
        assert not step.terminated[0]


@settings(max_examples=30)
@given(configs, instances, st.lists(st.integers(0, 40), max_size=12))
def test_a_reset_starts_over_whatever_was_played(config, instance, choices):
    engine = SummariseEngine(config, 1)
    engine.reset(ROW, np.array([instance]))
    first = engine.observe(ROW)
    for _ in _play(engine, [choice % (engine.stop + 1) for choice in choices]):
        pass
    engine.reset(ROW, np.array([instance]))
    again = engine.observe(ROW)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not again["selected"].any()
    assert again["budget"] == 1.0
    assert again["action_mask"].sum() == len(engine.document(0).sentences) + 1
    assert engine.draft(0) == ()
    assert not any(engine.scores(0).values())


@settings(max_examples=30)
@given(configs, instances, seeds)
def test_legal_play_ends_by_stop_or_by_the_budget(config, instance, seed):
    random = Random(seed)
    engine = SummariseEngine(config, 1)
    engine.reset(ROW, np.array([instance]))
    while True:
        mask = engine.observe(ROW)["action_mask"][0]
        action = random.choice(np.flatnonzero(mask).tolist())
        step = engine.step(ROW, np.array([action]))
        picked = engine.draft(0)
        assert len(picked) == len(set(picked)) <= config.budget
        if step.terminated[0]:
            assert action == engine.stop or len(picked) == min(
                config.budget, len(engine.document(0).sentences)
            )
            return


@settings(max_examples=20)
@given(st.integers(0, 4), st.lists(instances, min_size=2, max_size=5, unique=True), seeds)
def test_a_batch_plays_as_single_rows_do(level, block, seed):
    random = Random(seed)
    config = SummariseConfig(level=level)
    batch = SummariseEngine(config, len(block))
    rows = np.arange(len(block))
    batch.reset(rows, np.array(block))
    singles = [SummariseEngine(config, 1) for _ in block]
    for single, instance in zip(singles, block, strict=True):
        single.reset(ROW, np.array([instance]))
    playing = rows
    while len(playing):
        actions = np.array([random.randrange(batch.stop + 1) for _ in playing])
        together = batch.step(playing, actions)
        for place, row in enumerate(playing):
            alone = singles[row].step(ROW, actions[place : place + 1])
            for field in fields(together):
                one, many = getattr(alone, field.name)[0], getattr(together, field.name)[place]
                assert np.array_equal(one, many), field.name
            seen = batch.observe(np.array([row]))
            for name, array in singles[row].observe(ROW).items():
                assert np.array_equal(seen[name], array)
        playing = playing[~(together.terminated | together.truncated)]


def test_observations_say_what_was_picked_and_in_which_order():
    engine = SummariseEngine(SummariseConfig(), 1)
    engine.reset(ROW, np.array([3]))
    engine.step(ROW, np.array([5]))
    engine.step(ROW, np.array([2]))
    seen = engine.observe(ROW)
    assert seen["selected"][0, 5] == 1
    assert seen["selected"][0, 2] == 2
    assert seen["selected"].sum() == 3
    assert seen["budget"][0, 0] == np.float32(0.5)
    assert not seen["action_mask"][0, [2, 5]].any()
    assert seen in engine.observation_space or all(
        engine.observation_space[name].contains(array[0]) for name, array in seen.items()
    )


def test_a_word_budget_masks_sentences_that_do_not_fit():
    engine = SummariseEngine(SummariseConfig(budget=25, budget_unit="words"), 1)
    engine.reset(ROW, np.array([0]))
    lengths = list(engine.extractive_task(0).costs)
    spent = 0
    while True:
        mask = engine.observe(ROW)["action_mask"][0]
        expected = [n <= 25 - spent and i not in engine.draft(0) for i, n in enumerate(lengths)]
        assert mask[: len(lengths)].astype(bool).tolist() == expected
        if not any(expected):
            break
        choice = expected.index(True)
        spent += lengths[choice]
        assert bool(engine.step(ROW, np.array([choice])).terminated[0]) == (
            not engine.observe(ROW)["action_mask"][0, :-1].any()
        )
    assert spent <= 25


def test_a_time_limit_truncates():
    engine = SummariseEngine(SummariseConfig(), 1, max_steps=3)
    engine.reset(ROW, np.array([0]))
    engine.step(ROW, np.array([0]))
    ends = [engine.step(ROW, np.array([0])) for _ in range(2)]
    assert [bool(step.truncated[0]) for step in ends] == [False, True]
    assert not ends[-1].terminated[0]
    with pytest.raises(RuntimeError, match="has ended"):
        engine.step(ROW, np.array([0]))


def test_the_return_is_the_rouge_of_the_draft():
    engine = SummariseEngine(SummariseConfig(reward={"rougeLsum_stem": 1.0}), 1)
    engine.reset(ROW, np.array([11]))
    total = sum(engine.step(ROW, np.array([action])).reward[0] for action in (4, 1, 6))
    document = engine.document(0)
    draft = "\n".join(document.sentences[sentence] for sentence in (4, 1, 6))
    scorer = RougeScorer(["rougeLsum"], use_stemmer=True)
    truth = scorer.score(document.reference_text, draft)["rougeLsum"].fmeasure
    assert total == pytest.approx(truth, abs=1e-12)


@settings(max_examples=15)
@given(configs, instances)
def test_following_the_oracle_earns_the_oracle_return(config, instance):
    engine = SummariseEngine(config, 1)
    engine.reset(ROW, np.array([instance]))
    best = engine.oracle_return(0)
    total = 0.0
    while True:
        step = engine.step(ROW, np.array([engine.oracle_action(0)]))
        assert not step.is_illegal[0]
        total += step.reward[0]
        if step.terminated[0]:
            break
    assert total == pytest.approx(best, abs=1e-9)


@settings(max_examples=20)
@given(configs, instances, st.lists(st.integers(0, 30), max_size=5))
def test_no_draft_beats_an_exact_oracle_and_it_says_so(config, instance, choices):
    engine = SummariseEngine(config, 1)
    engine.reset(ROW, np.array([instance]))
    plan = engine.oracle(0)
    task = engine.extractive_task(0)
    assert plan.method == ("exact" if count_drafts(task) <= EXACT_LIMIT else "beam-16")
    _, value = search(task, (), width=1)
    assert plan.value >= value - 1e-12, "a greedy draft is one of those searched"
    total = 0.0
    for _, _, step in _play(engine, [c % (engine.stop + 1) for c in choices]):
        total += step.reward[0]
    if plan.method == "exact":
        assert total <= plan.value + 1e-9


def test_three_picks_of_thirteen_sentences_are_searched_whole_and_of_fourteen_by_a_beam():
    # 13 + 13 * 12 + 13 * 12 * 11 = 1885 drafts, and 2380 with one sentence more.
    for count, method in ((13, "exact"), (14, "beam-16")):
        task = ExtractiveTask(potential=None, costs=[1] * count, budget=3)
        assert search_method(task) == method


def test_the_oracle_keeps_to_a_word_budget():
    def spent(budget: int) -> list[int]:
        config = SummariseConfig(level=4, budget=budget, budget_unit="words")
        engine = SummariseEngine(config, 1)
        costs = []
        for instance in range(4):
            engine.reset(ROW, np.array([instance]))
            task = engine.extractive_task(0)
            assert engine.oracle_method(0) == "beam-16"
            costs.append(sum(task.costs[sentence] for sentence in engine.oracle(0).draft))
        return costs

    assert min(spent(200)) > 30, "a larger budget is used"
    assert max(spent(30)) <= 30


def test_the_exact_oracle_is_the_best_of_all_drafts():
    engine = SummariseEngine(SummariseConfig(level=0, budget=3), 1)
    for instance in range(5):
        engine.reset(ROW, np.array([instance]))
        potential = engine.extractive_task(0).potential
        count = len(engine.document(0).sentences)
        best = 0.0
        for length in (1, 2, 3):
            for draft in itertools.permutations(range(count), length):
                state = potential.start()
                for sentence in draft:
                    state = potential.extend(state, sentence)
                best = max(best, potential.value(state))
        assert engine.oracle(0).method == "exact"
        assert engine.oracle_return(0) == best


@pytest.mark.slow
def test_the_beam_of_the_oracle_misses_little():
    engine = SummariseEngine(SummariseConfig(level=2, split="validation"), 1)
    gaps = []
    for instance in range(12):
        engine.reset(ROW, np.array([instance]))
        _, best = search(engine.extractive_task(0), (), width=None)
        gaps.append((best - engine.oracle_return(0)) / best)
    assert min(gaps) >= 0.0
    assert np.mean(gaps) < 0.002


def test_the_oracle_goes_on_from_any_draft():
    engine = SummariseEngine(SummariseConfig(), 1)
    engine.reset(ROW, np.array([5]))
    engine.step(ROW, np.array([7]))
    plan = engine.oracle(0, from_start=False)
    assert plan.draft[0] == 7
    assert plan.value <= engine.oracle_return(0) + 1e-12
    assert engine.oracle_action(0) == (plan.draft[1] if len(plan.draft) > 1 else engine.stop)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"budget": 0}, "budget must be in"),
        ({"budget": 99}, "budget must be in"),
        ({"budget_unit": "letters"}, "sentences, words"),
        ({"budget_unit": "words"}, "needs a budget"),
        ({"illegal_penalty": -1.0}, "illegal_penalty"),
        ({"reward": "bleu"}, "presets"),
        ({"level": 9}, "0 to 5"),
        ({"split": "dev"}, "got 'dev'"),
        ({"source": "cnn"}, "newsroom, jsonl"),
        ({"source": "newsroom:x"}, "nothing after its name"),
        ({"fields": {"article": "text"}}, "newsroom is none"),
        ({"on_error": "skip"}, "newsroom is none"),
        ({"max_tokens": 9}, "leave it out"),
        ({"max_sentences": 3}, "up to 22"),
        ({"vocabulary_digest": "0"}, "vocabulary_digest asks for 0"),
        ({"num_instances": 0}, "num_instances"),
    ],
)
def test_bad_keywords_are_refused_with_what_is_allowed(settings_, message):
    with pytest.raises(ValueError, match=message):
        TextVectorEnv("lightbulb_envs.engines.summarise:SummariseEngine", **settings_)


def test_an_unknown_keyword_names_those_there_are():
    with pytest.raises(TypeError, match="unknown keyword 'bugdet': there are level=2"):
        make_config(SummariseEngine, {"bugdet": 3})


@pytest.mark.parametrize(
    ("actions", "error"),
    [([99], ValueError), ([-1], ValueError), ([0.5], TypeError), ([0, 1], ValueError)],
)
def test_actions_outside_the_space_are_refused(actions, error):
    engine = SummariseEngine(SummariseConfig(), 1)
    engine.reset(ROW, np.array([0]))
    with pytest.raises(error, match="actions must"):
        engine.step(ROW, np.array(actions))


def test_a_step_before_any_reset_says_so():
    engine = SummariseEngine(SummariseConfig(), 1)
    with pytest.raises(RuntimeError, match="call reset first"):
        engine.step(ROW, np.array([engine.stop]))


def test_an_instance_that_is_not_there_is_refused():
    engine = SummariseEngine(SummariseConfig(), 1)
    with pytest.raises(ValueError, match="instance must be in"):
        engine.reset(ROW, np.array([-1]))
