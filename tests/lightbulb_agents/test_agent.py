"""One agent of several environments: sub-agents of both kinds over one encoder."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import lightbulb_envs
from lightbulb_agents.agent import Agent, JointOptimizer, Task, joint_tables, task_from_json
from lightbulb_agents.agent import task_to_json as to_json
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.dqn import QConfig
from lightbulb_agents.evaluate import EvaluateConfig, evaluate_run
from lightbulb_agents.joint_training import JointTraining, train_jointly
from lightbulb_agents.network import ActorCriticNetwork, QNetwork
from lightbulb_agents.run import Run, _task_for
from lightbulb_agents.train import run_joint_training
from lightbulb_envs.record import read_records
from lightbulb_envs.replay import replay

PICK, READ = "Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0"
CONFIG = TrainConfig(
    env=PICK,
    also=(READ,),
    also_agent=("dqn",),
    budget="2500",
    rows=32,
    sizes=Sizes(width=16, heads=2),
    q=QConfig(prefill=100, minibatch=64, replay_size=600, target_every=5),
    test_episodes=12,
)


def tasks_of(config=CONFIG):
    return [Task.of(one) for one in config.tasks()]


def test_what_two_vocabularies_have_in_common_is_one_piece():
    size, (one, other) = joint_tables([("", "b", "a"), ("", "c", "a", "d")])
    assert size == 5
    assert one.tolist() == [0, 2, 1]
    assert other.tolist() == [0, 3, 1, 4]


def test_sub_agents_of_both_kinds_share_every_weight_of_the_encoder():
    agent = Agent(tasks_of())
    assert isinstance(agent.networks[PICK], ActorCriticNetwork)
    assert isinstance(agent.networks[READ], QNetwork)
    shared = {id(weight) for weight in agent.encoder.parameters()}
    for network in agent.networks.values():
        own = {id(weight) for weight in network.parameters()}
        assert shared < own
        assert own - shared == {id(weight) for weight in network.head.parameters()}
    names = set(agent.state_dict())
    assert {name.split(".")[0] for name in names} == {"encoder", "heads"}
    assert len(names) == len(list(agent.parameters()))


def test_a_task_is_read_in_its_own_pieces_and_order():
    agent = Agent(tasks_of()).eval()
    engines = {env_id: lightbulb_envs.make_engine(env_id, 2) for env_id in (PICK, READ)}
    for env_id, engine in engines.items():
        engine.reset(np.arange(2), np.arange(2))
        if env_id == READ:
            for _ in range(3):
                engine.step(np.arange(2), np.zeros(2, dtype=np.int64))
        tokens = torch.from_numpy(engine.observe(np.arange(2))["tokens"]).long()
        pieces = engine.source.vocabulary.pieces
        place = {piece: number for number, piece in enumerate(all_pieces())}
        named = torch.tensor([[[place[pieces[t]] if t else 0 for t in row] for row in text]
                              for text in tokens.tolist()])  # fmt: skip
        states, is_real = agent.networks[env_id].encoder(tokens)
        wanted, _ = agent.encoder(named, env_id == READ)
        assert torch.equal(states[is_real], wanted[is_real])
        other, _ = agent.encoder(named, env_id != READ)
        assert not torch.equal(states[is_real], other[is_real])


def test_words_are_read_in_the_pieces_of_their_task():
    write = "Lightbulb/NewsSummariser-Tokens-v0"
    config = dataclasses.replace(CONFIG, env=write, also=(READ,), also_agent=("dqn",))
    tasks = tasks_of(config)
    agent = Agent(tasks).eval()
    _, (table, _) = joint_tables([task.pieces for task in tasks])
    engine = lightbulb_envs.make_engine(write, 2, reward={"rouge1": 1.0})
    engine.reset(np.arange(2), np.arange(2))
    words = torch.from_numpy(engine.observe(np.arange(2))["words"]).long()
    with torch.inference_mode():
        states = agent.networks[write].encoder.read_words(words)
        assert torch.equal(states, agent.encoder.read_words(table[words]))
        assert not torch.equal(table[words], words)


def all_pieces():
    union = {piece for task in tasks_of() for piece in task.pieces[1:]}
    return ["", *sorted(union)]


def test_a_task_is_plain_data_but_for_its_pieces():
    for task in tasks_of():
        assert task_from_json(to_json(task)) == task


def test_optimizers_are_saved_and_read_back_as_one():
    def made(seed):
        torch.manual_seed(seed)
        layers = [torch.nn.Linear(3, 2), torch.nn.Linear(2, 4)]
        optimizers = [torch.optim.Adam(layers[0].parameters(), lr=0.1),
                      torch.optim.Adam([{"params": layers[1].weight}, {"params": layers[1].bias}],
                                       lr=0.2)]  # fmt: skip
        for layer, optimizer in zip(layers, optimizers, strict=True):
            layer(torch.randn(5, layer.in_features)).square().sum().backward()
            optimizer.step()
        return optimizers

    one, other = made(0), made(1)
    state = JointOptimizer(one).state_dict()
    assert sorted(state["state"]) == [0, 1, 2, 3]
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2], [3]]
    JointOptimizer(other).load_state_dict(state)
    for left, right in zip(one, other, strict=True):
        held, wanted = right.state_dict()["state"], left.state_dict()["state"]
        assert held.keys() == wanted.keys()
        for number, values in wanted.items():
            assert torch.equal(held[number]["exp_avg"], values["exp_avg"])


def test_a_run_that_goes_on_from_a_checkpoint_is_the_run_that_never_stopped(tmp_path):
    whole = JointTraining(CONFIG)

    def rounds(joint, count):
        return [[training.update() for training in joint.trainings.values()] for _ in range(count)]

    rounds(whole, 4)
    whole.save(tmp_path)
    other = JointTraining(dataclasses.replace(CONFIG))
    rounds(other, 1)
    other.restore(tmp_path)
    assert rounds(whole, 3) == rounds(other, 3)
    for one, two in zip(whole.agent.parameters(), other.agent.parameters(), strict=True):
        assert torch.equal(one, two)


def test_one_checkpoint_serves_every_task_and_is_measured_on_each(tmp_path):
    run = tmp_path / "run"
    results = run_joint_training(dataclasses.replace(CONFIG, run_folder=run))
    assert list(results) == [PICK, READ]
    assert sorted(path.name for path in (run / "checkpoints").glob("0*"))
    for env_id, told in results.items():
        again, records = evaluate_run(EvaluateConfig(run, env_id, episodes=12))
        assert again.entry("trained") == told.entry("trained")
        assert replay(records).differences == ()
        part = Run.load(run, env_id)
        assert replay(read_records(part.folder / "episodes.jsonl")).differences == ()
        assert (part.folder / "report.html").is_file()
        assert evaluate_run(EvaluateConfig(part.folder, episodes=12))[0] == again
    other, _ = evaluate_run(EvaluateConfig(run, "Lightbulb/NewsSummariser-Hard-v0", episodes=3))
    assert other.env_id == "Lightbulb/NewsSummariser-Hard-v0"
    with pytest.raises(ValueError, match=f"holds an agent of {PICK}, {READ}: name one of them"):
        Run.load(run)
    with pytest.raises(ValueError, match="0 of them act through the 'slate' head"):
        Run.load(run, "Lightbulb/NewsSummariser-Slate-v0")
    with pytest.raises(FileExistsError, match="holds a run already"):
        run_joint_training(dataclasses.replace(CONFIG, run_folder=run))
    again = dataclasses.replace(CONFIG, run_folder=run, resume=True)
    assert run_joint_training(again) == results
    with pytest.raises(ValueError, match="also_agent"):
        run_joint_training(dataclasses.replace(again, also_agent=("ppo",)))


def test_a_task_whose_budget_is_spent_waits_for_the_others(tmp_path, monkeypatch):
    joint = JointTraining(dataclasses.replace(CONFIG, budget="1200"))
    for training in joint.trainings.values():
        update = training.update

        def checked(training=training, update=update):
            assert not training.is_done
            return update()

        monkeypatch.setattr(training, "update", checked)
    validations = {name: Nothing() for name in joint.trainings}
    for name in joint.trainings:
        (tmp_path / name).mkdir()
    train_jointly(joint, validations, tmp_path, resumed=False)
    steps = [training.steps for training in joint.trainings.values()]
    assert min(steps) >= 1200
    assert steps[0] != steps[1]


class Nothing:
    """What measures no point of a learning curve."""

    split = "validation"

    def measure(self, network):
        return 0.0, 0.0


def test_of_two_tasks_with_one_head_that_which_was_trained_on_is_taken():
    hard = "Lightbulb/NewsSummariser-Hard-v0"
    tasks = [{"env_id": one, "name": one[10:], "head": "pointer"} for one in (PICK, hard)]
    assert _task_for(Path("run"), tasks, hard) == "NewsSummariser-Hard-v0"
    with pytest.raises(ValueError, match="2 of them act through the 'pointer' head"):
        _task_for(Path("run"), tasks, "Lightbulb/NewsSummariser-Easy-v0")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"also": (PICK,), "also_agent": ()}, "learns each environment once"),
        ({"also_agent": ("dqn", "ppo")}, "names 1 environments and --also-agent 2"),
        ({"settings": ("level=0",)}, "leave out --settings and --source, or --also"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **changes)


def test_auto_takes_the_sub_agents_that_the_registry_recommends():
    config = dataclasses.replace(CONFIG, also_agent=())
    wanted = {"actor_critic": "ppo", "dqn": "dqn"}
    for task in config.tasks():
        assert task.algorithm() == wanted[lightbulb_envs.find_row(task.env).agent]
    assert config.folder().name == "NewsSummariser-v0+SentimentAnalysis-v0-ppo+ppo-2500-0"
