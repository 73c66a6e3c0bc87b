"""Engines that break laws of keywords, of copying, and of what came before."""

import itertools
import threading
from dataclasses import dataclass
from typing import Any, ClassVar

from lightbulb_envs.engines.summarise import SummariseConfig, SummariseEngine
from lightbulb_envs.keywords import keyword


@dataclass(frozen=True, kw_only=True)
class IdleConfig(SummariseConfig):
    """A keyword that nobody reads."""

    idle: int = keyword(1, example=2)


class IdleKeyword(SummariseEngine):
    """Accepts a keyword and ignores it."""

    Config: ClassVar[type] = IdleConfig


@dataclass(frozen=True, kw_only=True)
class UntoldConfig(SummariseConfig):
    """A keyword without an example."""

    budget: int | None = None


class UntoldKeyword(SummariseEngine):
    """Does not say how a keyword may be tried."""

    Config: ClassVar[type] = UntoldConfig


@dataclass(frozen=True, kw_only=True)
class RefusingConfig(SummariseConfig):
    """An example that does not work."""

    budget: int | None = keyword(None, example=99999)


class RefusedExample(SummariseEngine):
    """Refuses its own example."""

    Config: ClassVar[type] = RefusingConfig


class HoldsALambda(SummariseEngine):
    """Cannot be pickled."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.hook = lambda: None


class HoldsALock(SummariseEngine):
    """Cannot be copied."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.lock = threading.Lock()


_CLOCK = itertools.count()


class ReadsAClock(SummariseEngine):
    """Depends on how many episodes were played before."""

    def reset(self, rows, instances):
        super().reset(rows, (instances + next(_CLOCK)) % 1000)
