"""Forecasting: read what is shown of a review, and say how likely each label is.

An episode is one forecast. The title and the first chunks of a review are shown, how many is
drawn by its instance; the action is a weight a label, and the forecast each one's share of their
sum. It is paid by a proper scoring rule (`rewards.scoring_rules`), so nobody earns more on average
than who is as sure as what was shown allows. An action without any weight says nothing: it is
illegal.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.engines.one_answer import OneAnswerEngine
from lightbulb_envs.engines.sentiment_config import check_price
from lightbulb_envs.keywords import keyword
from lightbulb_envs.randomness import derive_key, draw_words, to_range
from lightbulb_envs.rewards.scoring_rules import RULES, expected_score
from lightbulb_envs.sources.labelled import LabelledConfig
from lightbulb_envs.sources.reviews.reading import best_reading
from lightbulb_envs.splits import SUITE_VERSION
from lightbulb_envs.summation import add_in_order

_SHOWN = derive_key(str(SUITE_VERSION), "chunks shown")


@dataclass(frozen=True, kw_only=True)
class CalibratedConfig(LabelledConfig):
    """Keywords of forecasting."""

    rule: str = keyword("brier", example="spherical")
    """The scoring rule by which a forecast is paid: "brier" or "spherical"."""
    share_shown: float | None = keyword(None, example=0.5)
    """The share of a text's chunks that is shown, from the first on. Default: none, one, two, ...
    or all of them, each as often."""
    illegal_penalty: float = keyword(0.01, example=0.5)
    """What an action without any weight costs."""
    num_instances: int | None = keyword(None, example=5)
    """Texts to draw episodes from: the first so many. Default: all that the source has."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_price("illegal_penalty", self.illegal_penalty)
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")
        if self.share_shown is not None and not 0 <= self.share_shown <= 1:
            raise ValueError(f"share_shown must be in [0, 1], got {self.share_shown}")


class CalibratedEngine(OneAnswerEngine):
    """N forecasts; see `engines.engine.Engine` for the contract."""

    Config: ClassVar[type] = CalibratedConfig
    baselines: ClassVar[str] = "lightbulb_envs.baselines.forecasting:BASELINES"
    canaries: ClassVar[str] = "lightbulb_envs.baselines.forecasting:CANARIES"
    illegal_text: ClassVar[str] = "no label has weight"
    part_names = ("score", "illegal_action")

    def __init__(self, config: CalibratedConfig, num_envs: int, max_steps: int | None = None):
        super().__init__(config, num_envs, max_steps)
        count = len(self.labels)
        self.action_space = gymnasium.spaces.Box(0.0, 1.0, (count,), np.float32)
        self._rule = RULES[config.rule]
        self._forecast = np.zeros((num_envs, count))

    def _task(self) -> str:
        what = "text" if self.rules is None else "review"
        return (
            f"The beginning of a {what} is shown. Say how likely each label of all of it is: give "
            f"a weight to each of {', '.join(self.labels)}, in this order, and its share of their "
            "sum counts. Who says what they believe is paid most, on average."
        )

    def _count_shown(
        self, instances: NDArray[np.int64], length: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Returns how many chunks of texts are shown."""
        share = self.config.share_shown
        if share is None:
            return to_range(draw_words(_SHOWN, instances, 1)[:, 0], length + 1)
        count: NDArray[np.int64] = np.floor(share * length + 0.5).astype(np.int64)
        return count

    def _judge(self, row: int, action: Any) -> float | None:
        if not any(action):
            return None
        forecast = shares(action)
        self._forecast[row] = forecast
        self._answer[row] = self._forecast[row].argmax()
        return self._rule(forecast, int(self._label[row]))

    def reset(self, rows: NDArray[np.int64], instances: NDArray[np.int64]) -> None:
        """Starts an episode in every row given: its title and first chunks are shown."""
        super().reset(rows, instances)
        self._forecast[rows] = 0

    def metrics(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Returns what is measured of rows that have terminated; see `lightbulb_envs.metrics`."""
        return {**super().metrics(rows), "confidence": self._forecast[rows].max(axis=1)}

    def answer(self, row: int) -> str | None:
        """Returns the forecast of a row's episode in words, None if there is none yet."""
        forecast = self._forecast[row].tolist()
        return self._in_words(forecast) if any(forecast) else None

    def told(self, action: Any) -> str:
        """Returns an action in words."""
        return self._in_words(shares(action)) if any(action) else "nothing"

    def _in_words(self, forecast: list[float]) -> str:
        pairs = zip(self.labels, forecast, strict=True)
        return ", ".join(f"{label} {100 * chance:.0f} %" for label, chance in pairs)

    def beliefs(self, row: int) -> NDArray[np.float64] | None:
        """Returns the chances of the labels (C + 1, K) after so many chunks; None for real text."""
        if self.rules is None:
            return None
        return believed(self.rules, self._instance[[row]])[0, : int(self._length[row]) + 1]

    def belief(self, row: int) -> list[float]:
        """Returns what who knows the rules believes of what is shown; of real text, the label."""
        beliefs = self.beliefs(row)
        if beliefs is None:
            return [float(label == self._label[row]) for label in range(len(self.labels))]
        chances: list[float] = beliefs[self.num_read(row)].tolist()
        return chances

    def oracle_action(self, row: int) -> NDArray[np.float32]:  # type: ignore[override] # weights
        """Returns the forecast of who knows the rules, and not what is not shown."""
        return np.array(self.belief(row), dtype=np.float32)

    def oracle_return(self, row: int) -> float:
        """Returns what such a forecast is paid on average, given what is shown."""
        return expected_score(self._rule, self.belief(row))

    def snapshot(self, row: int) -> dict[str, Any]:
        """Returns a row's episode as plain data."""
        return {**super().snapshot(row), "forecast": self._forecast[row].tolist()}

    def restore(self, row: int, snapshot: dict[str, Any]) -> None:
        """Goes back to a row's episode as `snapshot` returned it."""
        super().restore(row, snapshot)
        self._forecast[row] = snapshot["forecast"]


def shares(weights: list[float]) -> list[float]:
    """Returns each weight's share of their sum."""
    total = add_in_order(weights)
    return [weight / total for weight in weights]


def believed(rules: Any, instances: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns beliefs (N, C + 1, K) by how many chunks of simulated reviews were read."""
    return best_reading(rules, instances, 0.0, -1.0).belief  # whatever reading costs
