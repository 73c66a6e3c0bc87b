"""Keywords of the sentiment environments."""

from dataclasses import dataclass

from lightbulb_envs.keywords import keyword
from lightbulb_envs.sources.labelled import LabelledConfig


@dataclass(frozen=True, kw_only=True)
class LabelConfig(LabelledConfig):
    """Keywords of labelling what is read."""

    wrong: float = keyword(-1.0, example=-2.0)
    """What a wrong label is paid; a right one is paid 1."""
    num_instances: int | None = keyword(None, example=5)
    """Texts to draw episodes from: the first so many. Default: all that the source has."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.wrong >= 1:
            raise ValueError(f"a wrong label must be paid less than 1, got wrong={self.wrong}")


@dataclass(frozen=True, kw_only=True)
class BanditConfig(LabelConfig):
    """Keywords of labelling by number: those of most sentiment environments."""

    illegal_penalty: float = keyword(0.01, example=0.5)
    """What reading on costs when all is read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_price("illegal_penalty", self.illegal_penalty)


@dataclass(frozen=True, kw_only=True)
class SentimentConfig(BanditConfig):
    """Keywords of reading with a cost."""

    read_cost: float = keyword(0.05, example=0.2)
    """What a chunk costs to read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_price("read_cost", self.read_cost)


def check_price(name: str, value: float) -> None:
    """Raises ValueError for a price below 0."""
    if value < 0:
        raise ValueError(f"{name} is a price and must be 0 or more, got {value}")
