"""Mamba and Mamba-2 compute what `transformers` does, carry their state anywhere, and mind no
padding."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoModel,
    Mamba2Config,
    Mamba2ForCausalLM,
    MambaConfig,
    MambaForCausalLM,
)

from lightbulb_backbones import mamba
from lightbulb_backbones.carried import take_rows
from lightbulb_backbones.mamba import Mamba
from lightbulb_backbones.mamba2 import Mamba2
from lightbulb_backbones.padding import PADDING

SIZES = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}
SECOND = {**SIZES, "num_heads": 8, "head_dim": 4, "n_groups": 2}
KINDS = [
    (Mamba, MambaConfig, MambaForCausalLM, SIZES),
    (Mamba2, Mamba2Config, Mamba2ForCausalLM, SECOND),
]
FIRST_KIND, SECOND_KIND = KINDS


PARTS = st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=5)
"""Tokens of three texts in parts."""


@pytest.fixture(params=KINDS, ids=["mamba", "mamba2"])
def kind(request):
    return request.param


def _ours(kind, **more):
    made, config, _, sizes = kind
    return _rough(made, config(**{**sizes, **more}))


def _theirs(kind, **more):
    _, config, made, sizes = kind
    return _rough(made, config(**{**sizes, **more}))


def _rough(made, config):
    torch.manual_seed(0)
    model = made(config).eval()
    _roughen(model)
    return model


def _roughen(model):
    """Makes every weight matter, those that begin as zero or one too."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)


def _text(rows=3, tokens=12, seed=0):
    return torch.randint(1, 50, (rows, tokens), generator=torch.Generator().manual_seed(seed))


OF_BOTH = {
    "use_bias": st.booleans(),
    "use_conv_bias": st.booleans(),
    "conv_kernel": st.integers(1, 5),
    "layer_norm_epsilon": st.sampled_from([1e-6, 1e-2, 1.0]),
    "residual_in_fp32": st.booleans(),
    "hidden_act": st.sampled_from(["silu", "swish"]),
}
OF_EACH = [
    {"expand": st.integers(1, 3), "time_step_rank": st.sampled_from(["auto", 1, 5])},
    {
        "n_groups": st.sampled_from([1, 2, 4, 8]),
        "time_step_limit": st.sampled_from([(0.0, float("inf")), (0.05, 0.3), [0.0, 0.1]]),
        "chunk_size": st.integers(1, 20),
    },
]
"""What changes states, or might."""


@pytest.mark.parametrize(
    ("kind", "more"), list(zip(KINDS, OF_EACH, strict=True)), ids=["mamba", "mamba2"]
)
@given(st.data())
def test_whatever_a_config_says_is_computed_as_in_transformers(kind, more, data):
    settings = data.draw(st.fixed_dictionaries({**OF_BOTH, **more}))
    theirs, ours = _theirs(kind, **settings).backbone, _ours(kind, **settings)
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        expected, found = (model(_text()).last_hidden_state for model in (theirs, ours))
    assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("residual_in_fp32", [False, True])
def test_what_is_added_up_has_the_bits_that_the_config_says(kind, residual_in_fp32):
    told = []
    for make in (_ours, _theirs):
        model = make(kind, residual_in_fp32=residual_in_fp32).bfloat16()
        layers = getattr(model, "backbone", model).layers
        layers[0].register_forward_hook(lambda *given: told.append(given[2].dtype))
        model(_text())
    assert told == [torch.float32 if residual_in_fp32 else torch.bfloat16] * 2


def test_other_activations_are_refused(kind):
    with pytest.raises(ValueError, match='hidden_act must be "silu", also called "swish", got'):
        _ours(kind, hidden_act="gelu")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"time_step_scale": 3.0},
        {"time_step_init_scheme": "constant"},
        {"rescale_prenorm_residual": True},
        {"time_step_min": 0.01, "time_step_max": 0.02},
        {"time_step_max": 0.01, "time_step_floor": 0.005},
    ],
    ids=str,
)
def test_fresh_weights_are_spread_as_in_transformers(settings):
    made = []
    for model in (Mamba, MambaForCausalLM):
        torch.manual_seed(0)
        fresh = model(MambaConfig(**{**SIZES, "hidden_size": 256, **settings}))
        made.append(getattr(fresh, "backbone", fresh).layers[0].mixer)
    for name in ("dt_proj.weight", "dt_proj.bias", "out_proj.weight", "conv1d.weight"):
        one, other = (mixer.get_parameter(name).detach().flatten() for mixer in made)
        shares = torch.linspace(0, 1, 9)
        near = 1e-6 + 0.2 * float(other.std())
        assert torch.allclose(one.quantile(shares), other.quantile(shares), rtol=0, atol=near), name


def test_an_unknown_way_to_begin_step_sizes_is_refused():
    with pytest.raises(ValueError, match='time_step_init_scheme must be "random" or "constant"'):
        Mamba(MambaConfig(**SIZES, time_step_init_scheme="normal"))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (FIRST_KIND, {}),
        (FIRST_KIND, {"use_bias": True}),
        (FIRST_KIND, {"conv_kernel": 3, "expand": 1}),
        (SECOND_KIND, {}),
        (SECOND_KIND, {"use_bias": True, "time_step_limit": (0.01, 0.3)}),
        (SECOND_KIND, {"conv_kernel": 3, "expand": 1, "head_dim": 2, "chunk_size": 5}),
    ],
)
def test_weights_of_transformers_give_the_same_logits(kind, settings):
    if "head_dim" in settings:
        kind = (*kind[:3], {name: kind[3][name] for name in kind[3] if name != "head_dim"})
    theirs, ours = _theirs(kind, **settings), _ours(kind, **settings)
    ours.load_state_dict(theirs.backbone.state_dict())
    text = _text()
    if not settings:  # with a bias, what theirs takes for padding has something in it
        text[1, :5] = PADDING
    keep = text != PADDING
    with torch.no_grad():
        expected = theirs(text, attention_mask=keep.long()).logits
        found = ours(text).last_hidden_state @ theirs.lm_head.weight.T
    assert torch.allclose(found[keep], expected[keep], atol=1e-5)


def test_gradients_are_those_of_transformers(kind):
    theirs, ours = _theirs(kind).backbone, _ours(kind).train()
    ours.load_state_dict(theirs.state_dict())
    text, worth = _text(), torch.randn(3, 12, 16)
    for model in (ours, theirs):
        (model(text).last_hidden_state * worth).sum().backward()
    others = dict(theirs.named_parameters())
    for name, weight in ours.named_parameters():
        assert torch.allclose(weight.grad, others[name].grad, rtol=1e-3, atol=1e-4), name


@pytest.mark.parametrize("kind", KINDS, ids=["mamba", "mamba2"])
@given(
    lengths=st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=5)
)
def test_parts_of_any_lengths_are_read_as_the_whole(kind, lengths):
    model, whole = _ours(kind).double(), _text(tokens=20)
    at, state, found = [0, 0, 0], None, [[], [], []]
    with torch.no_grad():
        for part in lengths:
            text = torch.zeros(3, max(part), dtype=torch.long)
            for row, length in enumerate(part):
                text[row, max(part) - length :] = whole[row, at[row] : at[row] + length]
            states, state = model.step(text, state)
            for row, length in enumerate(part):
                found[row].append(states[row, max(part) - length :])
                at[row] += length
        expected = model(whole).last_hidden_state
    for row, parts in enumerate(found):
        assert torch.allclose(torch.cat(parts), expected[row, : at[row]], atol=1e-10)


@pytest.mark.parametrize("kind", KINDS, ids=["mamba", "mamba2"])
@given(keep=st.lists(st.booleans(), min_size=12, max_size=12))
def test_padding_anywhere_is_as_if_it_were_not_there(kind, keep):
    model, text = _ours(kind).double(), _text(rows=1)
    keep = torch.tensor(keep)
    with torch.no_grad():
        found = model(text, keep[None]).last_hidden_state[0, keep]
        expected = model(text[:, keep]).last_hidden_state[0]
    assert torch.allclose(found, expected, atol=1e-10)


def test_a_later_token_changes_no_earlier_state(kind):
    model, text = _ours(kind), _text()
    other = text.clone()
    other[:, 7] = text[:, 7] % 49 + 1
    with torch.no_grad():
        one, two = model(text).last_hidden_state, model(other).last_hidden_state
    assert torch.equal(one[:, :7], two[:, :7])
    assert not torch.isclose(one[:, 7:], two[:, 7:]).all(dim=2).any()


def test_a_step_leaves_the_state_that_it_was_given_as_it_was(kind):
    model = _ours(kind)
    with torch.no_grad():
        _, state = model.step(_text())
        kept = {name: tensor.clone() for name, tensor in state.items()}
        once, _ = model.step(_text(seed=1), state)
        twice, _ = model.step(_text(seed=1), state)
    assert torch.equal(once, twice)
    assert state.keys() == kept.keys()
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_rows_of_a_state_go_on_as_their_own_texts_would(kind):
    model, text = _ours(kind), _text()
    rows = torch.tensor([2, 0, 0])
    with torch.no_grad():
        _, state = model.step(text)
        found, _ = model.step(_text(seed=1), take_rows(state, rows))
        expected = model(torch.cat((text[rows], _text(seed=1)), dim=1)).last_hidden_state
    assert torch.allclose(found, expected[:, 12:], atol=1e-5)


def test_a_state_that_goes_on_is_told_to_the_scan(monkeypatch):
    told = []
    own = mamba.scan

    def scan(*inputs, is_alone):
        told.append(is_alone)
        return own(*inputs, is_alone=is_alone)

    monkeypatch.setattr(mamba, "scan", scan)
    model = _ours(FIRST_KIND)
    model(_text())
    model.step(_text())
    assert told == [True] * 2 + [False] * 2


def test_the_memory_has_one_size(kind):
    model = _ours(kind)
    with torch.no_grad():
        _, short = model.step(_text(tokens=1))
        _, long = model.step(_text(tokens=100))
    assert {name: one.shape for name, one in short.items()} == {
        name: one.shape for name, one in long.items()
    }


def test_the_step_sizes_begin_where_the_paper_says():
    torch.manual_seed(0)
    mixer = Mamba(MambaConfig(**{**SIZES, "hidden_size": 512})).layers[0].mixer
    steps = torch.nn.functional.softplus(mixer.dt_proj.bias)
    assert 1e-3 <= steps.min() < 1.3e-3
    assert 0.8e-1 < steps.max() <= 1e-1
    assert torch.allclose(mixer.A_log.exp(), torch.arange(1.0, 5.0).expand(1024, 4))


def test_the_step_sizes_of_the_second_begin_there_too():
    torch.manual_seed(0)
    sizes = {**SECOND, "hidden_size": 512, "num_heads": 256, "n_groups": 1}
    mixer = Mamba2(Mamba2Config(**sizes)).layers[0].mixer
    steps = torch.nn.functional.softplus(mixer.dt_bias)
    assert 1e-3 <= steps.min() < 1.3e-3
    assert 0.8e-1 < steps.max() <= 1e-1
    assert torch.allclose(mixer.A_log.exp(), torch.arange(1.0, 257.0))


def test_heads_that_groups_cannot_share_are_refused():
    with pytest.raises(ValueError, match="num_heads must be a multiple of n_groups=3, got 8"):
        Mamba2(Mamba2Config(**{**SECOND, "n_groups": 3}))


def test_saved_weights_give_the_same_states_here_and_in_transformers(kind, tmp_path):
    model, text = _ours(kind), _text()
    model.save_pretrained(tmp_path)
    with torch.no_grad():
        states = model(text).last_hidden_state
        assert torch.equal(type(model).from_pretrained(tmp_path)(text).last_hidden_state, states)
        theirs = AutoModel.from_pretrained(tmp_path)(text).last_hidden_state
    assert torch.allclose(theirs, states, atol=1e-5)
