"""The checker for text environments, ours and other people's.

    from lightbulb_envs.checker import check_text_env

    check_text_env("Lightbulb/NewsSummariser-v0", level=3)

or `python -m lightbulb_envs.checker ID`, which prints what was checked. It needs hypothesis
(`pip install 'lightbulb[check]'`). `laws.LAWS` lists the laws; `strategies.actions` draws the
actions of any space for property-based tests of your own.
"""

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightbulb_envs.checker.check import Outcome, check_text_env
    from lightbulb_envs.checker.laws import LAWS
    from lightbulb_envs.checker.subject import BrokenLawError

if importlib.util.find_spec("hypothesis") is None:  # say at once what is missing
    raise ImportError("the checker needs hypothesis: pip install 'lightbulb[check]'")

__all__ = ["LAWS", "BrokenLawError", "Outcome", "check_text_env"]


def __getattr__(name: str) -> Any:
    """Loads the laws when they are asked for: the processes that one of them starts do without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lightbulb_envs.checker import check, laws, subject

    homes = {"LAWS": laws, "BrokenLawError": subject}
    return getattr(homes.get(name, check), name)
