"""Distributions over actions: probabilities add up to one, and draws follow them."""

import itertools

import numpy as np
import pytest
import torch

from lightbulb_agents.choices import Pick, Shares, Slate, Subset

STOP = 3
LOGITS = torch.tensor([[0.5, -torch.inf, 1.5, -0.3]])
"""Three sentences, the second illegal, and STOP."""


def _slates(places):
    """Returns every slate that a draw may give."""
    found = []
    for count in range(places + 1):
        for named in itertools.permutations((0, 2), count):
            found.append([*named, *[STOP] * (places - count)])
    return torch.tensor(found)


def _draws(choice, count=40_000):
    generator = torch.Generator()
    generator.manual_seed(0)
    return choice(LOGITS.expand(count, 4)).draw(generator)


@pytest.mark.parametrize("places", [1, 2, 3])
def test_the_probabilities_of_slates_add_up_to_one(places):
    slates = _slates(places)
    if places == 1:
        slates = torch.tensor([[0], [2], [STOP]])
    chances = Slate(LOGITS.expand(len(slates), 4), places).log_prob(slates).exp()
    assert chances.sum().item() == pytest.approx(1.0, abs=1e-6)


def test_a_slates_probability_by_hand():
    weight = LOGITS[0].exp()
    first = weight[2] / (weight[0] + weight[2] + weight[3])
    second = weight[0] / (weight[0] + weight[3])
    chance = Slate(LOGITS, 2).log_prob(torch.tensor([[2, 0]])).exp()
    assert chance.item() == pytest.approx((first * second).item(), rel=1e-6)


@pytest.mark.parametrize("places", [2, 3])
def test_slates_are_drawn_by_their_probabilities(places):
    drawn = _draws(lambda logits: Slate(logits, places))
    assert drawn.shape == (40_000, places)
    slates = _slates(places)
    chances = Slate(LOGITS.expand(len(slates), 4), places).log_prob(slates).exp()
    for slate, chance in zip(slates, chances, strict=True):
        share = (drawn == slate).all(dim=1).float().mean().item()
        assert share == pytest.approx(chance.item(), abs=0.01)


def test_the_best_slate_names_sentences_in_order_until_stop():
    logits = torch.tensor([[0.5, 3.0, 1.5, 1.0], [0.5, -torch.inf, 0.1, 2.0]])
    assert Slate(logits, 3).best().tolist() == [[1, 2, 3], [3, 3, 3]]
    assert Slate(logits, 6).best().shape == (2, 6)


def test_a_slate_holds_no_sentence_twice_and_none_that_is_illegal():
    drawn = _draws(lambda logits: Slate(logits, 4), 2000)
    assert not (drawn == 1).any()
    for slate in drawn.tolist():
        named = [one for one in slate if one != STOP]
        assert len(named) == len(set(named))
        assert slate == [*named, *[STOP] * (4 - len(named))]


def test_the_probabilities_of_subsets_add_up_to_one_and_draws_follow_them():
    subsets = torch.tensor([[a, 0, b] for a in (0, 1) for b in (0, 1)])
    chances = Subset(LOGITS.expand(4, 4)).log_prob(subsets).exp()
    assert chances.sum().item() == pytest.approx(1.0, abs=1e-6)
    drawn = _draws(Subset)
    for subset, chance in zip(subsets, chances, strict=True):
        share = (drawn == subset).all(dim=1).float().mean().item()
        assert share == pytest.approx(chance.item(), abs=0.01)
    assert Subset(LOGITS).best().tolist() == [[1, 0, 1]]


def test_the_entropy_of_a_subset_is_that_of_its_probabilities():
    subsets = torch.tensor([[a, 0, b] for a in (0, 1) for b in (0, 1)])
    logs = Subset(LOGITS.expand(4, 4)).log_prob(subsets)
    assert Subset(LOGITS).entropy().item() == pytest.approx(-(logs.exp() * logs).sum().item())


@pytest.mark.parametrize("choice", [lambda logits: Slate(logits, 2), Subset])
def test_gradients_are_finite_though_some_sentences_are_illegal(choice):
    logits = LOGITS.clone().requires_grad_()
    made = choice(logits)
    generator = torch.Generator()
    generator.manual_seed(1)
    (made.log_prob(made.draw(generator)) + made.entropy()).sum().backward()
    assert np.isfinite(logits.grad.numpy()).all()


def test_gradients_are_finite_when_a_slate_names_all_that_there_is():
    logits = LOGITS.clone().requires_grad_()
    Slate(logits, 4).log_prob(torch.tensor([[2, 0, STOP, STOP]])).sum().backward()
    assert np.isfinite(logits.grad.numpy()).all()


def test_a_pick_is_what_torchs_categorical_says():
    theirs = torch.distributions.Categorical(logits=LOGITS)
    for action in (0, 2, 3):
        value = torch.tensor([action])
        assert Pick(LOGITS).log_prob(value).item() == pytest.approx(theirs.log_prob(value).item())
    assert Pick(LOGITS).best().tolist() == [2]
    assert Pick(LOGITS).entropy().item() == pytest.approx(theirs.entropy().item())


def test_the_gradient_of_a_picks_entropy_is_torchs_own():
    gradients = []
    for entropy in (
        lambda logits: Pick(logits).entropy(),
        lambda logits: torch.distributions.Categorical(logits=logits).entropy(),
    ):
        logits = LOGITS.clone().requires_grad_()
        entropy(logits).sum().backward()
        gradients.append(logits.grad)
    assert torch.allclose(*gradients, atol=1e-6)
    assert torch.isfinite(gradients[0]).all()


def test_shares_add_up_to_one_and_are_drawn_around_what_is_best():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    generator = torch.Generator()
    generator.manual_seed(0)
    drawn = Shares(logits.expand(40_000, 3)).draw(generator)
    assert torch.allclose(drawn.sum(dim=1), torch.ones(40_000), atol=1e-4)
    assert torch.allclose(drawn.mean(dim=0), Shares(logits).best()[0], atol=0.01)
    strength = 1 + torch.log1p(logits[0].exp())
    assert torch.allclose(Shares(logits).best()[0], strength / strength.sum())


def test_the_density_of_shares_adds_up_to_one_and_is_finite_at_the_corners():
    logits = torch.tensor([[2.0, -1.0]])
    first = (torch.arange(100_000) + 0.5) / 100_000
    pairs = torch.stack((first, 1 - first), dim=1)
    density = Shares(logits.expand(len(pairs), 2)).log_prob(pairs).exp()
    assert density.mean().item() == pytest.approx(1.0, abs=1e-3)
    extreme = Shares(torch.tensor([[-50.0, 300.0]]).expand(1000, 2))
    generator = torch.Generator()
    generator.manual_seed(0)
    assert extreme.log_prob(extreme.draw(generator)).isfinite().all()
    assert extreme.entropy().isfinite().all()
    own = torch.distributions.Dirichlet(1 + torch.log1p(logits[0].exp())).entropy()
    assert Shares(logits).entropy().item() == pytest.approx(own.item(), abs=1e-5)
