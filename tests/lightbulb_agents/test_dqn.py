"""Q-learning masks, explores by its own generator, and learns what Tianshou's own learns."""

import dataclasses

import numpy as np
import pytest
import torch
from tianshou.algorithm.modelfree.dqn import DQN, DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import ReplayBuffer
from tianshou.utils.torch_utils import policy_within_training_step

import lightbulb_envs
from lightbulb_agents.articles import Drafts
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.dqn import QConfig, QLearner, QTrunk
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import NetworkConfig, QNetwork
from lightbulb_agents.training import Training
from lightbulb_backbones import BackboneConfig

PICK, READ = "Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0"
HEADS = {PICK: "pointer", READ: "categorical"}
SKIM = "Lightbulb/SentimentAnalysis-Skim-v0"
QUIET = QConfig(prefill=0, replay_ratio=0, minibatch=32)


def make(env_id=PICK, config=QUIET, name="dqn", rows=16, seed=0, limit=None, **sizes):
    torch.manual_seed(seed)
    engine = lightbulb_envs.make_engine(env_id, rows, split="train")
    if limit is not None:
        engine = type(engine)(engine.config, rows, limit)
    layout = Layout.of_engine(engine)
    quantiles = config.quantiles if name == "qrdqn" else 1
    shape = NetworkConfig(
        BackboneConfig("bag", width=16, heads=2), quantiles=quantiles, dueling=config.dueling
    )
    network = QNetwork(
        engine.source.vocabulary.size, HEADS.get(env_id, "categorical"), layout, shape
    )
    with torch.no_grad():
        for weight in network.head.parameters():
            weight.normal_(std=0.3)
    return QLearner(name, network, engine, config, 2, 1000, seed)


def played(**settings):
    learner = make(**settings)
    learner.update(0)
    return learner


def seen_by(learner, obs):
    """Returns what a network is shown of observations of the replay."""
    articles = torch.from_numpy(learner.replay.articles.take(np.asarray(obs.article)))
    return articles, Drafts(
        article=torch.arange(len(articles)),
        **{
            name: torch.from_numpy(np.asarray(obs[name]))
            for name in ("picks", "vectors", "action_mask", "features", "seen")
        },
    )


@pytest.mark.parametrize("env_id", HEADS)
@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
def test_no_illegal_action_is_taken_whatever_is_explored(env_id, epsilon):
    learner = make(env_id)
    learner.collector.epsilon = epsilon
    for _ in range(3):
        learner.collector.collect(n_episode=16)
    batch = learner.replay[learner.replay.sample_indices(0)]
    assert np.asarray(batch.obs.action_mask)[np.arange(len(batch)), batch.act].all()


def test_exploring_is_uniform_over_legal_actions():
    learner = make()
    logits = torch.tensor([[0.5, -torch.inf, 3.0, 1.0]]).repeat(9000, 1)
    learner.collector.epsilon = 1.0
    drawn, _ = learner.collector._choose(logits)
    assert np.bincount(drawn, minlength=4) / 9000 == pytest.approx(
        [1 / 3, 0, 1 / 3, 1 / 3], abs=0.02
    )
    learner.collector.epsilon = 0.3
    drawn, _ = learner.collector._choose(logits)
    assert np.bincount(drawn, minlength=4) / 9000 == pytest.approx([0.1, 0, 0.8, 0.1], abs=0.02)


def test_exploration_falls_from_one_by_the_budget():
    learner = make(config=dataclasses.replace(QUIET, prefill=100, exploration=0.5, epsilon=0.1))
    for steps, epsilon, rate in (
        (0, 1.0, 1.0),
        (99, 1.0, 0.901),
        (250, 0.55, 0.75),
        (900, 0.1, 0.1),
    ):
        measured = learner.update(steps)
        assert measured["epsilon"] == pytest.approx(epsilon)
        assert measured["learning_rate"] == pytest.approx(1e-3 * rate)


def test_one_seed_is_one_run_and_the_global_generator_is_left_alone():
    np.random.seed(1)  # noqa: NPY002 # which is what must not be used
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    config = QConfig(prefill=30, minibatch=32, target_every=3)
    one, other = (make(config=config) for _ in range(2))
    steps = 0
    for _ in range(4):
        measured, again = one.update(steps), other.update(steps)
        assert measured == again
        steps += measured["steps"]
    assert "value_loss" in measured
    for left, right in zip(one.algorithm.parameters(), other.algorithm.parameters(), strict=True):
        assert torch.equal(left, right)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("env_id", HEADS)
@pytest.mark.parametrize("is_double", [True, False])
@pytest.mark.parametrize("n_step", [1, 3])
def test_targets_are_the_next_rewards_and_the_best_legal_value(env_id, is_double, n_step):
    config = dataclasses.replace(QUIET, n_step=n_step, double=is_double)
    learner = played(env_id=env_id, config=config, limit=3 if env_id == PICK else 2, rows=48)
    with torch.no_grad():  # so that the target network is another one
        for weight in learner.algorithm.model_old.module.network.head.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
        for algorithm in (learner.algorithm.policy.model, learner.algorithm.model_old.module):
            algorithm.network.head.worth[-1].bias.sub_(5)  # so that 0 is more than a legal value
    places = learner.replay.sample_indices(0)
    batch = learner.replay[places]
    found = learner.algorithm._preprocess_batch(batch, learner.replay, places).returns
    target = learner.algorithm.model_old.module.network
    assert batch.truncated.any()
    for place in places.tolist():
        total, here = 0.0, place
        for _ in range(n_step):
            last = here
            total += learner.replay.rew[here]
            if learner.replay.done[here]:
                break
            here += 1
        if not learner.replay.terminated[last]:
            articles, drafts = seen_by(learner, learner.replay[np.array([last])].obs_next)
            with torch.no_grad():
                values, _ = target.decide(target.encode(articles), drafts)
                network = learner.collector._trunk.network
                own, _ = network.decide(network.encode(articles), drafts)
            chosen = (own if is_double else values).argmax(dim=1)
            total += float(values[0, chosen])
        assert float(found.flatten()[place]) == pytest.approx(total, abs=1e-4)


def test_what_follows_a_cut_is_what_was_seen_after_it():
    learner = played(env_id=READ, limit=2)
    batch = learner.replay[learner.replay.sample_indices(0)]
    cut = batch.truncated & ~batch.terminated
    assert cut.any()
    tokens = learner.replay.articles.take(np.asarray(batch.obs_next.article)[cut])
    assert ((tokens != 0).any(axis=2).sum(axis=1) == 3).all()  # the title and two chunks
    assert (batch.obs_next.seen[cut] == 3).all()
    assert (batch.obs.seen[cut] == 2).all()


def test_the_articles_of_steps_that_are_kept_are_kept():
    config = dataclasses.replace(QUIET, replay_size=110)
    learner = make(env_id=SKIM, config=config, limit=3)  # its articles change as they are read
    store = learner.replay.articles
    for _ in range(6):
        learner.update(0)
        batch = learner.replay[learner.replay.sample_indices(0)]
        for seen in (batch.obs, batch.obs_next):
            article = np.asarray(seen.article)
            assert article.min() >= store.first
            assert article.max() < store.end
        rows = (store.take(np.asarray(batch.obs.article)) != 0).any(axis=2).sum(axis=1)
        following = np.where(batch.done[:-1], 1, rows[:-1] + 1)  # a title, and a chunk a step
        assert np.array_equal(rows[1:], following)
    assert store.first > 0


@pytest.mark.parametrize("env_id", HEADS)
def test_advantages_of_legal_actions_are_measured_from_their_mean(env_id):
    learner = played(env_id=env_id)
    articles, drafts = seen_by(learner, learner.replay[np.arange(20)].obs)
    network = learner.collector._trunk.network
    encoded = network.encode(articles)
    with torch.no_grad():
        values, best = network.decide(encoded, drafts)
        advantage, state = network.head(encoded, drafts)
    is_legal = drafts.action_mask
    assert torch.equal(values.isfinite(), is_legal)
    known = values.masked_fill(~is_legal, 0.0)
    assert torch.allclose(known.sum(1) / is_legal.sum(1), state, atol=1e-5)
    gaps = known - known.max(1, keepdim=True).values
    expected = advantage - advantage.max(1, keepdim=True).values
    assert torch.allclose(gaps[is_legal], expected[is_legal], atol=1e-5)
    assert torch.equal(best, values.amax(dim=1))


@pytest.mark.parametrize("env_id", HEADS)
def test_quantiles_are_several_numbers_an_action(env_id):
    config = dataclasses.replace(QUIET, quantiles=5)
    learner = played(env_id=env_id, name="qrdqn", config=config)
    articles, drafts = seen_by(learner, learner.replay[np.arange(10)].obs)
    network = learner.collector._trunk.network
    with torch.no_grad():
        encoded = network.encode(articles)
        quantiles = network.quantiles(encoded, drafts)
        values, _ = network.decide(encoded, drafts)
    assert quantiles.shape == (10, values.shape[1], 5)
    known = values.masked_fill(~drafts.action_mask, 0.0)
    assert torch.allclose(quantiles.mean(dim=2), known, atol=1e-6)
    with policy_within_training_step(learner.algorithm.policy):
        learnt = learner.algorithm.update(learner.replay, 32)
    assert np.isfinite(learnt.loss)


def test_where_nothing_is_legal_values_are_zero_and_no_nan_comes_of_it():
    learner = played()
    batch = learner.replay[np.arange(4)]
    batch.obs.action_mask = np.zeros_like(np.asarray(batch.obs.action_mask))
    for is_distribution in (False, True):
        trunk = QTrunk(
            learner.collector._trunk.network,
            learner.replay.articles,
            is_distribution=is_distribution,
        )
        values, _ = trunk(batch.obs)
        assert (values == 0).all()


class _SameSteps(ReplayBuffer):
    """Tianshou's own buffer, which draws what it is told to."""

    drawn = np.zeros(0, dtype=np.int64)

    def sample_indices(self, batch_size):
        return self.drawn


def test_the_learning_curve_is_tianshous_own():
    config = dataclasses.replace(QUIET, target_every=2, max_grad_norm=1e9)
    learner = played(config=config)
    trunk = QTrunk(
        make(config=config).collector._trunk.network, learner.replay.articles, is_distribution=False
    )
    stock = DQN(
        policy=DiscreteQLearningPolicy(
            model=trunk, action_space=learner.collector.engine.action_space
        ),
        optim=AdamOptimizerFactory(lr=config.learning_rate, eps=1e-5),
        gamma=1.0,
        n_step_return_horizon=config.n_step,
        target_update_freq=config.target_every,
    )
    steps = learner.replay[learner.replay.sample_indices(0)]
    buffer = _SameSteps(len(steps))
    for step in steps:
        buffer.add(step)
    generator = np.random.default_rng(0)
    for _ in range(6):
        buffer.drawn = generator.integers(len(steps), size=24)
        learner.replay.sample_indices = lambda size: buffer.drawn
        losses = []
        for algorithm, data in ((learner.algorithm, learner.replay), (stock, buffer)):
            with policy_within_training_step(algorithm.policy):
                losses.append(algorithm.update(data, 24).loss)
        assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    ours = learner.collector._trunk.network.parameters()
    for one, other in zip(ours, trunk.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_a_distribution_of_one_seed_is_learnt_by_priorities_too():
    config = QConfig(prefill=0, minibatch=16, prioritized=True, target_every=2, quantiles=5)
    for name in ("dqn", "qrdqn"):
        learner = make(config=config, name=name)
        before = np.asarray(learner.replay.weight[np.arange(4)]).copy()
        assert np.isfinite(learner.update(0)["value_loss"])
        assert not np.array_equal(np.asarray(learner.replay.weight[np.arange(4)]), before)


@pytest.mark.parametrize(
    "flags",
    [{"agent": "dqn"}, {"agent": "qrdqn"}, {"agent": "dqn", "prioritized": True}],
    ids=["dqn", "qrdqn", "prioritized"],
)
def test_a_run_that_goes_on_from_a_checkpoint_is_the_run_that_never_stopped(flags, tmp_path):
    prioritized = flags.get("prioritized", False)
    config = TrainConfig(
        env=READ,
        agent=flags["agent"],
        budget="4000",
        rows=32,
        q=QConfig(prefill=100, minibatch=64, replay_size=300, quantiles=5, target_every=5,
                  prioritized=prioritized),
    )  # fmt: skip
    whole = Training(config, {})
    for _ in range(8):
        whole.update()
    whole.save(tmp_path)
    other = Training(config, {})
    other.restore(tmp_path)
    for _ in range(4):
        assert whole.update() == other.update()
    for one, two in zip(whole.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(one, two)
    whole.save(tmp_path / "last", is_last=True)
    (last,) = (tmp_path / "last" / "checkpoints").glob("0*")
    assert not (last / "learner.safetensors").exists()


@pytest.mark.parametrize("head", ["slate", "multibinary"])
def test_choosing_several_at_once_is_refused(head):
    with pytest.raises(ValueError, match="values of single actions.*--agent ppo"):
        QNetwork(10, head, Layout(actions=3), NetworkConfig())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 1.5}, "epsilon must be 1 or less"),
        ({"n_step": 0}, "n_step must be 1 or more"),
        ({"quantiles": 1}, "quantiles must be 2 or more"),
        ({"replay_ratio": -1}, "replay_ratio must be 0 or more"),
        ({"prefill": -1}, "prefill must be 0 or more"),
        ({"alpha": 0}, "alpha must be more than 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        QConfig(**settings)


@pytest.mark.slow
@pytest.mark.parametrize(("agent", "steps"), [("dqn", 40_000), ("qrdqn", 80_000)])
def test_it_learns_to_read(agent, steps):
    config = TrainConfig(env=READ, agent=agent, budget=str(steps), settings=("level=0",))
    training = Training(config, {"level": 0})
    before = np.mean([training.update()["training_return"] for _ in range(5)])
    while training.steps < steps:
        after = training.update()["training_return"]
    assert after > before + 0.3


def test_a_budget_that_is_all_prefill_is_refused_and_by_default_is_none():
    with pytest.raises(ValueError, match=r"prefill=1,000 leaves nothing of a budget of 1,000"):
        make(config=dataclasses.replace(QUIET, prefill=1000))
    learner = make(config=QConfig(minibatch=32))  # of 1,000 steps, so a tenth
    assert "value_loss" not in learner.update(0)
    assert "value_loss" in learner.update(100)
