"""The space of all strings, for observations and actions in text."""

from typing import Any, NoReturn

import gymnasium
from gymnasium.error import CustomSpaceError
from gymnasium.spaces.utils import flatten, flatten_space, unflatten
from gymnasium.vector.utils import create_shared_memory

_SAMPLED = 80
"""Characters of a sample, at most."""
_CHARACTERS = "".join(map(chr, range(0x20, 0x7F))) + "\näß–“”€中文🙂"


class UnicodeText(gymnasium.spaces.Text):
    """Strings of any characters, from none to `max_length` of them.

    Samples are short, and of a few characters; or, as often, one of `examples`. No array holds such
    strings, so that Gymnasium's `AsyncVectorEnv` needs `shared_memory=False`, and raises ValueError
    without it: from a `Text` space in shared memory it returns nothing but the first character of
    its alphabet.
    """

    def __init__(self, max_length: int, *, examples: tuple[str, ...] = (), seed: int | None = None):
        super().__init__(max_length, min_length=0, charset=_CHARACTERS, seed=seed)
        self.examples = examples

    def contains(self, x: Any) -> bool:
        """Returns whether `x` is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Returns a short string; masks are those of `Text`."""
        if mask is None and probability is None:
            if self.examples and self.np_random.integers(2):
                return self.examples[self.np_random.integers(len(self.examples))]
            mask = int(self.np_random.integers(min(self.max_length, _SAMPLED) + 1)), None
        return super().sample(mask, probability)

    @property
    def is_np_flattenable(self) -> bool:
        return False

    def __eq__(self, other: object, /) -> bool:
        return type(other) is UnicodeText and self.max_length == other.max_length

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"


@create_shared_memory.register(UnicodeText)
def _refuse_shared_memory(space: UnicodeText, n: int = 1, ctx: Any = None) -> NoReturn:
    raise CustomSpaceError("strings of any characters are not shared: use shared_memory=False")


def _refuse_flattening(space: UnicodeText, *_: Any) -> NoReturn:
    raise NotImplementedError(f"{space} cannot be flattened: no array holds its strings")


for _function in (flatten, unflatten, flatten_space):
    _function.register(UnicodeText, _refuse_flattening)
