"""The checker for text environments, ours and other people's.

    from lightbulb_envs.checker import check_text_env

    check_text_env("Lightbulb/NewsSummariser-v0", level=3)

or `python -m lightbulb_envs.checker ID`, which prints what was checked. It needs hypothesis
(`pip install 'lightbulb[check]'`). `laws.LAWS` lists the laws; `strategies.actions` draws the
actions of any space for property-based tests of your own.
"""

try:
    import hypothesis as _  # noqa: F401 # say at once what is missing
except ImportError as error:
    raise ImportError("the checker needs hypothesis: pip install 'lightbulb[check]'") from error

from lightbulb_envs.checker.check import Outcome, check_text_env
from lightbulb_envs.checker.laws import LAWS
from lightbulb_envs.checker.subject import BrokenLawError

__all__ = ["LAWS", "BrokenLawError", "Outcome", "check_text_env"]
