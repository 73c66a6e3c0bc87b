"""Episode records: what somebody else needs to replay an episode and recompute its rewards."""

import contextlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from lightbulb_envs.registry import find_row
from lightbulb_envs.rollout import Episode
from lightbulb_envs.splits import SUITE_VERSION, salt_digest


def versions() -> dict[str, str]:
    """Returns the versions on which documents and rewards may depend, of what is installed."""
    found = {
        "suite": str(SUITE_VERSION),
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
        "python": platform.python_version(),
    }
    for name in ("lightbulb", "sentencex", "tokenizers", "nltk"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@dataclass(frozen=True)
class EpisodeRecord:
    """One episode: (environment id, settings, instance, actions), and what it was paid."""

    env_id: str
    settings: dict[str, Any]
    instance: int
    actions: tuple[int, ...]
    rewards: tuple[float, ...]
    truncated: bool
    salt: str = "public"
    """"public", or the digest of the secret salt."""
    versions: dict[str, str] = field(default_factory=versions)

    def to_json(self) -> str:
        """Returns the record as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)


def records_of(
    env_id: str, settings: dict[str, Any], episodes: Iterable[Episode]
) -> list[EpisodeRecord]:
    """Returns the records of episodes played in one environment."""
    complete = {**find_row(env_id).settings, **settings}
    is_simulated = complete.get("source", "newsroom") == "newsroom"
    salt = salt_digest((complete.get("split") or "train") if is_simulated else "train")
    return [
        EpisodeRecord(
            env_id=env_id,
            settings=settings,
            instance=episode.instance,
            actions=episode.actions,
            rewards=episode.rewards,
            truncated=episode.truncated,
            salt=salt,
        )
        for episode in episodes
    ]


def write_records(path: Path, records: Iterable[EpisodeRecord]) -> None:
    """Writes records as JSON lines."""
    path.write_text("".join(record.to_json() + "\n" for record in records), encoding="utf-8")
