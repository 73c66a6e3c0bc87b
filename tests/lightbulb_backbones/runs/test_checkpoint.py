"""Checkpoints are whole or not there, keep two, and hold no pickle."""

import json

import pytest
import torch

from lightbulb_backbones.runs.checkpoint import (
    decode_bytes,
    encode_bytes,
    latest_checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    write_json,
)


def _learnt(seed: int):
    torch.manual_seed(seed)
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.randn(4, 3)).sum().backward()
        optimizer.step()
    return network, optimizer


def test_network_optimizer_and_state_come_back(tmp_path):
    network, optimizer = _learnt(0)
    learner = {"replay.rew": torch.arange(3.0)}
    save_checkpoint(tmp_path, 10, network, optimizer, {"steps": 10}, learner)
    other, other_optimizer = _learnt(1)
    state, tensors = load_checkpoint(latest_checkpoint(tmp_path), other, other_optimizer)
    assert state == {"steps": 10}
    assert list(tensors) == ["replay.rew"]
    assert torch.equal(tensors["replay.rew"], torch.arange(3.0))
    for one, two in ((network, optimizer), (other, other_optimizer)):
        two.zero_grad()
        one(torch.ones(1, 3)).sum().backward()
        two.step()
    assert torch.equal(network.weight, other.weight)
    assert optimizer.state_dict()["param_groups"] == other_optimizer.state_dict()["param_groups"]


def test_only_the_last_two_are_kept(tmp_path):
    network, optimizer = _learnt(0)
    for steps in (1, 2, 3, 4):
        save_checkpoint(tmp_path, steps, network, optimizer, {})
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["000000000003", "000000000004", "latest.json"]


def test_an_unfinished_checkpoint_is_never_the_latest(tmp_path, monkeypatch):
    network, optimizer = _learnt(0)
    save_checkpoint(tmp_path, 1, network, optimizer, {})

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lightbulb_backbones.runs.checkpoint._split_optimizer", fail)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, 2, network, optimizer, {})
    assert latest_checkpoint(tmp_path).name == "000000000001"
    monkeypatch.undo()
    save_checkpoint(tmp_path, 2, network, optimizer, {})
    assert latest_checkpoint(tmp_path).name == "000000000002"


def test_no_checkpoint_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        latest_checkpoint(tmp_path)


def test_a_generator_s_state_survives_json():
    generator = torch.Generator()
    generator.manual_seed(5)
    text = json.loads(json.dumps(encode_bytes(generator.get_state())))
    drawn = torch.rand(4, generator=generator)
    generator.set_state(decode_bytes(text))
    assert torch.equal(torch.rand(4, generator=generator), drawn)


def test_json_is_replaced_whole_and_holds_no_nan(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}


def test_weights_that_are_no_numbers_are_damage(tmp_path):
    network, optimizer = _learnt(0)
    with torch.no_grad():
        network.weight[0, 0] = float("nan")
    save_checkpoint(tmp_path, 1, network, optimizer, {})
    with pytest.raises(ValueError, match="damaged .weight holds a number that is not finite"):
        load_checkpoint(latest_checkpoint(tmp_path), *_learnt(1))


def test_weights_of_another_network_are_told_from_damage(tmp_path):
    network, optimizer = _learnt(0)
    save_checkpoint(tmp_path, 1, network, optimizer, {})
    with pytest.raises(ValueError, match="does not fit the network that .*run.json describes"):
        load_weights(latest_checkpoint(tmp_path), torch.nn.Linear(4, 2))


def test_what_a_learner_needs_is_told_when_it_is_damaged(tmp_path):
    network, optimizer = _learnt(0)
    for steps in (1, 2):
        save_checkpoint(tmp_path, steps, network, optimizer, {"steps": steps}, {"a": torch.ones(3)})
    newest = latest_checkpoint(tmp_path)
    file = newest / "learner.safetensors"
    whole = file.read_bytes()
    for damage in (whole[:-2], b""):
        file.write_bytes(damage)
        with pytest.raises(ValueError, match=r"learner\.safetensors is damaged.*0001 is whole"):
            load_checkpoint(newest, *_learnt(1))
    file.unlink()
    with pytest.raises(ValueError, match=r"learner\.safetensors is not there"):
        load_checkpoint(newest, *_learnt(1))
