"""Preferences by hand, over exactly the completions' tokens, and as TRL counts them."""

import math

import pytest
import torch

from lightbulb_backbones.dpo import completion_log_probability, dpo_loss
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset


def test_log_probabilities_are_sums_over_the_completions_tokens():
    chance = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 7, generator=chance)
    tokens = torch.randint(0, 7, (2, 5), generator=chance)
    counted = torch.tensor([[0, 0, 1, 1, 0], [0, 1, 0, 0, 1]]).bool()
    found = completion_log_probability(logits, tokens, counted)
    for row in range(2):
        expected = 0.0
        for place in range(1, 5):
            if counted[row, place]:
                shares = [math.exp(one) for one in logits[row, place - 1].tolist()]
                expected += math.log(shares[tokens[row, place]] / sum(shares))
        assert found[row].item() == pytest.approx(expected, abs=1e-5)
    changed = logits.clone()
    changed[:, 4] = 99.0  # what follows the last token is not asked for
    assert torch.equal(completion_log_probability(changed, tokens, counted), found)


def test_a_token_that_is_not_counted_may_be_impossible():
    logits = torch.zeros(1, 4, 3)
    logits[0, 1, 2] = -torch.inf  # a masked vocabulary
    logits.requires_grad_()
    tokens, counted = torch.tensor([[0, 1, 2, 1]]), torch.tensor([[False, True, False, True]])
    found = completion_log_probability(logits, tokens, counted)
    found.sum().backward()
    assert found.item() == pytest.approx(-2 * math.log(3))
    assert logits.grad.isfinite().all()
    assert not logits.grad[0, 1].any()


def test_the_loss_by_hand():
    pairs = ([-1.0, -4.0], [-2.0, -1.0], [-3.0, -3.0], [-2.5, -2.0])
    told = dpo_loss(*map(torch.tensor, pairs), beta=0.5)
    # Margins 0.5 (2 - 0.5) and 0.5 (-1 - 1).
    expected = (math.log(1 + math.exp(-0.75)) + math.log(1 + math.exp(1.0))) / 2
    assert told.loss.item() == pytest.approx(expected)
    assert told.accuracy.item() == 0.5
    assert told.margin.item() == pytest.approx((0.75 - 1.0) / 2)


def test_a_policy_that_is_its_reference_loses_log_two():
    same = torch.tensor([-3.0, -5.0])
    assert dpo_loss(same, same - 1, same, same - 1).loss.item() == pytest.approx(math.log(2))


def test_preferences_are_learnt():
    torch.manual_seed(0)
    size = {"vocab_size": 12, "hidden_size": 16, "intermediate_size": 24, "prefix": 2}
    model = LanguageExpertForCausalLM(preset("tiny", **size, experts=("dpo",), jitter=0.0))
    prompt = torch.randint(1, 12, (16, 3))
    rising = torch.tensor([[5, 6, 7]]).expand(16, 3)
    pair = [torch.cat((prompt, one), dim=1) for one in (rising, rising.flip(1))]
    counted = torch.tensor([[False] * 3 + [True] * 3]).expand(16, 6)

    def likelihoods():
        return [completion_log_probability(model(one).logits, one, counted) for one in pair]

    with torch.no_grad():
        reference = likelihoods()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(40):
        optimizer.zero_grad()
        told = dpo_loss(*likelihoods(), *reference)
        told.loss.backward()
        optimizer.step()
    assert told.accuracy == 1.0
    assert told.loss < 0.4


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="begin with a prompt"):
        completion_log_probability(
            torch.zeros(1, 2, 3), torch.zeros(1, 2).long(), torch.ones(1, 2).bool()
        )
    with pytest.raises(ValueError, match="beta must be more than 0, got 0"):
        dpo_loss(*[torch.zeros(1)] * 4, beta=0.0)
