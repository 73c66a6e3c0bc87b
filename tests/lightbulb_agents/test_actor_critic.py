"""Our batched layer learns what Tianshou's own parts learn, from the same data."""

import copy

import numpy as np
import pytest
import torch
from tianshou.algorithm.modelfree.a2c import A2C
from tianshou.algorithm.modelfree.ppo import PPO
from tianshou.algorithm.modelfree.reinforce import DiscreteActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Batch, Collector, ReplayBuffer, VectorReplayBuffer
from tianshou.utils.torch_utils import policy_within_training_step

from lightbulb_agents.actor_critic import ArticlePPO, set_progress
from lightbulb_agents.articles import read_drafts
from lightbulb_agents.engine_envs import EngineVectorEnv
from lightbulb_agents.trunk import Actor, Critic, Trunk


def test_a_rollout_remembers_what_the_network_says(make_learner):
    learner = make_learner()
    batch = learner.collect()
    with torch.no_grad():
        logits, value = learner.trunk(batch.obs)
    chosen = logits.log_softmax(1).gather(1, batch.act[:, None]).squeeze(1)
    assert (torch.exp(chosen - batch.logp_old) - 1).abs().max() < 1e-5
    assert torch.allclose(value.double(), batch.v_s, atol=1e-6)


def test_episodes_lie_whole_and_in_order(make_learner):
    learner = make_learner()
    batch = learner.collect()
    ends = np.flatnonzero(batch.done)
    assert len(ends) == learner.engine.num_envs
    assert ends[-1] == len(batch) - 1
    starts = np.append(0, ends[:-1] + 1)
    assert np.allclose(np.asarray(batch.obs.vectors)[starts, 0], 1.0)
    assert np.array_equal(np.asarray(batch.obs.article)[starts], np.repeat(np.arange(8), 2))
    returns = np.add.reduceat(batch.rew, starts)
    finals = [sum(learner.engine.scores(row).values()) for row in range(16)]
    assert returns == pytest.approx(finals)


def test_next_values_are_those_of_the_next_step_and_zero_at_the_end(make_learner):
    batch = make_learner().collect()
    expected = np.where(batch.terminated, 0.0, np.append(batch.v_s.numpy()[1:], 0.0))
    assert np.allclose(batch.v_next, expected)


def test_an_episode_cut_off_is_worth_what_the_network_says_of_its_end(make_learner):
    learner = make_learner(max_steps=2)
    batch = learner.collect()
    cut = batch.truncated & ~batch.terminated
    assert cut.any()
    rows = np.arange(learner.engine.num_envs)
    with torch.no_grad():
        encoded = learner.network.encode(learner.trunk.tokens)
        drafts = read_drafts(learner.engine.observe(rows), rows // 2, learner.network.layout)
        _, value = learner.network.decide(encoded, drafts)
    ends = np.flatnonzero(batch.done)
    expected = np.where(np.asarray(batch.terminated)[ends], 0.0, value.numpy())
    assert np.allclose(np.asarray(batch.v_next)[ends], expected, atol=1e-6)


def test_the_article_that_a_step_names_is_the_one_that_its_row_plays(make_learner):
    learner = make_learner()
    learner.collect()
    rows = np.arange(learner.engine.num_envs)
    played = torch.from_numpy(learner.engine.observe(rows)["tokens"]).long()
    assert learner.trunk.tokens[rows // 2].equal(played)


def test_the_trunk_answers_anew_for_other_weights_and_for_gradients(make_learner):
    learner = make_learner()
    batch = learner.collect()
    with torch.no_grad():
        before = learner.trunk(batch.obs)[1]
        assert learner.trunk(batch.obs)[1] is before
    assert learner.trunk(batch.obs)[1].requires_grad
    last = list(learner.network.parameters())[-1]  # changing any weight is enough
    with torch.no_grad():
        last.add_(1.0)
        assert not learner.trunk(batch.obs)[1].equal(before)


def test_rollouts_of_a_document_differ_and_documents_are_fresh(make_learner):
    learner = make_learner()
    first = learner.collect()
    seen = set(learner.engine.instance(np.arange(16)).tolist())
    assert len(seen) == 8
    learner.collect()
    assert not seen & set(learner.engine.instance(np.arange(16)).tolist())
    assert len({tuple(row) for row in first.obs.picks.tolist()}) > 10


def test_minibatches_hold_whole_articles_and_every_step_once(make_learner):
    batch = make_learner(rows=32).collect()
    batch.logp_old = torch.arange(len(batch))
    parts = list(batch.split(30, merge_last=True))
    places = torch.cat([part.logp_old for part in parts])
    assert sorted(places.tolist()) == list(range(len(batch)))
    for part in parts:
        assert torch.equal(part.obs.picks, batch.obs.picks[part.logp_old])
        assert torch.equal(part.act, batch.act[part.logp_old])
    articles = [set(part.obs.article.tolist()) for part in parts]
    assert sum(map(len, articles)) == len(set.union(*articles))
    assert min(map(len, parts)) >= 30
    assert [len(part) for part in batch.split(-1)] == [len(batch)]


def test_actor_and_critic_share_one_run_of_the_network(make_learner, monkeypatch):
    learner = make_learner()
    batch = learner.collect()
    runs = []
    decide = learner.network.decide
    monkeypatch.setattr(
        learner.network, "decide", lambda *inputs: runs.append(1) or decide(*inputs)
    )
    with policy_within_training_step(learner.algorithm.policy):
        learner.algorithm.update(learner.collector.buffer, batch_size=20, repeat=2)
    assert len(runs) == sum(1 for _ in batch.split(20, merge_last=True)) * 2


class _StockBuffer(ReplayBuffer):
    """Tianshou's own buffer, filled with one rollout and its next observations."""

    def __init__(self, batch):
        super().__init__(size=len(batch))
        following = np.minimum(np.arange(len(batch)) + 1, len(batch) - 1)
        data = Batch({key: batch[key] for key in ("obs", "rew", "terminated", "truncated", "done")})
        data.act = batch.act.numpy()
        data.obs_next = batch.obs[following]
        data.info, data.policy = Batch(), Batch()
        self.set_batch(data)
        self._size = len(batch)
        self.last_index = np.array([len(batch) - 1])


@pytest.mark.parametrize(("name", "stock_class"), [("ppo", PPO), ("a2c", A2C)])
def test_the_learning_curve_is_tianshous_own(make_learner, name, stock_class):
    ours = make_learner(name)
    network = copy.deepcopy(ours.network)
    trunk = Trunk(network)
    config, space = ours.config, ours.engine.action_space
    own = {"eps_clip": config.clip} if name == "ppo" else {}
    # Tianshou's own preprocessing asks the network for values and old probabilities.
    stock = stock_class(
        policy=DiscreteActorPolicy(actor=Actor(trunk, int(space.n)), action_space=space),
        critic=Critic(trunk),
        optim=AdamOptimizerFactory(lr=config.learning_rate, eps=1e-5),
        vf_coef=config.value_loss,
        ent_coef=config.entropy_of("pointer"),
        max_grad_norm=config.max_grad_norm,
        gae_lambda=config.gae_lambda,
        gamma=1.0,
        **own,
    )
    for _ in range(5):
        batch = ours.collect()
        trunk.set_articles(ours.trunk.tokens)
        buffer = _StockBuffer(batch)
        statistics = []
        for algorithm, data in ((ours.algorithm, ours.collector.buffer), (stock, buffer)):
            with policy_within_training_step(algorithm.policy):
                statistics.append(algorithm.update(data, batch_size=None, repeat=2))
        for part in ("loss", "actor_loss", "vf_loss", "ent_loss"):
            one, other = (getattr(stats, part).mean for stats in statistics)
            assert one == pytest.approx(other, abs=5e-4), part
    for one, other in zip(ours.network.parameters(), network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_tianshous_own_collector_can_use_the_engine(make_learner):
    learner = make_learner()

    class Policy(torch.nn.Module):
        def forward(self, batch, state=None, **_):
            mask = torch.as_tensor(batch.obs.action_mask).float()
            return Batch(act=torch.multinomial(mask, 1).squeeze(1), state=None)

    policy = learner.algorithm.policy
    policy.forward = Policy().forward
    collector = Collector(policy, EngineVectorEnv(learner.engine), VectorReplayBuffer(640, 16))
    collector.reset()
    collected = collector.collect(n_episode=40)
    assert collected.n_collected_episodes == 40
    assert np.isfinite(collected.returns).all()


def test_rates_fall_to_zero_over_the_budget(make_learner):
    learner = make_learner()
    for done, left in ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0), (1.2, 0.0)):
        set_progress(learner.algorithm, learner.config, "pointer", done)
        group = learner.algorithm.optim._optim.param_groups[0]
        assert group["lr"] == pytest.approx(learner.config.learning_rate * left)
        assert learner.algorithm.ent_coef == pytest.approx(0.01 * left)


def test_bad_numbers_of_rows_and_names_are_refused(make_learner):
    with pytest.raises(ValueError, match="multiple of rollouts=2"):
        make_learner(rows=15)
    with pytest.raises(ValueError, match='"ppo" or "a2c"'):
        make_learner("sac")
    learner = make_learner()
    with pytest.raises(ValueError, match="n_episode=16"):
        learner.collector.collect(n_step=64)
    with pytest.raises(ValueError, match="read whole"):
        learner.collector.buffer.sample(3)


def test_long_gradients_are_shortened():
    module = torch.nn.Linear(3, 1, bias=False)
    before = module.weight.detach().clone()
    optimizer = ArticlePPO.Optimizer(torch.optim.SGD(module.parameters(), lr=1.0), module, 0.5)
    optimizer.step(1000 * module(torch.ones(3)).sum())
    assert (module.weight - before).norm().item() == pytest.approx(0.5, abs=1e-4)
