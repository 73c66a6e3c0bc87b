"""What drafts of simulated articles cover: weighted fact precision, recall and F1."""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from lightbulb_envs.document import NO_FACT
from lightbulb_envs.rewards.facts import fact_score
from lightbulb_envs.sources.newsroom.source import NewsroomSource


class LightbulbFacts(evaluate.Metric):
    """Mean weighted fact precision, recall and F1 of drafts of the newsroom's articles."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="What a draft covers of the key facts of a simulated article, by weight, "
            "and what of its claims is repeated, corrected later or beside the point.",
            citation="lightbulb_envs.rewards.facts",
            inputs_description="predictions: drafts, lists of the numbers of sentences in order. "
            "references: the instances of the articles. level, split: which articles those are.",
            features=datasets.Features(
                {
                    "predictions": datasets.Sequence(datasets.Value("int64")),
                    "references": datasets.Value("int64"),
                }
            ),
        )

    def _compute(
        self,
        predictions: Sequence[Sequence[int]],
        references: Sequence[int],
        level: int = 2,
        split: str = "test",
    ) -> dict[str, Any]:
        batch = NewsroomSource(level, split).batch(np.array(references, dtype=np.int64))
        scores = []
        for row, draft in enumerate(predictions):
            count = int(batch.num_sentences[row])
            wrong = [number for number in draft if not 0 <= number < count]
            if wrong:
                raise ValueError(
                    f"draft {row} names sentence {wrong[0]}, and instance {references[row]} has "
                    f"sentences 0 to {count - 1}"
                )
            claims = [
                [int(fact) for fact in batch.claims[row, number] if fact != NO_FACT]
                for number in draft
            ]
            weights, is_key = batch.fact_weight[row].tolist(), batch.fact_is_key[row].tolist()
            scores.append(fact_score(weights, is_key, claims))
        return {
            "fact_precision": float(np.mean([one.precision for one in scores])),
            "fact_recall": float(np.mean([one.recall for one in scores])),
            "fact_f1": float(np.mean([one.fmeasure for one in scores])),
        }
