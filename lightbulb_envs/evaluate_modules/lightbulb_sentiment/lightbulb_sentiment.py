"""How good labels are: accuracy, macro-F1, and calibration error where confidences are given."""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from lightbulb_envs.metrics import calibration_error, macro_f1


class LightbulbSentiment(evaluate.Metric):
    """Accuracy, macro-F1, expected calibration error."""

    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("int64")
        return evaluate.MetricInfo(
            description="Accuracy and macro-F1 of labels, and how far confidence is from accuracy.",
            citation="Guo et al. (2017), On Calibration of Modern Neural Networks, equation 5",
            inputs_description="predictions and references: labels, as integers. confidences: the "
            "probabilities that were given to the predictions, if there are any.",
            features=datasets.Features({"predictions": label, "references": label}),
        )

    def _compute(
        self,
        predictions: Sequence[int],
        references: Sequence[int],
        confidences: Sequence[float] | None = None,
    ) -> dict[str, Any]:
        are_right = np.asarray(predictions) == np.asarray(references)
        found = {"accuracy": float(are_right.mean()), "macro_f1": macro_f1(references, predictions)}
        if confidences is not None:
            found["calibration_error"] = calibration_error(confidences, are_right)
        return found
