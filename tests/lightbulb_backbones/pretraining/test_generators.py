"""What is drawn after a checkpoint is drawn again, on the CPU and on a GPU."""

import json
from types import SimpleNamespace

import pytest
import torch

from lightbulb_backbones.pretraining.generators import generator_states, set_generator_states
from lightbulb_backbones.runs.checkpoint import encode_bytes

CPU, GPU = torch.device("cpu"), torch.device("cuda", 1)


class StandIn:
    """A GPU's generator, as `torch.cuda` gives it."""

    def __init__(self):
        self.own = torch.Generator().manual_seed(3)

    def get_rng_state(self, device):
        assert device == GPU
        return self.own.get_state()

    def set_rng_state(self, state, device):
        assert device == GPU
        self.own.set_state(state)


def _draw(gpu):
    return [*torch.rand(3).tolist(), *torch.rand(3, generator=gpu.own).tolist()]


def test_both_generators_go_back_to_where_they_were(capsys):
    gpu = StandIn()
    states = json.loads(json.dumps(generator_states(GPU, gpu)))
    drawn = _draw(gpu)
    assert _draw(gpu) != drawn
    set_generator_states(states, GPU, gpu)
    assert _draw(gpu) == drawn
    assert capsys.readouterr().err == ""


def test_on_a_cpu_no_gpu_is_asked(capsys):
    states = generator_states(CPU, SimpleNamespace())
    drawn = torch.rand(3)
    set_generator_states(states, CPU, SimpleNamespace())
    assert torch.equal(torch.rand(3), drawn)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("is_old", [False, True])
def test_a_checkpoint_without_the_gpus_state_is_told_and_gone_on_with(is_old, capsys):
    states = encode_bytes(torch.get_rng_state()) if is_old else generator_states(CPU)
    drawn = torch.rand(3)
    set_generator_states(states, GPU, StandIn())
    assert torch.equal(torch.rand(3), drawn)
    assert "will not end with the same weights, bit for bit" in capsys.readouterr().err
    set_generator_states(generator_states(GPU, StandIn()), CPU)
    assert "written on another kind of device" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_draws_again_what_it_drew():
    device = torch.device("cuda", torch.cuda.current_device())
    states = generator_states(device)
    drawn = torch.rand(3, device=device)
    set_generator_states(states, device)
    assert torch.equal(torch.rand(3, device=device), drawn)
