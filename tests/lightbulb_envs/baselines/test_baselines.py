"""Baselines do what they say, in the order that the score promises."""

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.baselines import BASELINES, make_baseline
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.baselines.random import Random
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.score import mean_returns, random_returns
from lightbulb_envs.similarity import lexrank, sentence_similarity

ID = "Lightbulb/NewsSummariser-v0"


@pytest.fixture(scope="module")
def engine():
    return lightbulb_envs.make_engine(ID, 64, split="validation")


@pytest.fixture(scope="module")
def returns(engine):
    instances = np.arange(64)
    found = {
        name: mean_returns(make_baseline(name, engine), engine, instances)
        for name in BASELINES
        if name != "random"
    }
    return found | {"random": random_returns(engine, instances, rollouts=10)}


def test_baselines_stand_in_the_order_that_the_score_promises(returns):
    means = {name: values.mean() for name, values in returns.items()}
    assert means["random"] < means["centrality"] < means["ceiling"] < means["oracle"]
    assert means["greedy"] < means["oracle"]


@pytest.mark.parametrize("env_id", lightbulb_envs.ROWS)
def test_the_reference_heuristic_of_an_id_beats_random_and_not_the_oracle(env_id):
    engine = lightbulb_envs.make_engine(env_id, 64, split="validation")
    instances = np.arange(64)
    row = lightbulb_envs.find_row(env_id)
    heuristic = mean_returns(make_baseline(row.heuristic, engine), engine, instances).mean()
    oracle = mean_returns(make_baseline("oracle", engine), engine, instances).mean()
    assert random_returns(engine, instances, rollouts=10).mean() < heuristic < oracle


def test_random_is_uniform_over_legal_actions():
    mask = np.zeros((60_000, 5), dtype=np.int8)
    mask[:, [0, 2, 4]] = 1
    actor = Random(gymnasium.spaces.Discrete(5))
    actor.reset(0)
    counts = np.bincount(actor.act({"action_mask": mask}, {}), minlength=5)
    assert counts[[1, 3]].tolist() == [0, 0]
    assert counts[[0, 2, 4]] == pytest.approx([20_000] * 3, rel=0.03)


def test_random_repeats_itself_with_its_seed(engine):
    instances = np.arange(10)
    one, two, other = (
        roll_out(Random(engine.action_space), engine, instances, seed) for seed in (1, 1, 2)
    )
    assert one == two != other


def test_lead_picks_the_first_sentences_and_stops(engine):
    for episode in roll_out(Lead(2), engine, np.arange(5)):
        assert episode.actions == (0, 1, engine.stop)


def test_lead_stops_at_the_end_of_a_short_document(write_jsonl):
    path = write_jsonl([{"article": "Only one sentence here.", "summary": "One."}])
    engine = lightbulb_envs.make_engine(ID, 1, source=f"jsonl:{path}")
    (episode,) = roll_out(Lead(3), engine, np.array([0]))
    assert episode.actions == (0,)


def test_privileged_actors_do_not_repeat_a_document_of_another_instance(engine):
    oracle = make_baseline("oracle", engine)
    plans = {episode.actions for episode in roll_out(oracle, engine, np.arange(20))}
    assert len(plans) > 10


def test_lexrank_by_hand():
    # Three sentences, two alike: the pair is central, and the walk's shares sum to one.
    tokens = np.array([[1, 2, 3, 0], [1, 2, 3, 4], [7, 8, 9, 0]])
    similarity = sentence_similarity(tokens)
    assert similarity[0, 1] > 0.5
    assert similarity[0, 2] == 0.0
    rank = lexrank(similarity)
    assert rank.sum() == pytest.approx(1.0)
    assert rank[2] == pytest.approx(1 / 3)


def test_centrality_takes_no_two_sentences_that_say_the_same():
    tokens = np.zeros((1, 5, 4), dtype=np.int32)
    tokens[0, :4] = [[1, 2, 3, 0], [1, 2, 3, 4], [5, 6, 7, 0], [1, 5, 8, 0]]
    observation = {
        "tokens": tokens,
        "selected": np.zeros((1, 5), np.int8),
        "action_mask": np.ones((1, 6), np.int8),
    }
    from lightbulb_envs.baselines.centrality import Centrality

    plan = Centrality(3).plan(observation, {}, 0)
    assert not {0, 1} <= set(plan)


def test_the_ceiling_covers_what_can_be_covered(engine):
    ceiling = make_baseline("ceiling", engine)
    fact_scores = []
    for episode in roll_out(ceiling, engine, np.arange(64)):
        batch = engine.source.batch(np.array([episode.instance]))
        picked = [action for action in episode.actions if action != engine.stop]
        claims = [[f for f in batch.claims[0, s].tolist() if f >= 0] for s in picked]
        from lightbulb_envs.rewards.facts import fact_score

        weights, is_key = batch.fact_weight[0].tolist(), batch.fact_is_key[0].tolist()
        fact_scores.append(fact_score(weights, is_key, claims).fmeasure)
    assert np.mean(fact_scores) > 0.95


def test_an_unknown_baseline_is_named(engine):
    with pytest.raises(ValueError, match="there are random, lead-3"):
        make_baseline("textrank", engine)
