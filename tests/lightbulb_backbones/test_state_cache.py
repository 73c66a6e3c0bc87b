"""A state behind the interface of transformers' caches."""

import pytest
import torch

from lightbulb_backbones.causal_attention import POSITIONS
from lightbulb_backbones.state_cache import StateCache


def _cache():
    return StateCache(
        {POSITIONS: torch.tensor([[0, 1], [0, -1]]), "key": torch.arange(2.0)[:, None]}
    )


def test_texts_are_reordered_selected_and_repeated():
    cache = _cache()
    assert (cache.get_seq_length(), cache.batch_size) == (2, 2)
    cache.reorder_cache(torch.tensor([1, 1, 0]))
    assert cache.state["key"].flatten().tolist() == [1.0, 1.0, 0.0]
    cache.batch_select_indices(torch.tensor([2, 0]))
    assert cache.state["key"].flatten().tolist() == [0.0, 1.0]
    cache.batch_repeat_interleave(2)
    assert cache.state["key"].flatten().tolist() == [0.0, 0.0, 1.0, 1.0]
    assert cache.state[POSITIONS].tolist() == [[0, 1], [0, 1], [0, -1], [0, -1]]


def test_what_is_forgotten_is_gone_and_nothing_is_forgotten_in_part():
    cache = _cache()
    assert not cache.is_croppable
    with pytest.raises(NotImplementedError, match="keep a copy of the cache"):
        cache.crop(1)
    cache.reset()
    assert (cache.get_seq_length(), cache.batch_size, len(cache)) == (0, -1, 0)


def test_a_cache_replaces_entries_of_its_own_alone():
    state = {POSITIONS: torch.zeros(1, 1), "key": torch.ones(1, 1)}
    cache = StateCache(state)
    cache.state["key"] = torch.zeros(1, 1)
    assert state["key"].item() == 1
