"""Every backbone of the table maps tokens to states, padded or not, and survives saving."""

import pytest
import torch
from jaxtyping import TypeCheckError

from lightbulb_backbones import BackboneConfig, make_backbone
from lightbulb_backbones.transformer import sinusoids

WIDTH = 16


@pytest.fixture
def backbone(backbone_name):
    torch.manual_seed(0)
    return make_backbone(50, BackboneConfig(backbone_name, width=WIDTH, layers=2, heads=4)).eval()


def _states(backbone, tokens, **arguments):
    with torch.inference_mode():
        return backbone(input_ids=torch.tensor(tokens), **arguments).last_hidden_state


def test_states_have_one_row_a_token(backbone):
    assert _states(backbone, [[1, 2, 3], [4, 5, 0]]).shape == (2, 3, backbone.config.hidden_size)
    assert backbone.config.hidden_size == (
        64 if backbone.config.model_type == "lightbulb_language" else WIDTH
    )


def test_padding_does_not_change_a_token_s_state(backbone):
    short = _states(backbone, [[7, 8, 9]])
    long = _states(backbone, [[7, 8, 9, 0, 0]])
    assert torch.allclose(short, long[:, :3], atol=1e-6)


def test_rows_of_nothing_but_padding_are_finite(backbone):
    assert _states(backbone, [[0, 0], [1, 2]]).isfinite().all()


def test_a_given_mask_is_the_mask_of_padding(backbone):
    mask = torch.tensor([[True, True, False]])
    alone = _states(backbone, [[7, 8]])
    for beyond in (0, 9):
        padded = _states(backbone, [[7, 8, beyond]], attention_mask=mask)
        assert torch.allclose(padded[:, :2], alone, atol=1e-6)


def test_saved_weights_give_the_same_states(backbone, tmp_path):
    backbone.save_pretrained(tmp_path)
    again = type(backbone).from_pretrained(tmp_path).eval()
    tokens = [[3, 1, 4, 1, 5]]
    assert torch.allclose(_states(backbone, tokens), _states(again, tokens), atol=1e-6)


def test_gradients_reach_every_weight(backbone):
    backbone.train()
    backbone(input_ids=torch.tensor([[1, 2, 3]])).last_hidden_state.square().sum().backward()
    for name, weight in backbone.named_parameters():
        is_of_passages = any(part in name for part in ("retriever", "context_key", "openness"))
        assert (weight.grad is None) == is_of_passages, name  # there is no index


def test_a_transformer_reads_the_order_and_a_bag_does_not():
    torch.manual_seed(0)
    for name, differs in (("bag", False), ("transformer", True)):
        backbone = make_backbone(50, BackboneConfig(name, width=WIDTH)).eval()
        one, other = _states(backbone, [[1, 2, 3]]), _states(backbone, [[3, 2, 1]])
        assert torch.allclose(one.mean(1), other.mean(1), atol=1e-5) is not differs


def test_positions_differ_and_are_bounded():
    encoding = sinusoids(200, WIDTH, torch.device("cpu"))
    assert encoding.abs().max() <= 1.0
    assert torch.cdist(encoding, encoding).fill_diagonal_(1.0).min() > 0.01


def test_shapes_in_annotations_are_checked_in_tests(backbone):
    with pytest.raises(TypeCheckError):
        backbone(input_ids=torch.tensor([1, 2, 3]))


def test_an_unknown_backbone_and_an_odd_width_are_refused():
    with pytest.raises(ValueError, match="bag, transformer, mamba, mamba2, language:tiny"):
        make_backbone(10, BackboneConfig("lstm"))
    with pytest.raises(ValueError, match="multiple of heads=4"):
        make_backbone(10, BackboneConfig(width=30))


def test_texts_are_read_part_by_part_as_whole_where_the_past_alone_is_seen(backbone):
    if not hasattr(backbone, "step"):
        assert type(backbone).__name__ == "TransformerEncoder"
        return
    tokens = torch.randint(1, 50, (3, 20), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = backbone(input_ids=tokens).last_hidden_state
        state, parts = None, []
        for part in tokens.split([16, 1, 3], dim=1):  # the first is what a text is routed by
            states, state = backbone.step(part, state)
            parts.append(states)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)
