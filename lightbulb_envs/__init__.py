"""Lightbulb's environments: agents learn to read, judge and write news.

Importing this package registers the ids of `registry.ROWS` with Gymnasium.
"""

from lightbulb_envs.kernel import kernel_info
from lightbulb_envs.registry import ROWS, Row, find_row, make_engine, register

__version__ = "0.1.0"

__all__ = ["ROWS", "Row", "__version__", "find_row", "kernel_info", "make_engine", "register"]
