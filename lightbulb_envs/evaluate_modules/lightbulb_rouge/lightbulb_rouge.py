"""ROUGE of texts against their references, equal to `rouge-score`."""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from lightbulb_envs.rewards.rouge import DEFAULT_KINDS, score_many


class LightbulbRouge(evaluate.Metric):
    """Mean F1 of each kind of ROUGE."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="ROUGE (Lin 2004), with the numbers of the package rouge-score.",
            citation="Lin (2004), ROUGE: A Package for Automatic Evaluation of Summaries",
            inputs_description="predictions and references: strings; sentences of rougeLsum are "
            "lines. kinds: any of rouge1 to rouge9, rougeL, rougeLsum. use_stemmer: whether Porter "
            "stems are compared. use_aggregator: whether means are returned, or a list a kind.",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self,
        predictions: Sequence[str],
        references: Sequence[str],
        kinds: Sequence[str] = DEFAULT_KINDS,
        use_stemmer: bool = False,
        use_aggregator: bool = True,
    ) -> dict[str, Any]:
        scores = score_many(predictions, references, kinds, use_stemmer=use_stemmer)
        found = {kind: [one[kind].fmeasure for one in scores] for kind in kinds}
        if not use_aggregator:
            return found
        return {kind: float(np.mean(values)) for kind, values in found.items()}
