"""The language expert's loss: of labels behind the prefix, in parts too, and what routers learn."""

import pytest
import torch
from torch.nn import functional

from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.language_config import LanguageExpertConfig

_SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "switch_intermediate_size": 16,
    "retriever_size": 8,
    "retriever_heads": 2,
    "prefix": 4,
}


def _model(**more):
    torch.manual_seed(0)
    return LanguageExpertForCausalLM(LanguageExpertConfig(**{**_SIZES, **more})).double().eval()


def _text(rows=6, tokens=12):
    return torch.randint(1, 40, (rows, tokens), generator=torch.Generator().manual_seed(0))


def test_the_loss_is_of_what_stands_behind_the_prefix():
    model, text = _model(), _text()
    told = model(text, labels=text)
    expected = functional.cross_entropy(told.logits[:, 3:-1].flatten(0, 1), text[:, 4:].flatten())
    assert torch.allclose(told.loss, expected.float())


def test_parts_lose_what_the_whole_loses():
    model, text = _model(), _text()
    first = model(text[:, :7], labels=text[:, :7], use_cache=True)
    second = model(text[:, 7:], labels=text[:, 7:], past_key_values=first.past_key_values)
    whole = model(text, labels=text)
    # The token between them is in neither.
    between = functional.cross_entropy(whole.logits[:, 6], text[:, 7])
    expected = (3 * first.loss + 4 * second.loss + between) / 8
    assert torch.allclose(whole.loss.double(), expected, atol=1e-6)


def test_where_nothing_counts_that_is_said():
    model, text = _model(prefix=16), _text()
    with pytest.raises(ValueError, match="no label stands behind the 12 tokens by which"):
        model(text, labels=text)
    with pytest.raises(ValueError, match="leave it out"):
        model(text, labels=text, logits_to_keep=1)


def test_padding_is_not_counted():
    model, text = _model(), _text()
    padded = functional.pad(text, (3, 0))
    mask = functional.pad(torch.ones_like(text), (3, 0))
    told = model(padded, mask, labels=padded)
    assert torch.allclose(told.loss, model(text, labels=text).loss)


def test_loss_and_logits_come_first_and_alone_where_trainers_read_predictions():
    model, text = _model(), _text()
    assert model(text)[0].shape == (6, 12, 40)
    loss, logits = model(text, labels=text)[:2]
    assert loss.shape == ()
    assert logits.shape == (6, 12, 40)
    told = model(text, labels=text, use_cache=True)
    ignored = model.config.keys_to_ignore_at_inference
    assert [name for name in told if name not in ignored] == ["loss", "logits"]


def test_the_last_logits_may_be_asked_for_alone():
    model, text = _model(), _text()
    assert torch.equal(model(text, logits_to_keep=2).logits, model(text).logits[:, -2:])


def test_the_router_learns_which_choices_lost_less_in_training_alone():
    text, gradients = _text(rows=20), []
    for worth in (0.0, 2.0):
        model = _model(router_worth=worth).train()
        torch.manual_seed(0)
        told = model(text, labels=text)
        told.loss.backward()
        gradients.append(model.model.router.logits.bias.grad)
    each = functional.cross_entropy(
        told.logits[:, 3:-1].transpose(1, 2), text[:, 4:], reduction="none"
    ).mean(dim=1)
    routes = functional.one_hot(told.route, 3)
    torch.manual_seed(0)
    asked = []
    model.model.router.register_forward_hook(lambda _, __, routed: asked.append(routed.logits))
    model(text)
    shares = asked[0].softmax(dim=1)
    expected = 2 * ((each - each.mean()).unsqueeze(1) * (routes - shares)).mean(dim=0)
    assert torch.allclose(gradients[1] - gradients[0], expected.double(), atol=1e-6)
    assert expected.abs().max() > 1e-4
    assert model(text).router_loss is not None
    told = model.eval()(text, labels=text)
    assert told.router_loss is None
    assert told.drawn is None


def test_more_tokens_may_be_known_in_all_of_the_model():
    model = _model()
    known = model.model.retriever.questions.embed.weight.clone()
    model.resize_token_embeddings(50)
    towers = (model.model.retriever.questions, model.model.retriever.passages)
    assert {tower.embed.num_embeddings for tower in towers} == {50}
    assert torch.equal(towers[0].embed.weight[:40], known)
    model.model.index = model.model.retriever.index(_text(tokens=4) + 9)
    model.double()
    assert model(_text() + 10, expert="rag").logits.shape == (6, 12, 50)


def test_an_expert_that_is_asked_for_is_the_one_that_reads():
    model, text = _model(), _text()
    begun = model(text, use_cache=True, expert="dpo")
    assert begun.route.tolist() == [1] * 6
    gone_on = model(text, past_key_values=begun.past_key_values, expert="dpo")
    assert gone_on.route.tolist() == [1] * 6
    with pytest.raises(ValueError, match="another reads a text already"):
        model(text, past_key_values=begun.past_key_values, expert="mamba")
    with pytest.raises(ValueError, match="expert must be one of rag, dpo, mamba, got 'nonsense'"):
        model(text, past_key_values=begun.past_key_values, expert="nonsense")


def test_without_a_mask_states_are_those_of_texts_without_their_padding():
    model, text = _model().model, _text()
    padded = functional.pad(text, (5, 0))
    expected = model(text).last_hidden_state
    with torch.no_grad():
        assert torch.allclose(model(padded).last_hidden_state[:, 5:], expected)
        assert torch.allclose(model.step(padded)[0][:, 5:], expected)


def test_a_text_is_routed_by_its_first_part_and_the_state_says_by_how_much():
    model, text = _model(prefix=8).model, _text(rows=60)
    with torch.no_grad():
        first, state = model.step(text[:, :3])
        second, state = model.step(text[:, 3:], state)
        assert state["prefix"].tolist() == [3] * 60
        whole = model(text, prefix=state["prefix"]).last_hidden_state
    assert torch.allclose(torch.cat((first, second), dim=1), whole)
