"""What the numbers of a config may be."""

from typing import Any


def check_most(config: Any, **most: float | int) -> None:
    """Raises ValueError when a field of the config is more than what is named here."""
    for name, highest in most.items():
        value = getattr(config, name)
        if not value <= highest:
            raise ValueError(f"{name} must be {highest} or less, got {value}")


def check_least(config: Any, **least: float | int) -> None:
    """Raises ValueError when a field of the config is less than what is named here."""
    for name, lowest in least.items():
        value = getattr(config, name)
        if not value >= lowest:
            raise ValueError(f"{name} must be {lowest} or more, got {value}")
