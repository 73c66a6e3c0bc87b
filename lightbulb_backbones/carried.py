"""What a causal network carries from one part of a text to the next: tensors by name.

A state is a plain dict of tensors whose first axis is the batch, so that it can be stored in a
replay, sent between processes, and taken row by row. Layers read and replace the entries of their
own part and never write into a tensor, so a state that was handed out stays what it was.
"""

from collections.abc import Mapping

from torch import Tensor

State = dict[str, Tensor]


class Carried:
    """A layer's part of a state: the entries whose names begin with its own.

    Args:
        state: of the whole network; entries are replaced in it.
        prefix: "" for all of it.
    """

    def __init__(self, state: State, prefix: str = ""):
        self.state = state
        self._prefix = prefix

    def part(self, name: str | int) -> "Carried":
        """Returns the part of a layer in this one."""
        return Carried(self.state, f"{self._prefix}{name}.")

    def get(self, name: str) -> Tensor | None:
        """Returns an entry, None before the first token."""
        return self.state.get(self._prefix + name)

    def entries(self) -> State:
        """Returns this part's entries, by their names in it."""
        start = len(self._prefix)
        return {
            name[start:]: tensor
            for name, tensor in self.state.items()
            if name.startswith(self._prefix)
        }

    def __setitem__(self, name: str, tensor: Tensor) -> None:
        self.state[self._prefix + name] = tensor


def take_rows(state: Mapping[str, Tensor], rows: Tensor) -> State:
    """Returns the state of some rows (n,), in any order; one may be named twice."""
    return {name: tensor.index_select(0, rows) for name, tensor in state.items()}
