"""Checking an environment: every law in turn."""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightbulb_envs
from lightbulb_envs.checker.laws import LAWS
from lightbulb_envs.checker.subject import EXAMPLES, BrokenLawError, Subject, quiet


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
    env_id: str,
    /,
    laws: Iterable[str] | None = None,
    *,
    examples: int = EXAMPLES,
    **settings: Any,
) -> list[Outcome]:
    """Checks an environment against the laws; returns what was checked, law by law.

    Args:
        env_id: a registered id, or "module:Id", which imports the module that registers it.
        laws: names in `laws.LAWS`, all by default.
        examples: episodes that a law about all episodes is tried on.
        **settings: keywords of the environment.

    Raises:
        BrokenLawError: the first law that does not hold; the message says how and what to do.
        ValueError: an unknown id or law, or no examples.
    """
    if examples < 1:
        raise ValueError(f"examples must be 1 or more, got {examples}")
    chosen = tuple(LAWS) if laws is None else tuple(laws)
    unknown = [name for name in chosen if name not in LAWS]
    if unknown:
        raise ValueError(f"no law is called {unknown[0]!r}: there are {', '.join(LAWS)}")
    subject = Subject(env_id, settings, examples)
    _try_to_make(subject)
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
        except Exception as error:
            raise BrokenLawError(
                f"{subject.name} cannot be tried on the law {name!r} ({law.says}): "
                f"{type(error).__name__} ({error}), raised {_where(error)}"
            ) from error
        is_checked = not note.startswith("not checked")
        outcomes.append(Outcome(name, law.says, note, is_checked))
    return outcomes


def _try_to_make(subject: Subject) -> None:
    """Raises what is wrong with the settings as it is: it is no broken law."""
    try:
        with quiet():
            subject.engine(1)
    except (TypeError, ValueError, ImportError):
        raise
    except Exception as error:
        raise BrokenLawError(
            f"{subject.name} cannot be made: {type(error).__name__} ({error}), raised "
            f"{_where(error)}"
        ) from error


def _where(error: Exception) -> str:
    """Returns the last place outside this package that an error came through, or its own."""
    own = str(Path(lightbulb_envs.__file__).parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.line]
    others = [
        frame
        for frame in frames
        if not frame.filename.startswith(own) and "site-packages" not in frame.filename
    ]
    frame = (others or frames)[-1]
    return f"in {frame.filename}, line {frame.lineno}: {frame.line}"
