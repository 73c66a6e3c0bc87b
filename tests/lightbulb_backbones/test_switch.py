"""The switch layer computes what `transformers` does, feeds no padding, and is balanced."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import multiprocessing
from transformers import SwitchTransformersConfig
from transformers.models.switch_transformers.modeling_switch_transformers import (
    SwitchTransformersSparseMLP,
)

from lightbulb_backbones.sequence_router import worth_loss
from lightbulb_backbones.switch import Routed, SwitchFeedForward, balance_loss, z_loss


def _layer(experts=4, **settings):
    torch.manual_seed(0)
    return SwitchFeedForward(8, 16, experts, **settings).double()


def _states(rows=3, tokens=10, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(rows, tokens, 8, generator=chance, dtype=torch.float64)


@pytest.mark.parametrize("is_training", [False, True])
def test_it_computes_what_transformers_does(is_training):
    torch.manual_seed(0)
    config = SwitchTransformersConfig(
        d_model=8,
        d_ff=16,
        num_experts=4,
        expert_capacity=3 if is_training else 10,
        router_jitter_noise=0.0,
        dropout_rate=0.0,
    )
    theirs = SwitchTransformersSparseMLP(config).train(is_training)
    for weight in theirs.parameters():
        torch.nn.init.normal_(weight)
    ours = _layer(capacity=1.2).float().train(is_training)  # 3 of 10 tokens
    named = {
        name.replace("router.classifier", "router").replace("expert_", ""): weight
        for name, weight in theirs.state_dict().items()
    }
    ours.load_state_dict(named)
    states = _states().float()
    added, routed = ours(states)
    assert torch.allclose(added, theirs(states), atol=1e-4)  # of numbers of about 100
    assert torch.equal(routed.expert, theirs.router(states)[2].argmax(dim=2).flatten())
    dropped = (added == 0).all(dim=2)
    assert dropped.any() == is_training


def test_one_expert_is_a_dense_layer():
    layer = _layer(experts=1).train()
    added, routed = layer(_states())
    assert torch.allclose(added, layer.experts[0](_states()), atol=1e-12)
    assert balance_loss(routed).item() == pytest.approx(1.0)


@given(st.integers(0, 2**31), st.booleans())
def test_padding_is_neither_fed_nor_counted(seed, is_training):
    layer, states = _layer(capacity=2.0).train(is_training), _states()
    length = torch.randint(0, 11, (3,), generator=torch.Generator().manual_seed(seed))
    keep = torch.arange(10) < length.unsqueeze(1)
    added, routed = layer(states, keep)
    assert not added[~keep].any()
    assert len(routed.logits) == keep.sum()
    other, again = layer(states.masked_fill(~keep.unsqueeze(2), 99.0), keep)
    assert torch.equal(other, added)
    assert torch.equal(again.logits, routed.logits)


def test_a_share_is_of_a_texts_own_tokens_however_wide_the_batch():
    layer, states = _layer(capacity=0.8).train(), _states(rows=1)
    alone, _ = layer(states)
    padded = torch.nn.functional.pad(states, (0, 0, 0, 30))
    keep = torch.arange(40)[None] < 10
    added, _ = layer(padded, keep)
    assert (alone == 0).all(dim=2).any()
    assert torch.allclose(added[:, :10], alone, atol=1e-12)


@pytest.mark.parametrize("is_training", [False, True])
def test_a_later_token_changes_no_earlier_one(is_training):
    layer, states = _layer(capacity=0.5).train(is_training), _states()
    other = states.clone()
    other[:, 6:] = _states(seed=1)[:, 6:]
    one, two = layer(states)[0], layer(other)[0]
    assert torch.allclose(one[:, :6], two[:, :6], atol=1e-12)
    assert torch.equal(one[:, :6] == 0, two[:, :6] == 0)


@given(st.floats(0.1, 3.0), st.integers(1, 5))
def test_an_expert_takes_its_share_of_a_text_and_the_first_that_come(capacity, experts):
    layer = _layer(experts=experts, capacity=capacity).train()
    added, routed = layer(_states())
    room = math.ceil(capacity * 10 / experts)
    fed = (added != 0).any(dim=2)
    for row, chosen in zip(fed, routed.expert.view(3, 10), strict=True):
        for expert in range(experts):
            mine = row[chosen == expert]
            assert mine.sum() == min(room, len(mine))
            assert mine[:room].all()
    layer.eval()
    assert (layer(_states())[0] != 0).any(dim=2).all()


def test_losses_by_hand():
    logits = torch.log(torch.tensor([[0.75, 0.25], [0.5, 0.5], [0.75, 0.25]]))
    routed = Routed(logits, torch.tensor([0, 1, 0]))
    # f = 2/3, 1/3; P = 2/3, 1/3.
    assert balance_loss(routed).item() == pytest.approx(2 * (4 / 9 + 1 / 9))
    assert z_loss(routed).item() == pytest.approx(0.0, abs=1e-12)
    assert z_loss(Routed(logits + 2, routed.expert)).item() == pytest.approx(4.0)
    nobody = Routed(logits[:0], routed.expert[:0])
    assert balance_loss(nobody).item() == z_loss(nobody).item() == 0.0


def test_the_router_learns_from_what_its_choice_is_worth():
    layer = _layer().eval()
    layer(_states())[0].sum().backward()
    assert layer.router.weight.grad.abs().sum() > 0


def test_jitter_moves_the_router_in_training_alone():
    layer = _layer(jitter=0.5)
    torch.manual_seed(0)
    one, two = (layer(_states())[1].logits for _ in range(2))
    assert not torch.equal(one, two)
    layer.eval()
    one, two = (layer(_states())[1].logits for _ in range(2))
    assert torch.equal(one, two)


def test_tokens_are_routed_in_single_precision():
    layer, states = _layer().float().eval(), _states().float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, told = layer(states)
    assert torch.equal(told.logits, layer(states)[1].logits)


def _losses_of(routed, losses):
    drawn = routed.logits.log_softmax(dim=1).gather(1, routed.expert[:, None]).squeeze(1)
    worth = worth_loss(drawn, losses, losses > 0)
    return torch.stack((balance_loss(routed), z_loss(routed), worth))


def _losses_in_a_process(rank, port, logits, expert, losses, results):
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    mine = logits[rank].clone().requires_grad_()
    told = _losses_of(Routed(mine, expert[rank]), losses[rank])
    gradients = [torch.autograd.grad(one, mine, retain_graph=True)[0] for one in told]
    results[rank] = (told.detach(), torch.stack(gradients, dim=1))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_processes_learn_from_what_all_of_them_route(free_port):
    chance = torch.Generator().manual_seed(0)
    logits = [torch.randn(count, 3, generator=chance) for count in (5, 2)]
    expert = [one.argmax(dim=1) for one in logits]
    losses = [torch.tensor([1.0, 2.0, 0.0, 4.0, 3.0]), torch.tensor([7.0, 5.0])]
    whole = torch.cat(logits).requires_grad_()
    told = _losses_of(Routed(whole, torch.cat(expert)), torch.cat(losses))
    gradients = [torch.autograd.grad(one, whole, retain_graph=True)[0] for one in told]
    with multiprocessing.Manager() as manager:
        results = manager.dict()
        given = (free_port, logits, expert, losses, results)
        multiprocessing.spawn(_losses_in_a_process, given, nprocs=2)
        (one, first), (two, second) = results[0], results[1]
    assert torch.allclose(one, told)
    assert torch.allclose(two, told)
    # Gradients are averaged over the processes.
    expected = torch.stack(gradients, dim=1)
    assert torch.allclose(torch.cat((first, second)) / 2, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "told"), [({"experts": 0}, "experts"), ({"capacity": 0.0}, "capa")]
)
def test_impossible_layers_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        _layer(**wrong)


def test_a_network_that_no_token_is_fed_to_has_the_gradient_nought():
    torch.manual_seed(0)
    layer = SwitchFeedForward(8, 6, 3)
    with torch.no_grad():
        layer.router.weight.zero_()  # all tokens tie, and go to the first
    added, routed = layer(torch.randn(2, 5, 8))
    assert (routed.expert == 0).all()
    added.sum().backward()
    for number, network in enumerate(layer.experts):
        for weight in network.parameters():
            assert weight.grad is not None
            assert bool(weight.grad.any()) == (number == 0)


def test_networks_may_compute_in_fewer_bits_than_what_they_are_fed():
    """As under a GPU's autocast, which norms in float32 and multiplies in bfloat16."""
    torch.manual_seed(0)
    layer = SwitchFeedForward(8, 16, 4)
    states = torch.randn(3, 10, 8)
    expected, _ = layer(states)
    for network in layer.experts:
        network.register_forward_hook(lambda _network, _fed, found: found.bfloat16())
    found, _ = layer(states)
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, atol=0.02)
