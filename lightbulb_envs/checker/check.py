"""Checking an environment: every law in turn."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lightbulb_envs.checker.laws import LAWS
from lightbulb_envs.checker.subject import BrokenLawError, Subject, quiet


@dataclass(frozen=True)
class Outcome:
    """What became of one law."""

    law: str
    says: str
    """What the law says."""
    note: str
    """How it was checked; for a law that is not checked, why not."""
    is_checked: bool


def check_text_env(
    env_id: str, /, laws: Iterable[str] | None = None, **settings: Any
) -> list[Outcome]:
    """Checks an environment against the laws; returns what was checked, law by law.

    Args:
        env_id: a registered id, or "module:Id", which imports the module that registers it.
        laws: names in `laws.LAWS`, all by default.
        **settings: keywords of the environment.

    Raises:
        BrokenLawError: the first law that does not hold; the message says how and what to do.
        ValueError: an unknown id or law.
    """
    chosen = tuple(LAWS) if laws is None else tuple(laws)
    unknown = [name for name in chosen if name not in LAWS]
    if unknown:
        raise ValueError(f"no law is called {unknown[0]!r}: there are {', '.join(LAWS)}")
    subject = Subject(env_id, settings)
    outcomes = []
    for name in chosen:
        law = LAWS[name]
        try:
            with quiet():
                note = law.check(subject)
        except BrokenLawError as error:
            raise BrokenLawError(
                f"{subject.name} breaks the law {name!r} ({law.says}): {error}"
            ) from error
        is_checked = not note.startswith("not checked")
        outcomes.append(Outcome(name, law.says, note, is_checked))
    return outcomes
