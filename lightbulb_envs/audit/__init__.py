"""What degenerate policies earn: `python -m lightbulb_envs.audit`."""

from lightbulb_envs.audit.matrix import Cell, Column, audit, rewards_of

__all__ = ["Cell", "Column", "audit", "rewards_of"]
