"""Episode records: what somebody else needs to replay an episode and recompute its rewards."""

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from lightbulb_envs.rollout import Episode
from lightbulb_envs.splits import SUITE_VERSION, salt_digest


def versions() -> dict[str, str]:
    """Returns the versions on which documents and rewards may depend."""
    return {
        "suite": str(SUITE_VERSION),
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
        "python": platform.python_version(),
    }


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
    split = settings.get("split") or "train"
    salt = salt_digest(split)
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
