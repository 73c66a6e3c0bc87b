"""What was retrieved for texts, as a reader attends to it."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from lightbulb_backbones.carried import Carried


@dataclass(frozen=True)
class Context:
    """K passages of M tokens each for B texts, one passage after the other: C = K M tokens."""

    states: Float[Tensor, "B C D"]
    """Of the passages' tokens."""
    keep: Bool[Tensor, "B C"]
    """Which are not padding; none of a text for which nothing was retrieved."""
    log_probability: Float[Tensor, "B C"]
    """Of the passage that a token is in, among those retrieved."""

    def rows(self, rows: Int[Tensor, " n"]) -> "Context":
        """Returns what was retrieved for some of the texts."""
        return Context(self.states[rows], self.keep[rows], self.log_probability[rows])

    def among(self, rows: Int[Tensor, " n"], others: "Context") -> "Context":
        """Returns what was retrieved for others, with this in some rows."""
        if self.states.shape[1:] != others.states.shape[1:]:
            raise ValueError(
                f"passages of {self.states.shape[1]} tokens in all were retrieved, and those that "
                f"texts go on with have {others.states.shape[1]}: use one index for them all"
            )
        return Context(
            others.states.index_copy(0, rows, self.states),
            others.keep.index_copy(0, rows, self.keep),
            others.log_probability.index_copy(0, rows, self.log_probability),
        )

    def nothing(self, texts: int) -> "Context":
        """Returns a context of this size for so many texts, for which nothing was retrieved."""
        return Context(
            self.states.new_zeros(texts, *self.states.shape[1:]),
            self.keep.new_zeros(texts, self.keep.shape[1]),
            self.log_probability.new_zeros(texts, self.keep.shape[1]),
        )

    @staticmethod
    def carried(carried: Carried) -> "Context | None":
        """Returns what `carry` remembered, None where nothing was."""
        states, keep, share = (carried.get(name) for name in ("states", "keep", "share"))
        if states is None or keep is None or share is None:
            return None
        return Context(states, keep, share)

    def carry(self, carried: Carried) -> None:
        """Remembers this for the parts that follow."""
        carried["states"] = self.states
        carried["keep"] = self.keep
        carried["share"] = self.log_probability
