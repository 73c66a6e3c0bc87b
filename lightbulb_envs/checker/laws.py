"""The table of laws. A law looks at a `Subject`, raises `BrokenLawError` or says how it looked."""

from collections.abc import Callable
from dataclasses import dataclass

from lightbulb_envs.checker import episode_laws, making_laws, policy_laws
from lightbulb_envs.checker.subject import Subject


@dataclass(frozen=True)
class Law:
    """One law of text environments."""

    check: Callable[[Subject], str]
    """Returns how it was checked, or "not checked: ..." with the reason."""

    @property
    def says(self) -> str:
        """What the law says, in one line."""
        return " ".join((self.check.__doc__ or "").split()).rstrip(".")


LAWS: dict[str, Law] = {
    "row": Law(policy_laws.row),
    "observations": Law(episode_laws.observations),
    "gymnasium": Law(making_laws.gymnasium_check),
    "endings": Law(episode_laws.endings),
    "rewards": Law(episode_laws.rewards),
    "gains": Law(episode_laws.gains),
    "snapshots": Law(episode_laws.snapshots),
    "masks": Law(episode_laws.masks),
    "illegal": Law(episode_laws.illegal_actions),
    "batches": Law(making_laws.batches),
    "options": Law(making_laws.options),
    "keywords": Law(making_laws.keywords),
    "specs": Law(making_laws.specs),
    "pickles": Law(making_laws.pickles),
    "seeds": Law(making_laws.seeds),
    "splits": Law(making_laws.splits),
    "rendering": Law(making_laws.rendering),
    "oracle": Law(policy_laws.oracle),
    "heuristic": Law(policy_laws.heuristic),
}
"""Laws by name, in the order in which they are checked: what others build on comes first."""
