"""Texts are read by one expert each, as by it alone; and what attention looks like by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones.attention_features import attention_features
from lightbulb_backbones.blocks import AttentionBlock
from lightbulb_backbones.carried import Carried
from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.mamba import MambaMixer
from lightbulb_backbones.sequence_router import (
    SequenceRouter,
    gate_of,
    read_by_experts,
    worth_loss,
)
from lightbulb_backbones.switch import Routed


def _experts():
    torch.manual_seed(0)
    block, mixer = (
        AttentionBlock(CausalAttention(8, 2), 16).double(),
        MambaMixer(8, 16, state_size=4),
    )
    mixer.initialise()
    mixer = mixer.double()

    def attend(states, sight, keep, carried):
        del keep
        return block(states, sight, carried and carried.part("layers.0"))

    def remember(states, sight, keep, carried):
        del sight
        return states + mixer(states, keep, carried and carried.part("layers.0"))

    return [attend, remember]


def _states(rows=4, tokens=6, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(rows, tokens, 8, generator=chance, dtype=torch.float64)


def _read(route, parts, experts=None, *, carries=True):
    """Returns what the experts make of parts, one after the other."""
    carried = Carried({}) if carries else None
    found = []
    for states, keep in parts:
        tokens = torch.ones(states.shape[:2], dtype=torch.long)
        sight = Sight.of(tokens, keep, carried)
        own = carried.part("expert") if carries else None
        found.append(read_by_experts(experts or _experts(), route, states, sight, keep, own))
    return found


@pytest.mark.parametrize("carries", [False, True])
def test_a_text_is_read_as_by_its_own_expert_alone(carries):
    route = torch.tensor([1, 0, 0, 1])
    with torch.no_grad():
        (mixed,) = _read(route, [(_states(), None)], carries=carries)
        for number in (0, 1):
            (alone,) = _read(torch.full((4,), number), [(_states(), None)], carries=carries)
            assert torch.allclose(mixed[route == number], alone[route == number], atol=1e-12)


@given(st.lists(st.integers(0, 1), min_size=4, max_size=4), st.integers(0, 2**20))
def test_parts_are_read_as_the_whole_however_texts_are_mixed(route, seed):
    chance = torch.Generator().manual_seed(seed)
    route, whole = torch.tensor(route), _states(tokens=9)
    lengths = torch.randint(0, 4, (3, 4), generator=chance)
    parts, at = [], torch.zeros(4, dtype=torch.long)
    for length in lengths:
        states = torch.full((4, 3, 8), 9.0, dtype=torch.float64)
        for row in range(4):
            states[row, : length[row]] = whole[row, at[row] : at[row] + length[row]]
        parts.append((states, torch.arange(3) < length.unsqueeze(1)))
        at += length
    with torch.no_grad():
        (expected,) = _read(route, [(whole, None)])
        found = _read(route, parts)
    for row in range(4):
        told = torch.cat(
            [one[row, : length[row]] for one, length in zip(found, lengths, strict=True)]
        )
        assert torch.allclose(told, expected[row, : len(told)], atol=1e-10)


def test_the_gate_is_one_and_its_gradient_is_what_the_choice_is_worth():
    logits = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    routed = Routed(logits, torch.tensor([0, 1, 1]))
    worth = torch.tensor([2.0, -1.0, 0.5])
    gate = gate_of(routed)
    assert torch.equal(gate, torch.ones(3))
    (found,) = torch.autograd.grad((gate * worth).sum(), logits)
    chosen = logits.log_softmax(dim=1).gather(1, routed.expert[:, None]).squeeze(1)
    (expected,) = torch.autograd.grad((chosen * worth).sum(), logits)
    assert torch.allclose(found, expected, atol=1e-6)


def test_the_gate_is_one_even_where_an_expert_could_not_be_less_likely():
    logits = torch.tensor([[0.0, 200.0]]).requires_grad_()
    gate = gate_of(Routed(logits, torch.tensor([0])))
    (found,) = torch.autograd.grad(gate.sum(), logits)
    assert gate.tolist() == [1.0]
    assert torch.allclose(found, torch.tensor([[1.0, -1.0]]))


def test_what_lost_less_than_the_batch_becomes_likelier():
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    chosen = logits.log_softmax(dim=1)[:, 1]
    losses, counted = torch.tensor([1.0, 2.0, 6.0, 50.0]), torch.tensor([True, True, True, False])
    loss = worth_loss(chosen, losses, counted)
    assert loss.item() == 0.0
    (found,) = torch.autograd.grad(loss, chosen)
    assert torch.allclose(found, torch.tensor([-2.0, -1.0, 3.0, 0.0]) / 3)


def test_a_router_finds_the_better_expert_though_more_of_it_is_worth_nothing():
    torch.manual_seed(0)
    router = SequenceRouter(5, 2)
    optimizer = torch.optim.Adam(router.parameters(), lr=0.01)
    for _ in range(200):
        told = router(torch.randn(64, 5))
        losses = torch.tensor([2.0, 1.0])[told.expert]
        loss = worth_loss(told.drawn, losses, torch.ones(64, dtype=torch.bool))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    share = router(torch.randn(100, 5)).logits.softmax(dim=1)[:, 1]
    assert share.min() > 0.9


def test_what_was_drawn_is_told_with_its_likelihood():
    torch.manual_seed(0)
    features = torch.randn(50, 5)
    router = SequenceRouter(5, 3, noise=2.0)
    told = router(features)
    expected = (told.logits / 2).log_softmax(dim=1).gather(1, told.expert[:, None])
    assert torch.allclose(told.drawn, expected.squeeze(1))
    router.explored = 0.5
    told = router(features)
    assert 10 < (told.drawn == 0).sum() < 40
    router.noise = 0.0
    assert router(features).drawn is None
    router.noise = 1.0
    assert router.eval()(features).drawn is None


def test_routes_are_decided_in_single_precision():
    torch.manual_seed(0)
    router, features = SequenceRouter(5, 3).eval(), torch.randn(20, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        told = router(features.bfloat16().float())
    assert torch.equal(told.logits, router(features.bfloat16().float()).logits)


def test_in_training_every_expert_is_tried_and_otherwise_the_best_is_taken():
    torch.manual_seed(0)
    router = SequenceRouter(5, 3)
    with torch.no_grad():
        router.logits.bias.copy_(torch.tensor([2.0, 0.0, 1.0]))
    features = torch.randn(1, 5).expand(10_000, 5)
    tried = router(features)
    share = torch.bincount(tried.expert, minlength=3) / 10_000
    # The noise of Gumbel draws from the softmax.
    assert torch.allclose(share, tried.logits[0].softmax(dim=0), atol=0.02)
    router.eval()
    assert torch.equal(router(features).expert, tried.logits.argmax(dim=1))


def test_texts_that_are_not_explored_go_where_they_go_outside_of_training():
    torch.manual_seed(0)
    features = torch.randn(10_000, 5)
    router = SequenceRouter(5, 3, explored=0.25)
    told = router(features)
    best = told.logits.argmax(dim=1)
    likeliest = told.logits.softmax(dim=1).amax(dim=1).mean()
    share = (told.expert == best).double().mean()
    assert share == pytest.approx(0.75 + 0.25 * float(likeliest.detach()), abs=0.02)
    router.explored = 0.0
    assert torch.equal(router(features).expert, best)


def test_features_by_hand():
    # One head; the second token sees both alike, the third the first alone.
    query = torch.zeros(1, 1, 3, 2)
    key = torch.zeros(1, 1, 3, 2)
    query[0, 0, 2, 0], key[0, 0, 0, 0] = 1000.0, 1.0
    allowed = torch.ones(3, 3).tril().bool()[None, None]
    found = attention_features(query, key, allowed, torch.ones(1, 3).bool())
    entropy = (0 + math.log(2) / math.log(2) + 0) / 3
    look_back = (0 + 0.5 + 1) / 3
    sink, peak = (1 + 0.5 + 1) / 3, (1 + 0.5 + 1) / 3
    assert torch.allclose(found[0], torch.tensor([entropy, look_back, sink, peak]), atol=1e-5)
    shorter = attention_features(query, key, allowed, torch.tensor([[True, True, False]]))
    assert torch.allclose(shorter[0], torch.tensor([0.5, 0.25, 0.75, 0.75]), atol=1e-5)
