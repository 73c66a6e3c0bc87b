"""Writing word by word: what a network reads, what it scores, and what a demonstration teaches."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_agents.articles import read_drafts
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork, NetworkConfig, QNetwork
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_agents.run import Run
from lightbulb_agents.train import run_training
from lightbulb_agents.training import Training
from lightbulb_agents.writing import (
    article_shape,
    order_of_words,
    read_article,
    split_article,
)
from lightbulb_backbones import BackboneConfig
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.engines.tokens_actions import FUNCTION_WORDS
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/NewsSummariser-Tokens-v0"
WRITES = Layout(actions=8, writes=True)


def _layout(engine):
    return Layout.of(engine.observation_space, engine.action_space)


@pytest.fixture(params=[("bag", 1), ("bag", 5)], ids=str)
def network(request):
    name, quantiles = request.param
    torch.manual_seed(0)
    config = NetworkConfig(BackboneConfig(name, width=16, heads=2), quantiles=quantiles)
    engine = lightbulb_envs.make_engine(ID, 1)
    kind = ActorCriticNetwork if quantiles == 1 else QNetwork
    made = kind(engine.source.vocabulary.size, "pointer", _layout(engine), config)
    with torch.no_grad():  # fresh heads are near zero: larger weights make differences visible
        for weight in made.head.parameters():
            weight.normal_(std=0.3)
    return made.eval()


def _observe(rows=5, written=0, **keywords):
    """Returns what rows see, each of which has copied some words of its first sentence."""
    engine = lightbulb_envs.make_engine(ID, rows, **keywords)
    everyone = np.arange(rows)
    engine.reset(everyone, everyone)
    for place in range(written):
        engine.step(everyone, engine.observe(everyone)["article"][:, 0, place] - 1)
    return engine.observe(everyone)


def _decide(network, seen):
    with torch.inference_mode():
        told = read_article(seen, network.layout)
        articles = network.encode(torch.from_numpy(told).long())
        drafts = read_drafts(seen, np.arange(len(told)), network.layout)
        return network.decide(articles, drafts)


@given(
    st.tuples(*[st.integers(1, 5)] * 5),
    st.integers(0, 2**32 - 1),
)
def test_nothing_is_lost_of_what_is_encoded(sizes, seed):
    count, sentences, width, words, pieces = sizes
    draw = np.random.default_rng(seed).integers
    seen = {
        "tokens": draw(0, 9, (count, sentences, width), dtype=np.int32),
        "article": draw(0, 9, (count, sentences, width), dtype=np.int32),
        "words": draw(0, 9, (count, words, pieces), dtype=np.int32),
    }
    told = split_article(torch.from_numpy(read_article(seen, WRITES)))
    for name, found in zip(("tokens", "article", "words"), told, strict=True):
        kept = found.numpy()
        if name != "words":
            assert not kept[..., width:].any()
            kept = kept[..., :width]
        assert np.array_equal(kept, seen[name])


def test_the_shape_of_what_is_encoded_is_known_beforehand():
    engine = lightbulb_envs.make_engine(ID, 2, max_words=3000, budget=5)
    shape, highest = article_shape(engine.observation_space, _layout(engine))
    assert read_article(_observe(2, max_words=3000, budget=5), WRITES).shape[1:] == shape
    most = 3000 + len(FUNCTION_WORDS)
    assert highest == most, "an article is told in actions, here more than there are pieces"


def test_words_are_read_in_the_order_of_writing():
    draft = np.array([[4, 1, 4, 0, 0], [0] * 5, [2, 0, 0, 0, 0]], dtype=np.int32)
    assert order_of_words(draft).tolist() == [[3, 0, 3], [-1, -1, -1], [1, -1, -1]]
    assert order_of_words(draft[1:2]).tolist() == [[-1]]


def test_legal_words_alone_have_a_chance(network):
    seen = _observe(written=2)
    logits, value = _decide(network, seen)
    assert torch.equal(logits.isfinite(), torch.from_numpy(seen["action_mask"]).bool())
    assert value.shape == (5,)
    assert value.isfinite().all()


EVERY = [("bag", 1), ("transformer", 1), ("mamba", 1), ("language:tiny", 1), ("bag", 5)]
"""Backbones, and numbers of an action."""


@pytest.mark.parametrize("network", EVERY, ids=str, indirect=True)
@pytest.mark.parametrize("written", [0, 3])
def test_more_room_changes_nothing(network, written):
    seen = _observe(written=written)
    wide = {name: array.copy() for name, array in seen.items()}
    for name in ("tokens", "article"):
        wide[name] = np.pad(seen[name], ((0, 0), (0, 3), (0, 5)))
    wide["words"] = np.pad(seen["words"], ((0, 0), (0, 4), (0, 1)))
    wide["draft"] = np.pad(seen["draft"], ((0, 0), (0, 6)))
    mask = seen["action_mask"]
    more = np.zeros((5, 4), mask.dtype)
    wide["action_mask"] = np.concatenate((mask[:, :-1], more, mask[:, -1:]), axis=1)
    logits, value = _decide(network, seen)
    wide_logits, wide_value = _decide(network, wide)
    kept = torch.cat((wide_logits[:, : mask.shape[1] - 1], wide_logits[:, -1:]), 1)
    assert torch.allclose(logits, kept, atol=1e-5)
    assert torch.allclose(value, wide_value, atol=1e-5)


def test_an_article_is_written_about_alike_alone_and_among_others(network):
    seen = _observe(written=3)
    logits, value = _decide(network, seen)
    for row in range(5):
        own_logits, own_value = _decide(
            network, {name: array[row : row + 1] for name, array in seen.items()}
        )
        assert torch.allclose(own_logits[0], logits[row], atol=1e-5)
        assert torch.allclose(own_value[0], value[row], atol=1e-5)


def test_drafts_of_one_article_in_any_order_are_scored_as_if_alone(network):
    before, after = _observe(2), _observe(2, written=4)
    told = read_article(before, network.layout)
    with torch.inference_mode():
        articles = network.encode(torch.from_numpy(told).long())
        mixed = {name: np.concatenate((before[name], after[name])) for name in before}
        order = np.array([2, 0, 3, 1, 0])
        drafts = read_drafts(
            {name: array[order] for name, array in mixed.items()}, order % 2, network.layout
        )
        logits, _ = network.decide(articles, drafts)
    alone = torch.cat((_decide(network, before)[0], _decide(network, after)[0]))
    assert torch.allclose(logits, alone[order], atol=1e-5)


def test_what_was_written_matters_and_where_it_stands(network):
    before, after = (_decide(network, _observe(written=count))[0] for count in (0, 2))
    is_legal = before.isfinite()
    assert (before - after)[is_legal].abs().max() > 1e-3
    seen = _observe(written=2)
    moved = {**seen, "article": seen["article"][:, ::-1].copy()}
    assert (_decide(network, moved)[0] - after)[is_legal].abs().max() > 1e-3


def test_articles_of_other_lengths_are_put_side_by_side(network):
    long, short = _observe(2, level=4), _observe(2, level=0)
    for name, array in short.items():
        room = [(0, most - own) for most, own in zip(long[name].shape, array.shape, strict=True)]
        if name == "action_mask":
            stop, array = array[:, -1:], np.pad(array[:, :-1], room)
            short[name] = np.concatenate((array, stop), axis=1)
        else:
            short[name] = np.pad(array, room)
    with torch.inference_mode():
        one, other = (
            network.encode(torch.from_numpy(read_article(seen, network.layout)).long())
            for seen in (long, short)
        )
        assert one.word.shape[1] > other.word.shape[1]
        both = {name: np.concatenate((short[name], long[name])) for name in long}
        drafts = read_drafts(both, np.arange(4), network.layout)
        joined = other.followed_by(one)
        logits, value = network.decide(joined, drafts)
    beyond = joined.place[:2, other.word.shape[1] :]
    assert (beyond < -1000).all(), "what is no place has no state"
    for place, seen in enumerate((short, long)):
        own_logits, own_value = _decide(network, seen)
        assert torch.allclose(logits[2 * place : 2 * place + 2], own_logits, atol=1e-5)
        assert torch.allclose(value[2 * place : 2 * place + 2], own_value, atol=1e-5)


def _config(folder, env_id=ID, **more):
    defaults = {"budget": "2000", "rows": 32, "test_episodes": 6, "sizes": Sizes(16, heads=2)}
    return TrainConfig(env=env_id, run_folder=folder, **{**defaults, **more})


@pytest.mark.parametrize("agent", ["ppo", "dqn"])
def test_what_is_learnt_from_is_what_was_seen(agent, tmp_path):
    training = Training(_config(tmp_path, agent=agent), {"budget": 8})
    training.update()
    collector = training.learner.collector
    if agent == "dqn":
        batch, _ = training.learner.replay.sample(64)
        observed = training.learner.algorithm.policy.model(batch.obs)[0]
        assert observed.gather(1, torch.from_numpy(batch.act)[:, None]).isfinite().all()
        return
    collector.collect(n_episode=32)
    batch = collector.buffer.sample(0)[0]
    with torch.no_grad():
        logits, value = training.learner.algorithm.policy.actor.trunk(batch.obs)
    again = training.network.choice(logits).log_prob(torch.as_tensor(batch.act))
    assert ((again - batch.logp_old).exp() - 1).abs().max() < 1e-5
    assert torch.allclose(value.double(), batch.v_s, atol=1e-5)


def test_a_policy_acts_in_articles_of_another_size(tmp_path):
    training = Training(_config(tmp_path), {})
    engine = lightbulb_envs.make_engine(ID, 4, level=4, max_words=90, budget=6)
    played = roll_out(NeuralActor(training.network), engine, np.arange(4))
    assert max(len(one.actions) for one in played) > 1


def test_who_writes_words_is_refused_where_none_are_written_and_the_report_says_who_was_imitated(
    tmp_path,
):
    learning = dataclasses.replace(TrainConfig().learning, imitate="lead-3", imitation=0.25)
    config = _config(tmp_path / "words", budget="300", learning=learning, settings=("budget=8",))
    results = run_training(config)
    assert "the first 25% of them imitating lead-3" in results.notes[0]
    run_training(_config(tmp_path / "picks", "Lightbulb/NewsSummariser-v0", budget="100"))
    for folder, env_id in (("words", "Lightbulb/NewsSummariser-v0"), ("picks", ID)):
        engine = lightbulb_envs.make_engine(env_id, 1)
        with pytest.raises(ValueError, match="observes .*these settings give"):
            Run.load(tmp_path / folder).check(engine)


def test_words_without_what_tells_them_are_refused():
    engine = lightbulb_envs.make_engine(ID, 1)
    spaces = dict(engine.observation_space)
    del spaces["article"]
    space = type(engine.observation_space)(spaces)
    with pytest.raises(TypeError, match="needs all of `words`.*got draft, words alone"):
        Layout.of(space, engine.action_space)


def _agreement(training, actor, instances):
    """Returns how often the network's likeliest action is that of an actor, along its way."""
    engine = lightbulb_envs.make_engine(training.config.env, len(instances), split="test")
    network = NeuralActor(training.network)
    alike = total = 0
    rows = np.arange(len(instances))
    engine.reset(rows, instances)
    while len(rows):
        seen = engine.observe(rows)
        info = {"instance": engine.instance(rows), "episode": rows}
        action = actor(engine).act(seen, info)
        alike += int((network.act(seen, info) == action).sum())
        total += len(rows)
        step = engine.step(rows, action)
        rows = rows[~(step.terminated | step.truncated)]
    return alike / total


@pytest.mark.parametrize(
    ("env_id", "steps"),
    [
        ("Lightbulb/NewsSummariser-v0", 4_000),
        pytest.param(ID, 60_000, marks=pytest.mark.slow),
    ],
)
def test_what_is_shown_is_learnt(env_id, steps, tmp_path):
    learning = TrainConfig().learning
    learning = dataclasses.replace(learning, imitate="lead-3", imitation=1.0)
    training = Training(_config(tmp_path, env_id, budget=str(steps), learning=learning), {})
    instances = np.arange(20)

    def lead(engine):
        return make_baseline("lead-3", engine)

    before = _agreement(training, lead, instances)
    measured = []
    while not training.is_done:
        measured.append(training.update())
    assert before < 0.5
    assert _agreement(training, lead, instances) > 0.8
    assert measured[-1]["actor_loss"] < measured[0]["actor_loss"] / 2
    assert all(one["episodes"] % 16 == 0 for one in measured), "one episode a document"


def test_after_its_share_of_the_budget_nothing_is_shown_any_more(tmp_path):
    learning = dataclasses.replace(TrainConfig().learning, imitate="oracle", imitation=0.5)
    training = Training(_config(tmp_path, budget="2000", learning=learning), {})
    returns = []
    while not training.is_done:
        shown = training.steps < 1000
        returns.append((shown, training.update()["training_return"]))
    assert min(value for shown, value in returns if shown) > 0.6
    assert max(value for shown, value in returns if not shown) < 0.5


def test_what_it_is_worth_is_learnt_of_what_is_shown_too(tmp_path):
    learning = dataclasses.replace(TrainConfig().learning, imitate="lead-3")
    training = Training(_config(tmp_path, learning=learning), {"budget": 8})
    before = [weight.clone() for weight in training.network.head.worth.parameters()]
    training.update()
    after = training.network.head.worth.parameters()
    assert not any(torch.equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("imitate", ["oracle", "random"])
def test_a_run_goes_on_within_what_is_shown_as_if_it_had_not_stopped(imitate, tmp_path):
    learning = dataclasses.replace(TrainConfig().learning, imitate=imitate, imitation=0.5)
    config = _config(tmp_path, budget="2000", learning=learning)
    whole = Training(config, {"budget": 8})
    whole.update()
    whole.save(tmp_path)
    resumed = Training(config, {"budget": 8})
    resumed.restore(tmp_path)
    while not whole.is_done:
        assert whole.update() == resumed.update()
    theirs = resumed.network.state_dict()
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, theirs[name]), name


@pytest.mark.parametrize(
    ("agent", "imitate", "message"),
    [
        ("ppo", "lead-2", "no baseline is called 'lead-2'"),
        ("dqn", "oracle", "learning.imitate is for actor-critics"),
    ],
)
def test_what_cannot_be_imitated_is_refused(agent, imitate, message, tmp_path):
    learning = dataclasses.replace(TrainConfig().learning, imitate=imitate)
    with pytest.raises(ValueError, match=message):
        Training(_config(tmp_path, agent=agent, learning=learning), {})


def test_shares_of_imitation_are_shares():
    with pytest.raises(ValueError, match="imitation must be 1 or less"):
        dataclasses.replace(TrainConfig().learning, imitation=1.5)
