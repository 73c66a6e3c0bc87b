"""The language expert: causal, the same in parts and with a cache, routed by the prefix alone."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModel, AutoModelForCausalLM

from lightbulb_backbones.carried import take_rows
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.language_model import LanguageExpertModel

SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "switch_intermediate_size": 16,
    "state_size": 4,
    "prefix": 4,
    "block": 3,
    "local": 2,
    "stride": 3,
    "retriever_size": 8,
    "retriever_heads": 2,
    "passages": 2,
}
SEED = 7
"""Of weights by which texts go to every expert."""


def _model(seed=SEED, **more):
    torch.manual_seed(seed)
    model = LanguageExpertForCausalLM(LanguageExpertConfig(**{**SIZES, **more})).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:  # larger weights make every difference visible
                weight.add_(torch.randn_like(weight) * 0.3)
    model.double()
    if model.model.retriever is not None:
        passages = torch.randint(1, 40, (20, 5), generator=torch.Generator().manual_seed(0))
        passages[::3, 3:] = 0
        model.model.index = model.model.retriever.index(passages)
    return model


@pytest.fixture(scope="module")
def model():
    """One whose router sends some of the texts to every expert."""
    made = _model()
    assert set(made(_text()).route.tolist()) == {0, 1, 2}
    assert set(made(*_padded()).route.tolist()) == {0, 1, 2}
    return made


def _text(rows=6, tokens=12, seed=0):
    return torch.randint(1, 40, (rows, tokens), generator=torch.Generator().manual_seed(seed))


def _padded():
    """Returns texts, and which of their tokens are not padding."""
    text = _text()
    text[1, :5] = text[2, :9] = text[4, :1] = 0
    return text, (text != 0).long()


@pytest.mark.parametrize(
    "how",
    [
        {"do_sample": False},
        {"do_sample": False, "num_beams": 3},
        {"do_sample": True, "top_k": 5},
        {"do_sample": True, "top_p": 0.8},
    ],
    ids=["greedy", "beams", "top-k", "top-p"],
)
def test_decoding_with_a_cache_is_decoding_without(model, how):
    (text, keep), found = _padded(), []
    for use_cache in (True, False):
        torch.manual_seed(5)
        found.append(
            model.generate(
                text,
                attention_mask=keep,
                max_new_tokens=15,
                use_cache=use_cache,
                pad_token_id=0,
                **how,
            )
        )
    assert found[0].shape == (6, 27)
    assert torch.equal(*found)


def test_the_second_mamba_decodes_with_a_cache_as_without():
    model = _model(ssm="mamba2", experts=("mamba", "dpo"))
    text = _text()
    assert 0 in model(text).route
    told = {"max_new_tokens": 8, "do_sample": False, "num_beams": 3, "pad_token_id": 0}
    with_cache, without = (model.generate(text, use_cache=one, **told) for one in (True, False))
    assert torch.equal(with_cache, without)


@pytest.mark.parametrize("ssm", ["mamba", "mamba2"])
def test_step_sizes_begin_where_the_papers_say(ssm):
    torch.manual_seed(0)
    sizes = {**SIZES, "hidden_size": 1024, "experts": ("mamba",), "ssm": ssm}
    mixer = LanguageExpertModel(LanguageExpertConfig(**sizes)).experts["mamba"].layers[0].mixer
    bias = mixer.dt_proj.bias if ssm == "mamba" else mixer.dt_bias
    steps = torch.nn.functional.softplus(bias)
    assert steps.min() >= 0.99e-3
    assert steps.max() <= 1.01e-1
    assert steps.max() > 10 * steps.min()


def test_prompts_shorter_than_the_prefix_are_routed_by_themselves_with_a_cache_or_without():
    model, text = _model(prefix=8), _text(rows=40, tokens=1)
    how = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 0}
    found = [model.generate(text, use_cache=use_cache, **how) for use_cache in (True, False)]
    assert torch.equal(*found)
    assert (found[0] == 0).any()  # a token like any other
    # It matters: by more tokens, some would be read by others.
    assert not torch.equal(model(found[0]).route, model(text).route)


def test_a_text_that_begins_later_is_read_by_layers_that_read_no_text_before():
    model = _model(experts=("mamba", "dpo"))
    texts = _text(rows=40)
    route = model(texts).route
    early, late = texts[route == 0][:1], texts[route == 1][:1]
    with torch.no_grad():
        first = torch.cat((early[:, :6], torch.zeros_like(late[:, :6])))
        _, state = model.model.step(first, None, first != 0)
        found, _ = model.model.step(torch.cat((early[:, 6:], late[:, :6])), state)
        expected = model.model(late).last_hidden_state
    assert torch.allclose(found[1], expected[0, :6], atol=1e-9)


def test_beams_are_likelier_than_the_greedy_continuation(model):
    def likelihood(tokens):
        with torch.no_grad():
            logits = model(tokens, prefix=torch.full((6,), 4)).logits[:, 11:-1]
        chosen = logits.log_softmax(dim=2).gather(2, tokens[:, 12:, None])
        return chosen.sum(dim=(1, 2))

    how = {"max_new_tokens": 4, "do_sample": False, "pad_token_id": 0}
    greedy, beams = (model.generate(_text(), num_beams=beams, **how) for beams in (1, 40))
    assert (likelihood(beams) >= likelihood(greedy) - 1e-9).all()
    assert (likelihood(beams) > likelihood(greedy)).any()


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=1, max_size=4))
def test_parts_of_any_lengths_are_read_as_the_whole(parts):
    model, whole = _model().model, _text(tokens=16)
    at, state, found = [0] * 6, None, [[] for _ in range(6)]
    first = torch.zeros(6, dtype=torch.long)
    with torch.no_grad():
        for part in parts:
            text = torch.zeros(6, max(*part, 1), dtype=torch.long)
            for row, length in enumerate(part):
                text[row, text.shape[1] - length :] = whole[row, at[row] : at[row] + length]
                if not at[row]:
                    first[row] = min(4, length)
            states, state = model.step(text, state, text != 0)
            for row, length in enumerate(part):
                found[row].append(states[row, text.shape[1] - length :])
                at[row] += length
        # A text is routed by what came first of it.
        expected = model(whole, prefix=first.clamp(min=1)).last_hidden_state
    for row, told in enumerate(found):
        assert torch.allclose(torch.cat(told), expected[row, : at[row]], atol=1e-9)


@pytest.mark.parametrize("is_training", [False, True])
def test_no_token_behind_the_prefix_changes_what_comes_before_it(is_training):
    model, text = _model(jitter=0.0, router_noise=0.0).train(is_training), _text()
    for place in (4, 8):
        other = text.clone()
        other[:, place] = text[:, place] % 39 + 1
        one, two = model(text), model(other)
        assert torch.equal(one.route, two.route)
        assert torch.allclose(one.logits[:, :place], two.logits[:, :place], atol=1e-12)
        assert not torch.isclose(one.logits[:, place], two.logits[:, place]).all(dim=1).any()


@pytest.mark.parametrize("name", ["rag", "dpo", "mamba"])
def test_an_expert_that_is_forced_reads_as_it_would_alone(model, name):
    alone = _model(experts=(name,))
    theirs = model.state_dict()
    with torch.no_grad():
        for key, weight in alone.state_dict().items():
            if "router.logits" not in key:
                weight.copy_(theirs[key])
    alone.model.index = model.model.index
    forced = model(_text(), expert=name)
    assert forced.route.tolist() == [model.config.experts.index(name)] * 6
    assert torch.allclose(forced.logits, alone(_text()).logits, atol=1e-12)
    free = model(_text())
    mine = free.route == model.config.experts.index(name)
    assert torch.allclose(free.logits[mine], forced.logits[mine], atol=1e-12)


def test_what_a_text_becomes_depends_on_no_other(model):
    texts, keep = _padded()
    whole = model(texts, keep).logits
    for row, (text, real) in enumerate(zip(texts, keep.bool(), strict=True)):
        own = model(text[real][None]).logits[0]
        assert torch.allclose(own, whole[row, real], atol=1e-9)


def test_the_loss_is_of_labels_behind_the_prefix():
    model, (text, keep) = _model(balance=0.0, z=0.0), _padded()
    told = model(text, keep, labels=text)
    shares = told.logits.log_softmax(dim=2)
    lost = []
    for row, tokens in enumerate(text):
        start = int((tokens == 0).sum())
        assert told.prefix[row] == min(4, 12 - start)
        lost += [
            -shares[row, place - 1, tokens[place]]
            for place in range(start + int(told.prefix[row]), 12)
        ]
    assert torch.allclose(told.loss.double(), torch.stack(lost).mean(), atol=1e-5)


def test_the_router_is_told_of_the_prefix_and_learns_from_the_loss():
    model, (text, keep) = _model(balance=0.0, z=0.0), _padded()
    told, stem = [], []
    model.model.router.register_forward_hook(lambda _, given, __: told.append(given[0]))
    model.model.stem[-1].register_forward_hook(lambda _, __, made: stem.append(made))
    model(text, keep, labels=text).loss.backward()
    assert model.model.router.inner.weight.grad.abs().sum() > 0
    for row, states in enumerate(stem[0]):  # its tokens stand first
        length = min(4, int((text[row] != 0).sum()))
        mean = states[:length].mean(dim=0)
        mean = (mean - mean.mean()) / mean.std(correction=0)
        assert torch.allclose(told[0][row, -16:], mean, atol=1e-6)


def test_the_router_sees_states_however_small_they_are_at_first():
    torch.manual_seed(0)
    model, seen = LanguageExpertModel(LanguageExpertConfig(**SIZES)).eval(), []
    model.router.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model(_text())
    states = seen[0][:, -SIZES["hidden_size"] :]
    assert model.embed.weight.std() < 0.05
    assert torch.allclose(states.std(dim=1, correction=0), torch.ones(len(states)), atol=1e-3)


def test_the_routers_add_their_losses():
    text = _text()
    plain = _model(balance=0.0, z=0.0)(text, labels=text).loss
    model = _model(balance=0.5, z=0.0, jitter=0.0, router_noise=0.0, capacity=4.0)
    assert torch.equal(model(text, labels=text).loss, plain)  # where nothing learns
    told = model.train()(text, labels=text)
    # Two routers, of texts and of tokens: each adds a half of at least about one.
    assert told.router_loss > 0.7
    assert torch.allclose(told.loss, plain + told.router_loss)


def test_gradients_reach_every_weight():
    model, text = _model().train(), _text(rows=30)
    model(text, labels=text).loss.backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []


def test_what_is_retrieved_is_read_and_kept(model):
    text, expert = _text(), "rag"
    told = model(text, expert=expert).logits
    passages = model.model.index.tokens
    try:
        with torch.no_grad():
            _, state = model.model.step(text)
            model.model.index = model.model.retriever.index(passages.flip(0) % 39 + 1)
            assert not torch.isclose(model(text, expert=expert).logits, told).all()
            model.model.index = None
            without = model(text, expert=expert).logits
            assert not torch.isclose(without, told).all()
            # What was retrieved at a text's beginning stays, whatever comes of the index.
            rag = model(text).route == 0
            assert torch.equal(state["context.keep"].any(dim=1), rag)
            more = _text(tokens=3, seed=1)
            found, _ = model.model.step(more, state)
    finally:
        model.model.index = model.model.retriever.index(passages)
    whole = model.model(torch.cat((text, more), dim=1)).last_hidden_state
    assert torch.allclose(found, whole[:, 12:], atol=1e-9)


def test_the_loss_teaches_the_question_tower_through_attention(model):
    text = _text()
    model.zero_grad()
    model(text, labels=text, expert="rag").loss.backward()
    assert model.model.retriever.questions.embed.weight.grad.abs().sum() > 0
    model.zero_grad()


def test_checkpointed_gradients_are_those_of_all_at_once():
    text, found = _text(), []
    for is_checkpointed in (False, True):
        model = _model(jitter=0.0, router_noise=0.0).train()
        if is_checkpointed:
            model.activation_checkpointing_enable()
        calls = []
        layers = (model.model.stem[0].attention, model.model.experts["mamba"].layers[0].mixer)
        for layer in layers:
            layer.register_forward_pre_hook(lambda *_, to=calls: to.append(1))
        model(text, labels=text).loss.backward()
        assert len(calls) == (4 if is_checkpointed else 2)
        found.append([weight.grad for weight in model.parameters()])
    assert all(torch.allclose(one, two) for one, two in zip(*found, strict=True))
    with pytest.raises(ValueError, match="computes layers twice"):
        model(text, use_cache=True)


def test_saved_weights_give_the_same_logits(model, tmp_path):
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float64)
    assert type(again) is LanguageExpertForCausalLM
    assert again.lm_head.weight is again.model.embed.weight
    assert torch.allclose(model(_text()).logits, again(_text()).logits, atol=1e-12)
    states = AutoModel.from_pretrained(tmp_path, dtype=torch.float64)
    assert type(states) is LanguageExpertModel
    expected = model.model(_text()).last_hidden_state
    assert torch.allclose(states(_text()).last_hidden_state, expected, atol=1e-12)


def test_an_index_goes_where_its_model_goes(model, tmp_path):
    told = model(_text(), expert="rag").logits
    other = copy.deepcopy(model)
    assert other.model.index.vectors is not model.model.index.vectors
    assert torch.equal(other(_text(), expert="rag").logits, told)
    other.model.index.add(torch.ones(1, 5, dtype=torch.long), torch.ones(1, 8))
    other.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.bfloat16)
    assert len(again.model.index) == len(model.model.index) + 1
    assert torch.equal(again.model.index.tokens, other.model.index.tokens)
    assert again(_text(), expert="rag").logits.isfinite().all()
    other.model.index = None
    other.save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).model.index is None


def test_rows_of_a_state_go_on_as_their_own_texts_would(model):
    rows, more = torch.tensor([3, 0, 0, 5]), _text(rows=4, seed=1)
    with torch.no_grad():
        _, state = model.model.step(_text())
        found, _ = model.model.step(more, take_rows(state, rows))
        whole = torch.cat((_text()[rows], more), dim=1)
        expected = model.model(whole).last_hidden_state[:, 12:]
    assert torch.allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"experts": ("dpo", "gru")}, "some of rag, dpo, mamba, each once, got dpo, gru"),
        ({"experts": ("dpo", "dpo")}, "each once, got dpo, dpo"),
        ({"retriever_heads": 3}, "a multiple of retriever_heads=3, got 8"),
        ({"router_worth": -1.0}, "router_worth must be 0 or more, got -1.0"),
        ({"experts": ()}, "got none"),
        ({"ssm": "mamba3"}, "ssm must be one of mamba, mamba2, got 'mamba3'"),
        ({"switch_layers": 3}, r"\[0, decoder_layers=2\], got 3"),
        ({"stem_layers": 0}, "stem_layers must be 1 or more, got 0"),
        ({"router_explored": 1.5}, r"router_explored must be in \[0, 1\], got 1.5"),
    ],
)
def test_impossible_sizes_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        LanguageExpertConfig(**{**SIZES, **wrong})


def test_an_unknown_expert_and_an_empty_prefix_are_refused(model):
    with pytest.raises(ValueError, match="return_dict must be True"):
        model(_text(), return_dict=False)
    with pytest.raises(ValueError, match="texts of no tokens"):
        model(_text()[:, :0])
    with pytest.raises(ValueError, match="expert must be one of rag, dpo, mamba, got 'gru'"):
        model(_text(), expert="gru")
    with pytest.raises(ValueError, match="routed by 1 token or more"):
        model(_text(), prefix=torch.zeros(6, dtype=torch.long))
    with pytest.raises(ValueError, match="prefix must be 1 or more, got 0"):
        LanguageExpertConfig(**{**SIZES, "prefix": 0})


@pytest.mark.parametrize("name", ["rag", "dpo", "mamba"])
def test_every_weight_has_a_gradient_where_some_experts_read_no_text(model, name):
    model.train()
    model.zero_grad()
    model(_text(), expert=name, labels=_text()).loss.backward()
    for key, weight in model.named_parameters():
        assert weight.grad is not None, key
        if key.startswith("model.experts.") and f".{name}." not in key:
            assert not weight.grad.any(), key
    model.zero_grad()
    model.eval()
