"""Actors without learning, in numpy alone, and the table that names them."""

from lightbulb_envs.baselines.table import BASELINES, make_baseline

__all__ = ["BASELINES", "make_baseline"]
