"""Keywords of environments: fields of a config, each with an example that changes something.

    budget: int | None = keyword(None, example=2)

The shipped checker makes an environment with and without the example and compares them, so that no
keyword is accepted and ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_KEY = "lightbulb_keyword"


@dataclass(frozen=True)
class Example:
    """A value that makes an environment another one."""

    value: Any
    """In it, and in `given`, `{news}` and `{reviews}`, either with `_with_a_bad_row` after it, and
    `{tokenizer}` in a string stand for files that the checker writes."""
    given: Mapping[str, Any]
    """Other keywords that it needs, with which and without it the environment is made."""
    is_refused: bool
    """Whether the effect is that the environment cannot be made."""


def keyword(
    default: Any,
    *,
    example: Any,
    given: Mapping[str, Any] | None = None,
    is_refused: bool = False,
) -> Any:
    """Returns a dataclass field with a default and an example for the checker."""
    metadata = {_KEY: Example(example, dict(given or {}), is_refused)}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def example_of(metadata: Mapping[str, Any]) -> Example | None:
    """Returns the example of a field's metadata, None if it has none."""
    found: Example | None = metadata.get(_KEY)
    return found
