"""What the numbers of a config may be."""

from typing import Any


def check_least(config: Any, **least: float) -> None:
    """Raises ValueError when a field of the config is less than what is named here."""
    for name, lowest in least.items():
        value = getattr(config, name)
        if not value >= lowest:
            raise ValueError(f"{name} must be {lowest} or more, got {value}")
