"""The network masks, forgets padding, and reads an article once."""

import numpy as np
import pytest
import torch

import lightbulb_envs
from lightbulb_agents.articles import order_of_picks, read_drafts
from lightbulb_agents.choices import Pick
from lightbulb_agents.heads import Pages
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork, NetworkConfig
from lightbulb_agents.neural_actor import NeuralActor
from lightbulb_backbones import BackboneConfig
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/NewsSummariser-v0"


@pytest.fixture
def network(backbone_name):
    torch.manual_seed(0)
    config = NetworkConfig(BackboneConfig(backbone_name, width=16, heads=2))
    engine = lightbulb_envs.make_engine(ID, 1)
    layout = Layout.of(engine.observation_space, engine.action_space)
    made = ActorCriticNetwork(engine.source.vocabulary.size, "pointer", layout, config)
    # Fresh heads are near zero; larger weights make every difference visible.
    with torch.no_grad():
        for weight in made.head.parameters():
            weight.normal_(std=0.3)
    return made.eval()


def _observe(rows=6, picks=(), **settings):
    engine = lightbulb_envs.make_engine(ID, rows, **settings)
    everyone = np.arange(rows)
    engine.reset(everyone, everyone)
    for pick in picks:
        engine.step(everyone, np.full(rows, pick))
    return engine.observe(everyone)


def _decide(network, seen):
    with torch.inference_mode():
        articles = network.encode(torch.from_numpy(seen["tokens"]).long())
        return network.decide(
            articles, read_drafts(seen, np.arange(len(seen["tokens"])), network.layout)
        )


def test_illegal_actions_have_no_probability_and_legal_ones_have(network):
    seen = _observe(picks=(2, 5))
    logits, value = _decide(network, seen)
    assert torch.equal(logits.isfinite(), torch.from_numpy(seen["action_mask"]).bool())
    assert value.shape == (6,)
    assert value.isfinite().all()


def test_room_for_more_sentences_and_tokens_changes_nothing(network):
    seen = _observe(picks=(1,))
    wide = {name: array.copy() for name, array in seen.items()}
    wide["tokens"] = np.pad(seen["tokens"], ((0, 0), (0, 7), (0, 5)))
    wide["selected"] = np.pad(seen["selected"], ((0, 0), (0, 7)))
    mask = seen["action_mask"]
    wide["action_mask"] = np.concatenate(
        (mask[:, :-1], np.zeros((6, 7), mask.dtype), mask[:, -1:]), axis=1
    )
    logits, value = _decide(network, seen)
    wide_logits, wide_value = _decide(network, wide)
    kept = torch.cat((wide_logits[:, : mask.shape[1] - 1], wide_logits[:, -1:]), 1)
    assert torch.allclose(logits, kept, atol=1e-5)
    assert torch.allclose(value, wide_value, atol=1e-5)


def test_an_article_is_read_alike_alone_and_among_others(network):
    seen = _observe(picks=(0,))
    logits, value = _decide(network, seen)
    for row in range(6):
        alone = {name: array[row : row + 1] for name, array in seen.items()}
        own_logits, own_value = _decide(network, alone)
        assert torch.allclose(own_logits[0], logits[row], atol=1e-5)
        assert torch.allclose(own_value[0], value[row], atol=1e-5)


def test_the_draft_matters_and_so_does_the_budget(network):
    before, _ = _decide(network, _observe())
    after, _ = _decide(network, _observe(picks=(3,)))
    open_before = before[:, [0, 1, 2, 4]]
    open_after = after[:, [0, 1, 2, 4]]
    assert (open_before - open_after).abs().max() > 1e-3
    rich, _ = _decide(network, _observe(budget=8))
    assert torch.allclose(rich, before, atol=1e-5), "the budget is seen as a share"


def test_picks_are_read_in_the_order_of_picking():
    selected = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=np.int8)
    assert order_of_picks(selected).tolist() == [[3, 1], [-1, -1], [0, -1]]


def test_chunks_that_are_not_read_yet_are_told_apart_by_their_places():
    engine = lightbulb_envs.make_engine("Lightbulb/SentimentAnalysis-Skim-v0", 8)
    everyone = np.arange(8)
    engine.reset(everyone, everyone)
    seen = engine.observe(everyone)
    torch.manual_seed(0)
    config = NetworkConfig(BackboneConfig("bag", width=16, heads=2))
    network = ActorCriticNetwork(
        engine.source.vocabulary.size, "pointer", Layout.of_engine(engine), config
    ).eval()
    for logits in _decide(network, seen)[0]:
        unread = logits[: engine.reads][logits[: engine.reads].isfinite()]
        assert len(unread) >= 2
        assert len(unread.unique()) == len(unread)


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="there are pointer"):
        ActorCriticNetwork(10, "spline", Layout(3), NetworkConfig())


def test_sampling_follows_the_probabilities():
    generator = torch.Generator()
    generator.manual_seed(0)
    logits = torch.tensor([[0.0, float("-inf"), 1.0]]).expand(20_000, 3)
    counts = Pick(logits).draw(generator).bincount(minlength=3) / 20_000
    assert counts.tolist() == pytest.approx([0.269, 0.0, 0.731], abs=0.01)


def test_an_actor_encodes_an_article_once_an_episode(network, monkeypatch):
    calls = []
    encode = network.encode
    monkeypatch.setattr(
        network, "encode", lambda tokens: calls.append(len(tokens)) or encode(tokens)
    )
    engine = lightbulb_envs.make_engine(ID, 5, split="test")
    episodes = roll_out(NeuralActor(network, samples=True), engine, np.arange(10), seed=0)
    assert calls == [5, 5]
    assert max(len(episode.actions) for episode in episodes) > 1


def test_an_actor_acts_alike_in_batches_of_any_size(network):
    played = [
        roll_out(NeuralActor(network), lightbulb_envs.make_engine(ID, rows), np.arange(6))
        for rows in (1, 4, 6)
    ]
    assert played[0] == played[1] == played[2]


def test_an_actor_acts_where_there_is_room_for_fewer_sentences(network):
    engine = lightbulb_envs.make_engine(ID, 4, level=0)  # 10, and 22 at the usual level
    played = roll_out(NeuralActor(network), engine, np.arange(4))
    assert all(action <= 10 for episode in played for action in episode.actions)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_gradient_of_shared_articles_adds_up_in_the_order_of_the_steps(threads):
    # On several threads the gradient of `tensor[rows]` adds up in an order that changes.
    torch.manual_seed(0)
    states = torch.randn(4, 22, 64, requires_grad=True)
    articles = Pages(states, states, states, states, states, states)
    rows = torch.randint(4, (400,))
    upstream = torch.randn(400, 22, 64)
    expected = torch.zeros(4, 22, 64)
    for row, gradient in zip(rows.tolist(), upstream, strict=True):
        expected[row] += gradient
    torch.set_num_threads(threads)
    try:
        (found,) = torch.autograd.grad((articles[rows].states * upstream).sum(), states)
    finally:
        torch.set_num_threads(1)
    assert found.equal(expected)


def test_hidden_tokens_are_hidden_while_it_learns_and_never_a_whole_sentence():
    engine = lightbulb_envs.make_engine(ID, 1)
    layout = Layout.of_engine(engine)
    config = NetworkConfig(BackboneConfig("bag", width=16, heads=2), dropout=0.5)
    made = ActorCriticNetwork(engine.source.vocabulary.size, "pointer", layout, config)
    seen = torch.from_numpy(_observe()["tokens"]).long()
    plain = made.eval().encode(seen)
    assert torch.equal(plain.states, made.encode(seen).states)
    made.train()
    assert not torch.equal(made.encode(seen).states, made.encode(seen).states)
    tokens = torch.tensor([[5, 6, 7, 8], [9, 0, 0, 0]]).repeat(2000, 1)
    kept = made.encoder._kept(tokens)
    assert not kept[tokens == 0].any()
    assert kept[1::2, 0].all()  # a sentence's only token
    assert kept[::2].any(dim=1).all()
    assert kept[::2].float().mean() == pytest.approx(0.5 + 0.5**4 * 0.5, abs=0.04)
