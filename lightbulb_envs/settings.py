"""Keywords of environments as a command line gives them: `budget=3 reward='{"rouge1": 1}'`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def parse_settings(texts: Sequence[str], refused: Mapping[str, str]) -> dict[str, Any]:
    """Returns keywords from "name=value" texts; a value that is no JSON stands for itself.

    Raises:
        ValueError: a text without "=", or a name in `refused`, which says what to do instead.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--settings takes NAME=VALUE, got {text!r}")
        if name in refused:
            raise ValueError(f"--settings takes no {name}: {refused[name]}")
        try:
            settings[name] = json.loads(value)
        except json.JSONDecodeError:
            settings[name] = value
    return settings
