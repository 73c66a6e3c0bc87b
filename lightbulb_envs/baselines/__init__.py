"""Actors without learning, in numpy alone, and the table that names them."""

from lightbulb_envs.baselines.table import (
    BASELINES,
    Baseline,
    baselines_of,
    heuristics_of,
    make_baseline,
)

__all__ = ["BASELINES", "Baseline", "baselines_of", "heuristics_of", "make_baseline"]
