"""A state (`carried`) as the cache that `generate` of transformers passes on and reorders."""

from collections.abc import Iterable

from torch import Tensor
from transformers.cache_utils import Cache

from lightbulb_backbones.carried import State, take_rows
from lightbulb_backbones.causal_attention import POSITIONS


class StateCache(Cache):
    """What a causal network carries, behind the interface of transformers' caches.

    All of it is by text: where beams are reordered, routes and recurrent states go with them.
    """

    def __init__(self, state: State | None = None):
        super().__init__(layers=[])
        self.state: State = dict(state or {})

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Returns how many tokens were read of every text, padding among them."""
        del layer_idx
        return self.state[POSITIONS].shape[1] if self.state else 0

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Goes on with these texts instead."""
        self.batch_select_indices(beam_idx)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keeps these texts."""
        self.state = take_rows(self.state, indices)

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Goes on with every text so many times."""
        self.state = {
            name: tensor.repeat_interleave(repeats, dim=0) for name, tensor in self.state.items()
        }

    def reset(self) -> None:
        """Forgets everything."""
        self.state = {}

    def crop(self, tokens_to_remove: int) -> None:
        """Raises NotImplementedError: a recurrent state cannot forget its last tokens."""
        raise NotImplementedError(
            "a recurrent state cannot forget its last tokens: keep a copy of the cache instead"
        )

    @property
    def is_croppable(self) -> bool:
        """Returns False: see `crop`."""
        return False

    @property
    def batch_size(self) -> int:
        """Returns the number of texts, -1 before any was read."""
        return len(self.state[POSITIONS]) if self.state else -1

    def __len__(self) -> int:
        return len(self.state)

    def __iter__(self) -> Iterable[tuple[str, Tensor]]:
        return iter(self.state.items())
